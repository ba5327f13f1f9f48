"""``Tensor`` beside real Paddle's: the same expressions in both libraries give the same shapes, dtypes, numbers and text.

Then what only we promise: the two forms of storage, messages, and where we are kinder than Paddle.
"""

from __future__ import annotations

import copy
import gc
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import _core
from lenet.autograd.tensor import Parameter, Size, Tensor, dense, in_lanes, to_tensor
from lenet.nn.param import create_parameter

A = np.arange(12, dtype=np.float32).reshape(3, 4) - 5


def variables(module: Any) -> dict[str, Any]:
    """What the expressions below may name."""
    return {
        "P": module,
        "np": np,
        "A": A,
        "x": module.to_tensor(A),
        "d": module.to_tensor(A.astype(np.float64)),
        "i": module.to_tensor(np.arange(6).reshape(2, 3)),
        "b": module.to_tensor([True, False, True]),
        "s": module.to_tensor(2.5),
    }


def seen(result: Any) -> Any:
    """A result as plain Python: tensors become shape, dtype, stop_gradient and numbers."""
    if isinstance(result, (tuple, list)) and type(result).__name__ != "Size":
        return [seen(r) for r in result]
    if hasattr(result, "stop_gradient"):
        values = result.numpy()
        return (
            list(result.shape),
            str(result.dtype),
            result.stop_gradient,
            str(values.dtype),
            values.shape,
            values.tolist(),
        )
    if isinstance(result, np.ndarray):
        return str(result.dtype), result.shape, result.tolist()
    return type(result).__name__, result


MAKING = """
P.to_tensor(1) | P.to_tensor(1.5) | P.to_tensor(True) | P.to_tensor([1, 2]) | P.to_tensor([1.0, 2]) | P.to_tensor((1, 2.5))
P.to_tensor([[1, 2], [3, 4]], dtype='float32') | P.to_tensor([1, 2], dtype='int32', stop_gradient=False)
P.to_tensor(np.float64(3)) | P.to_tensor(np.int32(1)) | P.to_tensor(np.bool_(True)) | P.to_tensor([np.float64(1.5), 2.0])
P.to_tensor(np.arange(3)) | P.to_tensor(np.arange(3, dtype=np.uint8)) | P.to_tensor(np.arange(3, dtype=np.int32))
P.to_tensor(A.astype(np.float64)) | P.to_tensor([np.array([1.5])]) | P.to_tensor([np.arange(3), np.arange(3)])
P.to_tensor([]) | P.to_tensor(np.zeros((0, 3))) | P.to_tensor(A[:, ::2]) | P.to_tensor(A.T) | P.to_tensor([x[0], x[1]])
P.to_tensor([d[0]]) | P.to_tensor([True, 2])
P.zeros([2, 3]) | P.zeros([2], dtype='int64') | P.ones([2]) | P.full([2], 3) | P.full([2], 3.5) | P.zeros_like(x) | P.ones_like(i)
P.arange(5) | P.arange(1, 3, 0.5) | P.arange(2, 10, 2) | P.arange(3.)
"""

READING = """
x.shape | str(x.shape) | x.shape == [3, 4] | x.shape == (3, 4) | x.shape + [1] | [1] + x.shape | x.shape + (1,) | x.shape[0]
str(x.dtype) | repr(x.dtype) | str(i.dtype) | str(b.dtype) | x.dtype == P.float32 | x.dtype != P.int64 | x.ndim | x.dim()
str(x.place) | repr(P.CPUPlace()) | x.is_leaf | x.stop_gradient | x.grad | len(x) | x.numel() | P.is_tensor(x) | P.is_tensor(1)
x.numpy() | s.numpy() | s.item() | x.item(3) | x.item(1, 2) | i.item(4) | x.tolist() | s.tolist() | b.tolist()
float(s) | int(s) | bool(s) | int(P.to_tensor(3)) | bool(P.to_tensor([0])) | [v for v in P.to_tensor([1, 2])]
'{:.2f}'.format(s) | '{}'.format(s) | '{}'.format(P.to_tensor(3)) | '{}'.format(s.numpy()) | '{:.3f}'.format(x.sum().item())
x.T | x.detach() | x.clone() | x.cpu() | P.get_default_dtype() | str(P.set_device('cpu')) | P.get_device()
P.is_compiled_with_cuda()
"""

