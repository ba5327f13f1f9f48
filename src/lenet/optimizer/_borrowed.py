"""A plain tensor as an optimizer sees it: a parameter that shares the tensor's numbers, gradient and name.

For loops written from scratch, ``SGD(0.1, parameters=[w])``. The tensor's numbers move into a block of their own once, which
the update then writes. Read by ``_groups`` alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Parameter, Tensor, aligned

__all__ = ["Borrowed"]


class Borrowed(Parameter):
    """See above. ``_grad`` and ``stop_gradient`` are the tensor's."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor
        self._data = self._lanes = self._few = self._hooks = self._node = None
        self._shape, self._dtype, self._name = tensor._shape, tensor._dtype, tensor.name
        self.persistable = True
        self.optimize_attr, self.regularizer, self.need_clip = {"learning_rate": 1.0}, None, True

    def data_array(self) -> NDArray[Any]:
        """The block that both share; about to be written, so nothing else the tensor holds of it stays."""
        t = self._tensor
        if self._data is None or t._data is not self._data:
            block = aligned(t._shape, t._dtype)
            block[...] = t.data_array()
            self._data = t._data = block
        t._lanes = t._few = None
        found: NDArray[np.float32] = self._data
        return found

    def clear_gradient(self, set_to_zero: bool = True) -> None:
        """The tensor's gradient set to zeros (or to None)."""
        self._tensor.clear_gradient(set_to_zero)


def _shared(name: str) -> Any:
    def read(self: Borrowed) -> Any:
        return getattr(self._tensor, name)

    def write(self: Borrowed, value: Any) -> None:
        setattr(self._tensor, name, value)

    return property(read, write)


for _name in ("_grad", "stop_gradient"):
    setattr(Borrowed, _name, _shared(_name))
