"""A program that Paddle's ``jit`` made, read call by call: what calls take, where they stand, what is refused.

Read by ``paddle_operators``, which knows the operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.export.calls import At, Calls, Held, source_line
from lenet.export.graph import IMAGES, Building
from lenet.messages.check import message, one_line

__all__ = ["Program"]

_UNARY = {
    "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "silu": "silu", "mish": "mish", "relu6": "relu6", "exp": "exp",
    "log": "log", "sqrt": "sqrt", "rsqrt": "rsqrt", "square": "square", "abs": "abs", "reciprocal": "reciprocal",
    "sin": "sin", "cos": "cos", "erf": "erf", "hardswish": "hardswish", "softsign": "softsign",
    "tanh_shrink": "tanhshrink", "tanhshrink": "tanhshrink", "logsigmoid": "log_sigmoid",
}  # fmt: skip
_BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
_NOTHING = ("assign", "assign_out_", "share_data_", "cast", "memcpy_h2d")
_FEW = 4096  # numbers of a constant


class Program(Calls):
    """The rows of a program of Paddle's, put into a ``Building``."""

    def __init__(self, building: Building, program: Any, layer: Any) -> None:
        super().__init__(building)
        self.program = program
        own = {**layer.state_dict(), **dict(layer.named_buffers())}
        self.given = {tensor.name: (name, tensor) for name, tensor in own.items()}
        self.used = {tensor.name: tensor for tensor in program.parameters[0]}
        self.values: dict[int, Any] = {}  # by a value's id
        self._laid: dict[str, tuple[int, ...]] = {}  # biases that were laid beside a map: name -> [1, C, 1, 1]
        self.op: Any = None
        self.attrs: dict[str, Any] = {}

    def run(self) -> None:
        """All operators in order. ValueError naming the operator and its place for one that has no rows."""
        images = 0
        for op in self.program.main_program.global_block().ops:
            self.op, name = op, op.name().rpartition(".")[2]
            self.attrs = op.attrs()
            results = op.results()
            if name == "parameter":
                found: Any = self._parameter(str(self.attrs["parameter_name"]))
            elif name == "data":
                found, images = At(IMAGES), images + 1
            elif name == "combine":
                found = [self.value(one) for one in op.operands_source()]
            elif name in ("split", "builtin.split", "split_with_num"):
                found = self._split(name)
            else:
                found = self._call(name, [self.value(one) for one in op.operands_source()])
            for place, result in enumerate(results):
                several = isinstance(found, list) and len(results) > 1
                self.values[result.id] = found[place] if several and place < len(found) else found
        outputs = self.program.outputs
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        if images != 1 or len(outputs) != 1:
            given = f"a layer of {images} inputs and {len(outputs)} outputs"
            raise ValueError(message("from_paddle", given, "one of each"))
        last = self.value(outputs[0])
        if not isinstance(last, At) or last == IMAGES:
            raise ValueError(message("from_paddle", "a layer that computes nothing of its input", "a network"))
        self.b.end(int(last))

    def _parameter(self, name: str) -> Any:
        """The layer's own by its name; a tensor that the layer merely uses as its numbers."""
        if name in self.given:
            return name
        array = np.asarray(self.used[name].numpy())
        return array if array.size <= _FEW else Held(self.b.name("constant", array.astype(np.float32)))

    def value(self, source: Any) -> Any:
        """What an operator takes: a row, an array, a parameter's name, or None."""
        try:
            return self.values.get(source.id)
        except Exception:  # Paddle's null value has no id
            return None

    def place(self) -> str:
        """Where in the user's layer the present operator is: its layer and its line."""
        line = source_line([str(one) for one in self.attrs.get("op_callstack") or []], "paddle")
        path = str(self.attrs.get("struct_name", "")).strip("/").rpartition("/")[2]
        return one_line(f"{path or self.op.name()}{line}", 120)

    def held(self, value: Any) -> tuple[str, NDArray[np.float32]]:
        """The name and the numbers of one of the layer's tensors."""
        name, tensor = self.given[value]
        return name, np.asarray(tensor.numpy(), np.float32)

    # ---- a call ------------------------------------------------------------------------------------------------------

    def _call(self, name: str, ins: list[Any]) -> Any:
        plain = name[:-1] if name.endswith("_") else name
        if plain in _NOTHING or name in _NOTHING:
            return ins[0]
        if plain in _UNARY:
            return self.row(_UNARY[plain], ins[0])
        if plain in _BINARY:
            return self._binary(plain, ins)
        write = getattr(self, f"_op_{plain}", None)
        if write is None:
            self.refuse(self.op.name())
        return write(ins)

    def _binary(self, op: str, ins: list[Any]) -> Any:
        a, b = ins
        if all(isinstance(one, np.ndarray) for one in ins):
            return {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}[op](a, b)
        if op == "add" and isinstance(a, At) and isinstance(b, (Held, str)) and self._joined(a, b):
            return a
        return self.row(op, a, b)

    def _joined(self, row: At, bias: str) -> bool:
        """Whether a bias that Paddle adds behind a convolution or a product became that row's own."""
        op = self.b.op(row)
        if op not in ("conv2d", "linear") or row != len(self.b) - 1 or not self._once(0):
            return False
        features = self.shape(row)[1 if op == "conv2d" else -1]
        if isinstance(bias, Held):
            name = str(bias)
            lying = self._laid.get(name) == (1, features, 1, 1) if op == "conv2d" else False
        else:
            name, array = self.held(bias)
            lying = op == "linear" and array.shape == (features,)
            name = self.b.name(name, array) if lying else name
        return lying and self.b.give(int(row), 2, name, (features,), op)

    def _once(self, place: int) -> bool:
        """Whether nobody else takes what the present operator takes there."""
        return bool(self.op.operands_source()[place].has_one_use())

    def _op_full(self, ins: list[Any]) -> Any:
        value = self.attrs["value"]
        whole = "INT" in str(self.attrs["dtype"])
        return np.full(self.attrs["shape"], value, np.int64 if whole else np.float32)

    def _op_full_int_array(self, ins: list[Any]) -> Any:
        return np.array(self.attrs["value"], np.int64)

    def _op_assign_value(self, ins: list[Any]) -> Any:
        whole = "INT" in str(self.attrs["dtype"])
        kind = np.int64 if whole else np.float32
        return np.array(self.attrs["values"], kind).reshape(self.attrs["shape"])

    def whole(self, value: Any) -> list[int]:
        """Known whole numbers as a list; of the images' number -1."""
        parts = value if isinstance(value, list) else [value]
        if any(isinstance(part, At) or not isinstance(part, np.ndarray) for part in parts):
            self.refuse(f"{self.op.name()} by what is computed of the images,")
        return [int(one) for part in parts for one in np.asarray(part).reshape(-1)]

    def _op_shape(self, ins: list[Any]) -> Any:
        return np.array([size or -1 for size in self.shape(ins[0])], np.int64)

    _op_shape64 = _op_shape

    def _split(self, name: str) -> Any:
        """What ``builtin.split`` hands out, and Paddle's own split."""
        ins = [self.value(one) for one in self.op.operands_source()]
        if isinstance(ins[0], list):
            return ins[0]
        axis = self.axis(int(np.asarray(ins[-1]).reshape(())), ins[0])
        size = self.shape(ins[0])[axis]
        sizes = self.whole(ins[1]) if name == "split" else [size // int(self.attrs["num"])] * int(self.attrs["num"])
        sizes = [size - sum(n for n in sizes if n > 0) if n < 0 else n for n in sizes]
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        keys = [[*[slice(None)] * axis, slice(at, at + n, None)] for at, n in zip(starts, sizes, strict=True)]
        return [self.row("getitem", ins[0], key=key) for key in keys]
