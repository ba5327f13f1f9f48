"""A program that ``torch.export`` made, read call by call: what calls take, where they stand, what is refused.

A call's arguments come by their names in the operator's own schema, so that none depends on how it was written. Read by
``torch_operators``, which knows the operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.export.calls import At, Calls, source_line
from lenet.export.graph import IMAGES, Building
from lenet.messages.check import message, one_line

__all__ = ["Program", "here"]

_UNARY = {
    "relu", "sigmoid", "tanh", "silu", "mish", "relu6", "exp", "log", "sqrt", "rsqrt", "square", "abs", "neg", "reciprocal",
    "sin", "cos", "erf", "hardswish",
}  # fmt: skip
_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "maximum": "maximum",
    "minimum": "minimum",
}
_NOTHING = {
    "dropout", "feature_dropout", "alpha_dropout", "clone", "contiguous", "alias", "detach", "to", "_to_copy", "lift_fresh_copy",
    "detach_", "lift_fresh",
}  # fmt: skip


class Program(Calls):
    """The rows of an exported program, put into a ``Building``."""

    def __init__(self, building: Building, program: Any, module: Any) -> None:
        super().__init__(building)
        self.program = program
        state = {**dict(module.named_parameters(remove_duplicate=False)), **dict(module.named_buffers())}
        signature = program.graph_signature
        held = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        constants = getattr(signature, "inputs_to_lifted_tensor_constants", {})
        self.given: dict[str, tuple[str, Any]] = {key: (name, state[name]) for key, name in held.items()}
        self.given |= {key: (name, program.constants[name]) for key, name in constants.items()}
        self.values: dict[Any, Any] = {}  # a node's row, or a number, a list of them
        self.node: Any = None

    def run(self) -> None:
        """All nodes in order. ValueError naming the operator and its place for one that has no rows."""
        images = 0
        for node in self.program.graph.nodes:
            self.node = node
            if node.op == "placeholder":
                if node.name in self.given:
                    self.values[node] = node.name
                else:
                    self.values[node], images = At(IMAGES), images + 1
            elif node.op == "call_function":
                self.values[node] = self._call(node)
            elif node.op == "output":
                self._check_output(node.args[0], images)

    def _check_output(self, results: Any, images: int) -> None:
        if images != 1 or len(results) != 1:
            raise ValueError(
                message("from_torch", f"a module of {images} inputs and {len(results)} outputs", "one of each")
            )
        last = self.values[results[0]]
        if not isinstance(last, At) or last == IMAGES:
            raise ValueError(message("from_torch", "a module that computes nothing of its input", "a network"))
        self.b.end(int(last))

    # ---- a call ------------------------------------------------------------------------------------------------------

    def _call(self, node: Any) -> Any:
        target = node.target
        schema = getattr(target, "_schema", None)
        if schema is None:
            return self._python(node)
        name = schema.name.partition("::")[2]
        arguments = {}
        for place, argument in enumerate(schema.arguments):
            if place < len(node.args) and not argument.kwarg_only:
                value = node.args[place]
            else:
                value = node.kwargs.get(argument.name, argument.default_value)
            arguments[argument.name] = self._given(value)
        plain = (
            name[:-1] if name.endswith("_") and not name.startswith("_") and hasattr(self, f"_{name[:-1]}") else name
        )
        plain = name[:-1] if name.endswith("_") and name[:-1] in _UNARY | set(_BINARY) | _NOTHING else plain
        first = arguments.get("self", arguments.get("input"))
        if plain in _NOTHING:
            return first
        if plain in _UNARY:
            return self.row(plain, first)
        if plain in _BINARY:
            return self._binary(_BINARY[plain], arguments)
        write = getattr(self, f"_op_{plain}", None)
        if write is None:
            self.refuse(str(target))
        return write(arguments)

    def _given(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._given(one) for one in value]
        return self.values.get(value, value) if type(value).__name__ == "Node" else value

    def _python(self, node: Any) -> Any:
        """A call of Python's own: of sizes, and the parts of what an operator returned."""
        import operator

        if node.target is operator.getitem:
            return self.values[node.args[0]][node.args[1]]
        self.refuse(getattr(node.target, "__name__", str(node.target)))

    def place(self) -> str:
        """Where in the user's module the present node is: its layer and its line."""
        layers = list((self.node.meta.get("nn_module_stack") or {}).values())
        path = layers[-1][0] if layers else ""
        path = path.partition("L['self'].")[2] or path
        line = source_line(str(self.node.meta.get("stack_trace") or "").splitlines(), "torch")
        return one_line(f"{path or self.node.name}{line}", 120)

    def held(self, value: Any) -> tuple[str, NDArray[np.float32]]:
        """The name and the numbers of one of the module's tensors."""
        name, tensor = self.given[value]
        return here(name), self._numbers(name, tensor)

    def _numbers(self, name: str, tensor: Any) -> NDArray[np.float32]:
        array = tensor.detach().cpu().numpy()
        if array.dtype.kind not in "fiub":
            raise ValueError(message(f"{self.b.what}, {name}", f"{tensor.dtype}", "numbers"))
        return array.astype(np.float32)

    def _binary(self, op: str, given: dict[str, Any]) -> At:
        raise NotImplementedError


def here(name: str) -> str:
    """A name of PyTorch's as it is here."""
    path, dot, leaf = name.rpartition(".")
    return path + dot + {"running_mean": "_mean", "running_var": "_variance"}.get(leaf, leaf)