COMPUTING = """
x + 1 | x + 1.5 | 1 + x | x - 2 | 2 - x | x * 2 | x / 2 | 2 / (x + 0.5) | x // 2 | x ** 2 | 2 ** s | 0 - x | abs(x) | x @ x.T
x + x | x + A | x * A | x + x[0] | x + s | i + 1 | i + 1.5 | i * 2 | i / 2 | i // 2 | i ** 2 | i + True | i + s | s + 1 | x + d
-(x + 0.5) | x == 1 | x == x | x != 1 | x < 0 | x <= 0 | x > 0 | x >= 0 | ~b | x.equal(x) | x == None | x != None
x.sum() | x.sum(0) | x.sum(axis=1, keepdim=True) | x.sum([0, 1]) | i.sum() | b.sum() | x.mean() | x.mean(1)
x.max() | x.max(0) | x.min(axis=1) | x.argmax() | x.argmax(1) | x.argmax(axis=1, keepdim=True) | x.argmin(0) | x.argsort()
x.argsort(descending=True) | P.topk(x, 2) | x.topk(1) | x.abs().sqrt() | x.clip(-1, 2) | P.mean(x) | P.max(x) | (x > 0).all()
x.any() | P.matmul(x, x, transpose_y=True) | P.matmul(x, x, transpose_x=True) | P.add(x, x) | P.multiply(x, x)
P.divide(x, x + 0.5) | P.subtract(x, x) | P.pow(x, 2) | P.equal(x, x) | P.to_tensor([2, 2, 1]).argmax()
x.astype('int64') | x.astype(P.float64) | x.cast('float64') | x.astype('bool') | i.astype('float32') | x.astype(P.int32)
x.reshape([4, 3]) | x.reshape([-1]) | x.reshape((2, -1)) | x.reshape([0, -1]) | x.reshape(4, 3) | x.reshape(-1, 1)
P.reshape(x, [2, 6]) | x.reshape(shape=[12]) | x.flatten() | x.flatten(1) | P.flatten(x) | P.flatten(s) | P.flatten(x, 1)
x.transpose([1, 0]) | P.transpose(x, [1, 0]) | x.unsqueeze(0) | x.unsqueeze(-1) | x.unsqueeze([0, 1]) | x.unsqueeze(0).squeeze(0)
P.squeeze(x.unsqueeze(0)) | P.concat([x, x], axis=0) | P.concat([x, x[:, :2]], axis=-1) | P.stack([x, x])
P.stack([x, x], axis=-1)
x[0] | x[0, 1] | x[-1] | x[1:] | x[:, 1] | x[..., 0] | x[::2] | x[x > 0] | x[[0, 2]] | x[np.array([0, 2])] | x[None] | b[b]
x[P.to_tensor([0, 2])] | x[P.to_tensor(1)] | x[1:, ::2]
"""

