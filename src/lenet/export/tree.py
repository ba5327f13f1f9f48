"""Where another library's layers stand in a module that is being made: under the paths that their tensors have here.

A row's operation becomes a real layer (PyTorch's ``Linear``, Paddle's ``BatchNorm2D``) where its tensors are one path's and
no other row takes them; else its tensors are held by themselves and a function is called. Read by ``torch_module`` and
``paddle_layer``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenet.export.graph import Graph

__all__ = ["Tree"]


class Tree:
    """A module in the making. container: makes an empty one; adding: the method's name that takes (name, module).

    names: for each tensor its name in the other library.
    """

    def __init__(self, graph: Graph, names: Mapping[str, str], root: Any, container: Any, adding: str) -> None:
        self.graph, self.names, self.root = graph, names, root
        self._container, self._adding = container, adding

    def owner(self, path: str) -> tuple[Any, str]:
        """The module that holds a name, made where it is missing, and the name in it."""
        *steps, leaf = path.split(".")
        owner = self.root
        for step in steps:
            child = self.child(owner, step)
            if child is None:
                child = self._container()
                getattr(owner, self._adding)(step, child)
            owner = child
        return owner, leaf

    @staticmethod
    def child(owner: Any, name: str) -> Any:
        """A module's own child or tensor of this name, or None."""
        kinds = ("_modules", "_sub_layers", "_parameters", "_buffers")
        found = (vars(owner).get(kind, {}).get(name) for kind in kinds)
        return next((one for one in found if one is not None), None)

    def place(self, layer: Any, **tensors: str | None) -> str:
        """Put a layer where its tensors stand and return its path; "" if they don't stand so. tensors: by their leaves."""
        given = {leaf: name for leaf, name in tensors.items() if name is not None}
        if not all(isinstance(name, str) for name in given.values()):
            return ""
        parts = {self.names[name].rpartition(".")[::2] for name in given.values()}
        paths = {path for path, _ in parts}
        uses = sum(isinstance(one, str) and one in given.values() for row in self.graph.rows for one in row.inputs)
        wanted = {(path, leaf) for path in paths for leaf in given}
        if len(paths) != 1 or "" in paths or parts != wanted or uses != len(given):
            return ""
        (path,) = paths
        owner, leaf = self.owner(path)
        if self.child(owner, leaf) is not None:
            return ""
        getattr(owner, self._adding)(leaf, layer)
        return path
