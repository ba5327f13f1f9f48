"""An ONNX graph read node by node: what nodes say, what a row takes of it, and what is refused.

What is known without an image (weights, shapes, axes) is an array and is computed at once; all else is a row's number. Read by
``onnx_layers`` and ``onnx_operators``, which know the operators.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from lenet.export.graph import Building
from lenet.messages.check import brief, message, one_line

__all__ = ["Nodes", "array_of"]

_FEW = 4096  # numbers of a constant that is no weight
_MOST = 1 << 24  # numbers that are computed before there is an image


class Nodes:
    """The rows of an ONNX graph, put into a ``Building``.

    batch: the file's fixed number of images, 0 where it is open. own: the file is lenet's, whose constants are no weights.
    """

    simple: tuple[str, ...] = ()  # operators of one row, which ``elementwise`` makes

    def __init__(
        self, building: Building, opset: int, batch: int, constants: dict[str, NDArray[Any]], own: bool
    ) -> None:
        self.b, self.opset, self.batch, self.own = building, opset, batch, own
        self.values: dict[str, Any] = dict(constants)  # arrays, and numbers of rows
        self.names = {id(array): name for name, array in constants.items()}
        self.node: Any = None
        self.attrs: dict[str, Any] = {}
        self.uses: Counter[str] = Counter()

    def run(self, nodes: Sequence[Any], output: str) -> None:
        """All nodes in order. ValueError naming the node for an operator that has no rows here."""
        self.uses = Counter([name for node in nodes for name in node.input] + [output])
        for number, node in enumerate(nodes):
            self.node, self.number = node, number
            if node.domain not in ("", "ai.onnx"):
                self.refuse(f"{node.op_type} of {brief(node.domain)}")
            write = getattr(self, f"_op_{node.op_type}", None) if node.op_type.isidentifier() else None
            if write is None and node.op_type not in self.simple:
                self.refuse(brief(node.op_type))
            self.attrs = {one.name: self._attribute(one) for one in node.attribute}
            inputs = [self._input(name) for name in node.input]
            try:
                results = write(*inputs) if write is not None else self.elementwise(inputs)
            except (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError) as error:
                if isinstance(error, ValueError) and str(error).startswith(self.b.what):
                    raise  # it says where it is
                given = f"{node.op_type} with other inputs or attributes"
                raise self.trouble(given, "what ONNX says it takes") from None
            if not isinstance(results, list):
                results = [results]
            for name, result in zip(node.output, results, strict=False):
                self.values[name] = result
        last = self.values.get(output)
        if not isinstance(last, int) or last < 0 or not self.b.batched(last):
            raise ValueError(message(self.b.what, f"an output {brief(output)} that no node makes of images", "one"))
        self.b.end(last)

    # ---- what nodes say ----------------------------------------------------------------------------------------------

    def place(self) -> str:
        """Where the present node is."""
        name = f" {one_line(self.node.name, 60)}" if self.node.name else ""
        return f"node {self.number}{name}, {one_line(self.node.op_type, 40)}"

    def trouble(self, given: str, expected: str) -> ValueError:
        """The error for the present node."""
        return ValueError(message(f"{self.b.what}, {self.place()}", given, expected))

    def refuse(self, given: str) -> NoReturn:
        """ValueError for what no network here has."""
        raise self.trouble(f"the operator {given}", "one that a network here has")

    def _attribute(self, one: Any) -> Any:
        from onnx import AttributeProto, helper

        if one.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS, AttributeProto.SPARSE_TENSOR):
            self.refuse(f"{self.node.op_type} with a graph in it")
        if one.type == AttributeProto.TENSOR:
            return array_of(self.b.what, self.place(), one.t)
        try:
            value = helper.get_attribute_value(one)
        except (TypeError, ValueError):
            raise self.trouble(f"a damaged attribute {brief(one.name)}", "numbers or text") from None
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def _input(self, name: str) -> Any:
        if not name:
            return None
        if name not in self.values:
            raise self.trouble(f"{brief(name)}, which no node before it makes", "results of earlier nodes")
        return self.values[name]

    # ---- rows --------------------------------------------------------------------------------------------------------

    def row(self, op: str, *inputs: Any, **attrs: Any) -> int:
        """A row of these."""
        return self.b.row(op, self.place(), *(self.operand(one) for one in inputs), **attrs)

    def operand(self, value: Any) -> Any:
        """What a row takes. Few numbers without a name of their own are constants, all others weights."""
        if value is None or isinstance(value, (int, str)):
            return value
        if value.dtype != np.float32:
            raise self.trouble(f"numbers of {value.dtype}", "float32")
        name = self.names.get(id(value), "")
        if value.size <= _FEW and (not name or value.ndim == 0 or (self.own and name.startswith("constant_"))):
            return value
        return self.b.name(name or "constant", value)

    def weight(self, value: Any, turned: bool = False) -> str:
        """A weight's name; turned: its numbers are [O, I] in the file."""
        if not isinstance(value, np.ndarray) or value.dtype != np.float32:
            raise self.trouble("a weight that isn't float32 in the file", "one")
        return self.b.name(self.names.get(id(value), "weight"), value.T if turned else value)

    def shape(self, value: Any) -> tuple[int, ...]:
        """With 0 for N."""
        return self.b.shape(value) if isinstance(value, int) else np.shape(value)

    def whole(self, value: Any) -> list[int]:
        """Known whole numbers as a list."""
        if value is None or isinstance(value, int) or value.dtype.kind not in "iu":
            raise self.trouble("sizes or axes that are computed of the images", "known whole numbers")
        return [int(one) for one in value.reshape(-1)]

    def setting(self, name: str, inputs: Sequence[Any], place: int, since: int) -> list[int] | None:
        """What was an attribute before opset ``since`` and is an input from then on; None where it is left out."""
        if self.opset < since:
            found = self.attrs.get(name)
            return None if found is None else [int(one) for one in found]
        return self.whole(inputs[place]) if len(inputs) > place and inputs[place] is not None else None

    def axis(self, axis: int, value: Any) -> int:
        """From 0; ValueError beyond the value's axes."""
        rank = len(self.shape(value))
        if not -rank <= axis < rank:
            raise self.trouble(f"axis {axis} of {rank}", "one of them")
        return axis % rank

    def elementwise(self, inputs: list[Any]) -> Any:
        """The result of one of ``simple``."""
        raise NotImplementedError

    def _few(self, numbers: int) -> None:
        """ValueError for too many numbers, before they are made."""
        if numbers > _MOST:
            raise self.trouble(f"{numbers} numbers", f"at most {_MOST}")

    def _held(self, value: Any) -> NDArray[Any]:
        """A computed array, if it isn't too large; it is kept, as its name goes by its identity."""
        array = np.asarray(value)
        self._few(array.size)
        self.values[f"\0held {len(self.values)}"] = array
        return array


def array_of(what: str, name: str, tensor: Any) -> NDArray[Any]:
    """A tensor of the file as an array; ValueError for one that lies elsewhere, is damaged, or holds no numbers."""
    from onnx import TensorProto, numpy_helper

    where = f"{what}, {brief(name)}"
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        fix = "Write one file: onnx.save(model, path) without save_as_external_data"
        raise ValueError(message(where, "numbers in another file", "numbers in this one", fix))
    if tensor.data_type in (TensorProto.STRING, TensorProto.UNDEFINED) or min(tensor.dims, default=1) < 0:
        raise ValueError(message(where, "a tensor of text or of no known kind", "numbers"))
    try:
        array = numpy_helper.to_array(tensor)
    except Exception as error:  # of a damaged file: whatever onnx makes of it
        raise ValueError(message(where, f"a damaged tensor ({one_line(str(error), 80)})", "its numbers")) from None
    if array.dtype.kind not in "iufb":
        raise ValueError(message(where, f"numbers of {array.dtype}", "float32 or whole numbers"))
    return array