PRINTING = """
x | i | b | s | d | P.to_tensor(3) | P.to_tensor(True) | P.to_tensor([]) | P.to_tensor(np.zeros((2, 0))) | P.to_tensor(-0.0)
P.to_tensor([1.5, 2]) | P.to_tensor([1e-5, 2.]) | P.to_tensor([1e10, 2.]) | P.to_tensor([-1.5, 2.]) | P.to_tensor([1e20, 1.5])
P.to_tensor([float('nan'), 1.]) | P.to_tensor([float('-inf'), float('nan'), 1.5]) | P.to_tensor(float('nan'))
P.to_tensor([[1, -2], [30, 4]]) | P.to_tensor([[True], [False]]) | P.to_tensor([0.123456789]) | P.to_tensor(1e-12)
P.to_tensor(np.arange(2000.)) | P.to_tensor(np.arange(2000).reshape(20, 100)) | P.to_tensor(np.arange(24.).reshape(2, 3, 4))
P.to_tensor(np.arange(40.) / 3) | P.to_tensor(np.arange(30) * 1000) | P.to_tensor(np.arange(1200.).reshape(2, 600) + 0.25)
P.to_tensor(np.arange(1200.).reshape(2, 2, 300)) | P.to_tensor(np.arange(8.).reshape(2, 2, 1, 2)) | x[0] == 1
P.to_tensor(np.zeros(1001), stop_gradient=False) | P.to_tensor([1., 2.], stop_gradient=False) | P.to_tensor([[0.1, 100.25]])
"""


def expressions(text: str) -> list[str]:
    return [e.strip() for line in text.split("\n") if line for e in line.split(" | ")]


@pytest.mark.parametrize("expression", expressions(MAKING + READING + COMPUTING))
def test_an_expression_gives_what_paddle_gives(paddle: ModuleType, expression: str) -> None:
    ours = seen(eval(expression, variables(lenet)))
    theirs = seen(eval(expression, variables(paddle)))
    assert ours == theirs


@pytest.mark.parametrize("expression", ["x.exp()", "(x + 6).log()", "P.exp(x)", "P.sqrt(x + 6)", "P.log(d + 6)"])
def test_an_expression_gives_what_paddle_gives_within_rounding(paddle: ModuleType, expression: str) -> None:
    ours, theirs = eval(expression, variables(lenet)), eval(expression, variables(paddle))
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=3e-7, atol=0)  # two units in the last place


@pytest.mark.parametrize("expression", expressions(PRINTING))
def test_a_tensor_prints_as_paddles_does(paddle: ModuleType, expression: str) -> None:
    ours, theirs = eval(expression, variables(lenet)), eval(expression, variables(paddle))
    assert str(ours) == str(theirs)
    assert repr(ours) == repr(theirs)


OPTIONS: list[dict[str, Any]] = [
    {"precision": 3},
    {"sci_mode": True},
    {"threshold": 5, "edgeitems": 1},
    {"precision": 2, "linewidth": 40},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_print_options(paddle: ModuleType, options: dict[str, Any]) -> None:
    texts = []
    for module in (lenet, paddle):
        module.set_printoptions(**options)
        try:
            texts.append(str(module.to_tensor(np.arange(20.0).reshape(4, 5) / 3)))
        finally:
            module.set_printoptions(precision=8, threshold=1000, edgeitems=3, sci_mode=False, linewidth=80)
    assert texts[0] == texts[1]


def test_a_parameter_prints_as_paddles_does(paddle: ModuleType) -> None:
    texts = []
    for module in (lenet, paddle):
        module.seed(0)
        texts.append(str(module.nn.Linear(2, 3).weight))
    assert texts[0] == texts[1]
    assert texts[0].startswith(
        "Parameter containing:\nTensor(shape=[2, 3], dtype=float32, place=Place(cpu), stop_gradient=False,"
    )


# ---- gradients ---------------------------------------------------------------------------------------------------------

GRADIENTS = {
    "a sum": "(x * x).sum().backward()",
    "no scalar: a seed of ones": "(x * 2).backward()",
    "a seed": "(x * 2).backward(P.to_tensor(A))",
    "twice: they add up": "(x * 2).sum().backward(); (x * 3).sum().backward()",
    "used twice": "(x * 2 + x * x).sum().backward()",
    "both sides": "(x + x).sum().backward()",
    "a leaf itself": "x.backward()",
    "retained": "y = (x * x).sum(); y.backward(retain_graph=True); y.backward()",
    "detached": "(x * x.detach()).sum().backward()",
    "cloned": "(x.clone() * 3).sum().backward()",
    "without gradient": "with P.no_grad(): y = (x * x).sum()\ny.backward()",
    "cleared": "(x * x).sum().backward(); x.clear_gradient()",
    "cleared to None": "(x * x).sum().backward(); x.clear_gradient(False)",
    "set to None": "(x * x).sum().backward(); x.grad = None",
    "through numpy-like indexing": "x[1:, [0, 0, 2]].sum().backward()",
    "maximum, no ties": "x.max(0).sum().backward()",
    "0-D": "z = P.to_tensor(2.0, stop_gradient=False); (x * z).sum().backward(); x = z",
    "broadcast": "z = P.to_tensor([1.0, 2, 3, 4], stop_gradient=False); (x * z).sum().backward(); x = z",
    "no graph at all": "y = P.to_tensor([1.0]); y.backward()",
}


@pytest.mark.parametrize("code", GRADIENTS.values(), ids=GRADIENTS.keys())
def test_backward_leaves_the_gradients_that_paddle_leaves(paddle: ModuleType, code: str) -> None:
    results = []
    for module in (lenet, paddle):
        names = variables(module)
        names["x"] = module.to_tensor(A, stop_gradient=False)
        exec(code, names)
        results.append(seen(names["x"].grad))
    assert results[0] == results[1]


def test_backward_twice_needs_retain_graph() -> None:
    x = to_tensor(A, stop_gradient=False)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"used up.*retain_graph=True"):
        y.backward()


def test_a_seed_of_another_shape_or_kind_is_refused() -> None:
    y = to_tensor(A, stop_gradient=False) * 2
    with pytest.raises(ValueError, match=r"shape \[2\], expected the tensor's own shape \[3, 4\]"):
        y.backward(to_tensor([1.0, 2]))
    with pytest.raises(TypeError, match="a Tensor or None"):
        y.backward(A)


def test_gradients_share_no_memory_with_anything() -> None:
    """Both sides of an add get the same numbers, and none of them is the other's, or the caller's seed."""
    a, b = create_parameter([4]), create_parameter([4])
    seed = to_tensor(np.ones(4, np.float32))
    for _ in range(2):
        (a + b).backward(seed)
    assert a.grad.numpy().tolist() == b.grad.numpy().tolist() == [2, 2, 2, 2]
    a.clear_gradient()
    assert b.grad.numpy().tolist() == [2, 2, 2, 2]
    t, u = to_tensor(A[0], stop_gradient=False), to_tensor(A[1], stop_gradient=False)
    (t + u).backward(seed)
    t.clear_gradient()
    assert u.grad.numpy().tolist() == seed.numpy().tolist() == [1, 1, 1, 1]


def test_no_grad_as_block_and_decorator_and_enable_grad() -> None:
    x = to_tensor(A, stop_gradient=False)

    @lenet.no_grad()
    def quietly() -> Tensor:
        return x * 2

    @lenet.no_grad
    def quietly_too() -> Tensor:
        return x * 2

    assert quietly().stop_gradient
    assert quietly_too().stop_gradient
    with lenet.no_grad():
        assert not lenet.is_grad_enabled()
        with lenet.enable_grad():
            assert not (x * 2).stop_gradient
        assert (x * 2).stop_gradient
        lenet.set_grad_enabled(True)
        assert not (x * 2).stop_gradient
    assert lenet.is_grad_enabled()
    with pytest.raises(ZeroDivisionError), lenet.no_grad():
        raise ZeroDivisionError
    assert lenet.is_grad_enabled()


def test_a_long_chain_does_not_exhaust_the_stack() -> None:
    x = to_tensor([1.0], stop_gradient=False)
    y = x
    for _ in range(5000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1


def test_the_graph_goes_away_with_its_last_tensor() -> None:
    buffers = [o for o in gc.get_objects() if issubclass(type(o), Tensor)]  # asking other libraries' objects may warn
    x = to_tensor(A, stop_gradient=False)
    y = (x * 2).exp().sum()
    y.backward()
    del y
    left = [o for o in gc.get_objects() if issubclass(type(o), Tensor) and not any(o is b for b in buffers)]
    assert {id(t) for t in left} == {id(x), id(x.grad)}


# ---- writing -----------------------------------------------------------------------------------------------------------

WRITES = {
    "an element": "x[1, 2] = 7",
    "a row": "x[1] = P.to_tensor([1., 2, 3, 4])",
    "a mask": "x[x > 0] = 0.5",
    "a slice": "x[:, 1:3] = A[:, :2]",
    "set_value, ndarray": "x.set_value(A * 2)",
    "set_value, tensor": "x.set_value(x + 1)",
    "integers": "i[0] = 9; x = i",
    "without gradient": "x.stop_gradient = False\nwith P.no_grad(): x[0] = 0",
}


@pytest.mark.parametrize("code", WRITES.values(), ids=WRITES.keys())
def test_writing_gives_what_paddle_gives(paddle: ModuleType, code: str) -> None:
    results = []
    for module in (lenet, paddle):
        names = variables(module)
        exec(code, names)
        results.append(seen(names["x"]))
    assert results[0] == results[1]


def test_a_write_drops_the_cached_lanes() -> None:
    x = to_tensor(A)
    assert lenet.nn.functional.relu(x).numpy()[0, 0] == 0  # makes the cache
    x[0, 0] = 5
    assert lenet.nn.functional.relu(x).numpy()[0, 0] == 5
    x.set_value(A)
    assert lenet.nn.functional.relu(x).numpy()[0, 0] == 0


def test_a_leaf_that_wants_a_gradient_is_not_written_in_place() -> None:
    x = to_tensor(A, stop_gradient=False)
    with pytest.raises(ValueError, match=r"a write in place: got a leaf tensor .*no_grad"):
        x[0] = 0
    with pytest.raises(ValueError, match="a write in place"):
        create_parameter([2])[0] = 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(A[:2], r"shape \[2, 4\], expected shape \[3, 4\]"), (A.astype(int), r"dtype int64, expected dtype float32")],
)
def test_set_value_refuses_another_shape_or_dtype(value: np.ndarray, text: str) -> None:
    x = to_tensor(A)
    with pytest.raises(ValueError, match=text):
        x.set_value(value)
    assert x.tolist() == A.tolist()


def test_a_parameter_never_moves() -> None:
    p = create_parameter([3, 4])
    address = p.data_array().ctypes.data
    assert address % 64 == 0
    p.set_value(A)
    with lenet.no_grad():
        p[0] = 1
    p.set_value(to_tensor(A) * 2)
    assert p.data_array().ctypes.data == address
    assert p.tolist() == (A * 2).tolist()


# ---- nothing aliases ---------------------------------------------------------------------------------------------------


def test_to_tensor_and_numpy_copy() -> None:
    source = A.copy()
    x = to_tensor(source)
    source[0] = 99
    assert x.tolist() == A.tolist()
    out = x.numpy()
    out[0] = 99
    assert x.tolist() == A.tolist()


@pytest.mark.parametrize(
    "expression", ["x.reshape([4, 3])", "x.flatten()", "x[1:]", "x.T", "x.detach()", "x.clone()", "x.astype('float32')"]
)
def test_views_copy(expression: str) -> None:
    x = to_tensor(A.copy())
    y = eval(expression, {"x": x})
    before = y.tolist()
    if y is not x:
        x.set_value(A * 0)
        assert y.tolist() == before


def test_asarray_is_a_read_only_view_and_converts_if_asked() -> None:
    x = to_tensor(A)
    view = np.asarray(x)
    assert np.shares_memory(view, x.data_array())
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    assert np.asarray(x, np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(x), x.data_array())


def test_deepcopy_and_pickle_of_numbers() -> None:
    x = to_tensor(A, stop_gradient=False)
    twin = copy.deepcopy(x)
    assert twin is not x
    assert twin.tolist() == A.tolist()
    assert not twin.stop_gradient
    assert pickle.loads(pickle.dumps(x.numpy())).tolist() == A.tolist()


# ---- the two forms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1,), (16,), (17, 3), (3, 2, 2, 5), ()])
def test_lanes_and_dense_hold_the_same_numbers(shape: tuple[int, ...]) -> None:
    values = np.random.RandomState(0).standard_normal(shape).astype(np.float32)
    x = dense(values)
    lanes = x.lanes()
    assert x.lanes() is lanes  # kept
    assert np.array_equal(in_lanes(lanes, shape).data_array(), values)
    double = dense(values.astype(np.float64))
    assert isinstance(double.lanes(), _core.Buffer64)
    assert np.array_equal(in_lanes(double.lanes(), shape, np.dtype(np.float64)).data_array(), values)


def test_a_parameter_keeps_no_lanes() -> None:
    p = create_parameter([3, 4])
    assert p.lanes() is not p.lanes()


def test_an_empty_batch_has_no_lanes() -> None:
    with pytest.raises(ValueError, match=r"a tensor of shape \[0, 4\], expected a batch of at least one sample"):
        lenet.nn.functional.relu(to_tensor(np.zeros((0, 4), np.float32)))


# ---- where we are kinder, and what we say ------------------------------------------------------------------------------


def test_one_element_converts_whatever_its_shape() -> None:
    one = to_tensor([3.25])
    assert (float(one), int(one), bool(one), f"{one:.1f}") == (3.25, 3, True, "3.2")
    assert [10, 20, 30][to_tensor([1])] == 20


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        ("to_tensor('a')", TypeError, r"to_tensor\(\): got str 'a'"),
        ("to_tensor(None)", TypeError, r"got NoneType None, expected a number"),
        ("to_tensor({})", TypeError, r"got dict"),
        ("to_tensor([[1], [2, 3]])", ValueError, r"lists of different lengths"),
        ("to_tensor(['a'])", TypeError, r"expected a number"),
        ("to_tensor(np.array(['a']))", TypeError, r"expected numbers"),
        ("to_tensor(1, dtype='float31')", TypeError, r"dtype: got str 'float31', expected one of 'bool'"),
        ("x.item()", ValueError, r"a tensor of 12 elements"),
        ("float(x)", ValueError, r"float\(\): got a tensor of shape \[3, 4\]"),
        ("bool(x)", ValueError, r"bool\(\): got a tensor of shape \[3, 4\]"),
        ("len(to_tensor(1))", TypeError, r"0-D tensor"),
        ("[0][to_tensor(0.0)]", TypeError, r"an index"),
        ("x[5]", IndexError, r"index 5 of a tensor of shape \[3, 4\]"),
        ("x[0, 9]", IndexError, r"index \(0, 9\)"),
        ("x + to_tensor([1, 2, 3, 4])", TypeError, r"add: got tensors of float32 and int64.*astype\('float32'\)"),
        ("x + to_tensor([1.0, 2])", ValueError, r"add: got shapes \[3, 4\] and \[2\]"),
        ("x + 'a'", TypeError, r"expected a Tensor, an ndarray or a number"),
        ("x < to_tensor([1.0, 2])", ValueError, r"less_than"),
        ("x @ x", ValueError, r"matmul: got shapes \[3, 4\] and \[3, 4\]"),
        ("x.reshape([5, 2])", ValueError, r"shape \[5, 2\] for a tensor of shape \[3, 4\], expected a shape of 12"),
        ("x.reshape([-1, -1])", ValueError, r"at most one -1"),
        ("x.reshape([3, 4, 0])", ValueError, r"a 0 only where"),
        ("x.transpose([0, 0])", ValueError, r"each of 0 to 1 once"),
        ("x.unsqueeze(4)", ValueError, r"from -3 to 2"),
        ("x.squeeze(5)", ValueError, r"axis 5 of a tensor with 2 dimensions"),
        ("x.sum(3)", ValueError, r"axis 3 of a tensor with 2 dimensions"),
        ("x.flatten(3)", ValueError, r"axes \(3, -1\)"),
        ("x.flatten(1, 0)", ValueError, r"start_axis 1 behind stop_axis 0"),
        ("x.topk(9)", ValueError, r"from 1 to the axis' length 4"),
        ("lenet.concat([x, x[:1]], axis=1)", ValueError, r"concat: got shapes"),
        ("lenet.stack([x, x[0]])", ValueError, r"stack: got shapes"),
        ("lenet.zeros([-1])", ValueError, r"sizes of at least 0"),
        ("lenet.randint(3, 3)", ValueError, r"low below high"),
        ("lenet.flatten(np.zeros(3))", TypeError, r"Type lenet.to_tensor\(x\)"),
        ("setattr(x, 'grad', 1)", TypeError, r"grad: got int 1"),
        ("setattr(x, 'grad', to_tensor([1.0]))", ValueError, r"the tensor's own shape \[3, 4\]"),
        ("lenet.set_default_dtype('int32')", TypeError, r"'float32' or 'float64'"),
        ("lenet.set_device('gpu')", ValueError, r"set_device\('cpu'\)"),
        ("lenet.seed('x')", TypeError, r"a whole number such as 0"),
        ("lenet.seed(-1)", TypeError, r"at least 0"),
    ],
)
def test_a_mistake_is_named(code: str, error: type[Exception], text: str) -> None:
    names = {"to_tensor": to_tensor, "x": to_tensor(A), "np": np, "lenet": lenet}
    with pytest.raises(error, match=text):
        eval(code, names)


def test_a_real_paddle_tensor_is_a_named_mistake(paddle: ModuleType) -> None:
    theirs = paddle.to_tensor(A)
    assert np.array_equal(to_tensor(theirs).numpy(), A)
    with pytest.raises(TypeError, match=r"a tensor of another library.*Type lenet.to_tensor\(x\)"):
        lenet.nn.functional.relu(theirs)
    with pytest.raises(TypeError, match="expected a Tensor, an ndarray or a number"):
        to_tensor(A) + theirs


def test_default_dtype(paddle: ModuleType) -> None:
    results = []
    for module in (lenet, paddle):
        module.set_default_dtype("float64")
        try:
            results.append((module.get_default_dtype(), seen(module.to_tensor(1.5)), seen(module.ones([2]))))
        finally:
            module.set_default_dtype("float32")
    assert results[0] == results[1]


def test_dtypes_compare_with_names_and_numpy() -> None:
    assert lenet.float32 == "float32"
    assert lenet.int64 == np.dtype("int64")
    assert lenet.float32 != "float64"
    assert {lenet.float32: 1}[to_tensor(1.0).dtype] == 1


def test_size_is_a_list() -> None:
    shape = to_tensor(A).shape
    assert isinstance(shape, (Size, list))
    assert repr(shape) == "paddle.Size([3, 4])"
    assert shape.numel() == 12
    assert np.zeros(shape).shape == (3, 4)


def test_names_are_unique_and_may_be_set() -> None:
    x, y = to_tensor(1), to_tensor(1)
    assert x.name != y.name
    x.name = "mine"
    assert x.name == "mine"


def test_a_parameter_can_be_frozen() -> None:
    p = create_parameter([2])
    assert isinstance(p, Parameter)
    assert (p.trainable, p.stop_gradient, p.persistable) == (True, False, True)
    p.trainable = False
    assert p.stop_gradient
    (p * 2).sum().backward()
    assert p.grad is None
