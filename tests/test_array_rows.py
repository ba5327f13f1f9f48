"""The plain tensor functions beside real Paddle, live: values, gradients, dtypes and shapes, one line a call; and their refusals.

Gradients in double precision against finite differences are in test_gradients.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import calls
import numpy as np
import pytest

import lenet

# One line a call, run in both libraries: ``p`` is the library. The letters are tensors, made in ``calls``.
CALLS = """
p.exp(x)                     p.expm1(x)                   p.log(u)                     p.log2(u)
p.log10(u)                   p.log1p(u)                   p.sqrt(u)                    p.rsqrt(u)
p.reciprocal(u)              p.sin(x)                     p.cos(x)                     p.tan(x)
p.asin(h)                    p.acos(h)                    p.atan(x)                    p.sinh(x)
p.cosh(x)                    p.asinh(x)                   p.acosh(u + 1)               p.atanh(h)
p.erf(x)                     p.neg(x)                     p.abs(x)                     p.square(x)
p.sign(r)                    p.ceil(x)                    p.floor(x)                   p.trunc(x)
p.round(r / 2)               p.round(x, 2)                p.tanh(x)                    p.clip(x, -0.5, 0.7)
p.clip(x, min=0.1)           p.clip(x, max=p.to_tensor(0.2))
p.clip(x, min=p.to_tensor([0.1]), max=2.0)                p.scale(x, 2.0, 1.0)         p.scale(x, 2.0, 1.0, False)
p.clone(x)                   p.assign(x)                  p.cumsum(x)                  p.cumsum(x, 1)
p.cumsum(x, axis=-2)         p.cumsum(i, 0)               p.add(x, v)                  p.subtract(x, v)
p.multiply(x, v)             p.divide(x, u)               p.pow(u, 1.5)                p.mod(x, u)
p.remainder(x, u)            p.floor_mod(i, j)            p.maximum(r, s)              p.minimum(r, s)
p.maximum(x, v)              p.atan2(x, u)                p.add_n([x, u, x])           p.add_n(x)
x % 0.7                      x // 0.7                     p.square(i)                  p.abs(i)
p.sign(i)                    p.maximum(i, j)              p.logical_and(b, c)          p.logical_or(b, c)
p.logical_xor(b, c)          p.logical_not(b)             p.logical_and(i, j)          b & c
b | c                        ~b                           p.isnan(n)                   p.isinf(n)
p.isfinite(n)                p.equal_all(x, x)            p.allclose(x, x + 1e-9)      p.isclose(x, x + 1e-3)
p.equal_all(x, u)            p.equal_all(x, v)            p.sum(x, [0, -1])            p.mean(x, 1, True)
p.max(x, axis=1)             p.min(x, [0, 1])             p.amax(x, 0)                 p.amin(x)
p.prod(x)                    p.prod(x, 1)                 p.prod(x, [0, 2], keepdim=True)
p.sum(b)                     p.prod(i, 0)                 p.all(b)                     p.all(b, 1)
p.any(b, [0, 1], True)       p.any(c, -1)                 p.std(x)                     p.std(x, 1)
p.var(x, [0, 2], unbiased=False, keepdim=True)            p.var(x, 1)                  p.logsumexp(x)
p.logsumexp(x * 300, 1, True)                             p.median(x)                  p.median(x, 1)
p.median(x, -1, True)        p.median(x[:, :2], 1)        p.median(x, 2, mode='min')   p.norm(x)
p.norm(x, axis=1, keepdim=True)                           p.norm(x, p=1, axis=0)       p.norm(x, p=3)
p.norm(x, p=np.inf, axis=1)  p.norm(x, p=-np.inf, axis=1)                              p.norm(x, p=0, axis=1)
p.norm(x, 'fro', [1, 2])     p.norm(x, p=2, axis=[0, 1])  x.norm()                     p.norm(x, 2.5, 2)
p.matmul(x, y)               p.mm(m, w)                   p.bmm(x, y)                  p.mv(m, k)
p.dot(k, k)                  p.dot(m, m)                  p.t(m)                       p.t(k)
m.t()                        m.T                          p.outer(k, k)                p.dot(i, j)
p.reshape(x, [-1, 2])        p.reshape(x, p.to_tensor([0, -1]))                        p.flatten(x, 1)
p.transpose(x, [2, 0, 1])    p.moveaxis(x, 0, 2)          p.moveaxis(x, [0, 1], [1, 2])
p.unsqueeze(x, [0, 2])       p.squeeze(p.unsqueeze(x, 1))
p.squeeze(p.unsqueeze(x, 1), p.to_tensor(1))              p.concat([x, x * 2], 1)
p.concat([x, x], p.to_tensor(2))                          p.stack([x, u], 1)           p.split(x, 3, 2)
p.split(x, [1, -1], 1)       p.split(x, [1, 2], axis=-1)  p.chunk(x, 2, 1)             p.unbind(x, 1)
p.unstack(x, 2)              p.slice(x, [0, 2], [0, -2], [1, 9])                       p.expand(v, [2, 4, 3])
p.expand(v, [5, -1, -1, 3])  p.broadcast_to(k, [2, 3])    p.expand_as(v, x)            p.tile(x, [2, 1])
p.tile(x, [2, 1, 1, 3])      p.tile(k, 2)                 p.flip(x, [0, 2])            p.flip(x, -1)
p.roll(x, 1)                 p.roll(x, [1, -1], [0, 2])   p.roll(x, 2, 1)              p.tril(x)
p.triu(x, 1)                 p.tril(m, -1)                p.diag(k)                    p.diag(k, 1)
p.diag(k, -1, 3)             p.diag(m)                    p.diag(m, -1)                p.meshgrid(k, v[0, 0])
p.meshgrid([k, k, k])        p.shape(x)                   p.numel(x)                   p.rank(x)
x.numel()                    x[:, 1]                      x[..., -1:]                  x[p.to_tensor([1, 0, 1])]
x[b]                         x[:, p.to_tensor(1)]         x[0, p.to_tensor(1):3]
p.gather(x, p.to_tensor([1, 0, 1]))                       p.gather(x, p.to_tensor([2, 0]), axis=1)
p.gather(x, p.to_tensor(1), 2)                            p.index_select(x, p.to_tensor([2, 2]), 1)
p.gather_nd(x, p.to_tensor([[1, 2], [0, 0]]))             p.masked_select(x, b)        p.masked_select(x, b[:1])
p.where(b, x, u)             p.where(b[0], x, 2.0)        p.where(b)                   p.nonzero(b)
p.nonzero(i)                 p.nonzero(b, as_tuple=True)  p.take_along_axis(m, p.to_tensor([[0, 2], [1, 1]]), 1)
p.index_sample(m, p.to_tensor([[0, 2], [1, 1]]))          p.sort(x)                    p.sort(x, 1, descending=True)
p.argsort(x, 1)              p.topk(x, 2)                 p.topk(x, 1, axis=1, largest=False)
p.argmax(x, p.to_tensor(1))  p.argmax(x)                  p.argmin(x, 0, True)         p.unique(i)
p.unique(i, return_index=True, return_inverse=True, return_counts=True)                p.unique(j, axis=0)
p.full([2, 3], 7)            p.full([2], True)            p.full_like(x, 3)
p.full([2], 1, dtype=np.int32)                            p.zeros_like(i)              p.ones([p.to_tensor(2), 3])
p.linspace(0, 1, 7)          p.linspace(3, -2, 5, 'float64')                           p.linspace(0, 10, 4, 'int64')
p.eye(3)                     p.eye(2, 4, 'int64')         p.arange(5)                  p.arange(1, 2, 0.3)
p.arange(p.to_tensor(4))     p.zeros(p.to_tensor([2, 3]))                              p.normal(1.0, 2.0, [3, 2])
p.normal(x, 2.0)             p.normal(x, u)               p.standard_normal([2, 3])    p.bernoulli(p.abs(h))
p.rand([3])                  p.uniform([2, 2], min=-3.0)  p.reshape_(p.add(x, u), [-1])
p.add(x, u).add_(u)          p.add(x, u).scale_(3.0)      p.add(x, u).clip_(0.5, 1.0)  p.tanh_(p.add(x, u))
p.add(x, u).fill_(2.0)       p.add(x, u).unsqueeze_(1)    p.add(u, u).multiply_(u).sqrt_()
p.multinomial(p.to_tensor([0.0, 1.0, 0.0]), 2, True)      x.sum(axis=p.to_tensor([0, 1]))
np.mean(p.ones([3]))         np.sum(p.ones([3, 2]))       p.mean(x, axis=p.to_tensor(1))
x.pow(2).mean().exp()        p.norm(x, p=1, axis=[1, 2])  p.norm(x, p=np.inf, axis=[0, 1], keepdim=True)
p.norm(x, p=-2, axis=[1, 2])                              p.norm(x, p='nuc', axis=[0, 2])
p.norm(x, p=-1, axis=[2, 0])                              p.exp(i)                     p.floor(i)
p.median(i)
"""  # fmt: skip

LINES = calls.lines(CALLS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", LINES)
def test_a_call_gives_paddles_numbers(paddle: ModuleType, call: str, dtype: str) -> None:
    calls.check(paddle, call, dtype)


def test_random_numbers_are_paddles_bit_for_bit(paddle: ModuleType) -> None:
    for call in ("p.normal(1.0, 2.0, [3, 2])", "p.standard_normal([7])", "p.bernoulli(p.full([50], 0.3))"):
        found = []
        for p in (lenet, paddle):
            p.seed(11)
            found.append(eval(call, {"p": p}).numpy())
        assert np.array_equal(*found), call


def test_a_product_with_zeros_has_its_true_gradient() -> None:
    """Paddle divides the product by each element: NaN where one is 0."""
    z = lenet.to_tensor([[0.0, 2, 3], [0, 0, 1]], stop_gradient=False)
    lenet.prod(z, 1).sum().backward()
    assert z.grad.tolist() == [[6, 0, 0], [0, 0, 0]]


def test_a_vector_of_zeros_has_a_norm_with_gradient_zero() -> None:
    z = lenet.zeros([2, 3])
    z.stop_gradient = False
    for p in (2, 1, 3, 0, np.inf):
        z.clear_grad()
        lenet.norm(z, p=p, axis=1).sum().backward()
        assert np.array_equal(z.grad.numpy(), np.zeros((2, 3)))


def test_what_multinomial_draws_has_the_shares_asked_for() -> None:
    lenet.seed(3)
    shares = lenet.to_tensor([[0.1, 0.2, 0.3, 0.4], [4.0, 3.0, 2.0, 1.0]])
    drawn = lenet.multinomial(shares, 4000, replacement=True).numpy()
    for row, wanted in zip(drawn, [[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]], strict=True):
        # four standard deviations of a share from 4000 draws
        np.testing.assert_allclose(np.bincount(row, minlength=4) / 4000, wanted, atol=4 * np.sqrt(0.25 / 4000))
    firsts = [lenet.multinomial(shares[0], 4).numpy() for _ in range(2000)]
    assert all(sorted(f) == [0, 1, 2, 3] for f in firsts)
    first = np.bincount([f[0] for f in firsts], minlength=4) / 2000
    np.testing.assert_allclose(first, [0.1, 0.2, 0.3, 0.4], atol=4 * np.sqrt(0.25 / 2000))


X = lenet.zeros([2, 3])

REFUSED = [
    (lambda: lenet.norm(X, p="nuc"), ValueError, r"norm\(p\): got 'nuc', expected a number, 'fro' or None"),
    (
        lambda: lenet.max(X, axis=lenet.to_tensor(1.5)),
        ValueError,
        "max: got axis .* expected a whole number from -2 to 1",
    ),
    (lambda: lenet.mv(X, X), ValueError, r"mv: got shapes \[2, 3\] and \[2, 3\], expected \[M, N\] and \[N\]"),
    (lambda: lenet.t(lenet.zeros([1, 2, 3])), ValueError, r"t: got a tensor of shape.*Type x.transpose\(\[2, 1, 0\]\)"),
    (lambda: lenet.split(X, 2, 1), ValueError, "split: got 2 equal parts of an axis of 3, expected a divisor of 3"),
    (lambda: lenet.split(X, [1, 1], 1), ValueError, r"lengths that add up to 3"),
    (lambda: lenet.expand(X, [4, 3]), ValueError, r"expand: got shape \[4, 3\] for a tensor of shape \[2, 3\]"),
    (
        lambda: lenet.gather(X, lenet.to_tensor([5])),
        IndexError,
        r"gather\(index\): got 5, expected numbers from -2 to 1",
    ),
    (lambda: lenet.gather(X, lenet.to_tensor([1.0])), TypeError, r"gather\(index\): got a tensor of float32"),
    (lambda: lenet.masked_select(X, X), TypeError, r"masked_select\(mask\): got a tensor of float32, expected a bool"),
    (lambda: lenet.where(X > 0, X), ValueError, "where: got only one of x and y, expected both, or neither"),
    (lambda: lenet.linspace(0, 1, 0), ValueError, r"linspace\(num\): got 0"),
    (lambda: lenet.arange(0, 3, 0), ValueError, r"arange\(step\): got 0"),
    (lambda: lenet.bernoulli(X + 2), ValueError, "bernoulli: got 2.0 to 2.0, expected probabilities"),
    (lambda: lenet.multinomial(lenet.ones([2]), 3), ValueError, "multinomial: got 3 samples, expected 1 to 2"),
    (lambda: lenet.scale(X, act="relu"), ValueError, r"scale\(act\): got 'relu'.*nn.functional.relu"),
    (lambda: lenet.full([2], "a"), TypeError, r"full\(fill_value\)"),
    (lambda: lenet.exp("a"), TypeError, "exp: got .*str.*lenet.to_tensor"),
    (lambda: lenet.concat([]), ValueError, "concat: got none, expected a list of at least one Tensor"),
    (lambda: lenet.clip(X, min=lenet.zeros([2])), ValueError, r"clip\(min\)"),
    (lambda: lenet.reshape(X, [2.5, 1]), TypeError, r"reshape\(shape\): got .*2.5.* expected a whole number"),
    (lambda: lenet.full([2], 1, dtype=np.float16), TypeError, "dtype: got .*float16.* expected one of 'bool'"),
    (lambda: lenet.sum(X, out=X), ValueError, r"sum\(out\)"),
    (lambda: lenet.median(X, mode="max"), ValueError, r"median\(mode\)"),
    (lambda: lenet.meshgrid(X), ValueError, "meshgrid"),
]


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED)
def test_a_mistake_is_named(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()


def test_in_place_keeps_the_graph_and_refuses_leaves() -> None:
    x = lenet.to_tensor([1.0, 2.0], stop_gradient=False)
    y = x * 2
    y.exp_()
    y.add_(x)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp([2.0, 4.0]) + 1, rtol=1e-6)
    with pytest.raises(ValueError, match="a write in place: got a leaf tensor"):
        x.exp_()
    with lenet.no_grad():
        assert x.exp_() is x


@pytest.mark.parametrize("key", ["0", "(slice(None), 1)", "p.to_tensor([0, 2])", "p.to_tensor([True, False, True])"])
def test_what_is_written_over_gets_no_gradient(paddle: ModuleType, key: str) -> None:
    found = []
    for p in (lenet, paddle):
        x, v = (p.to_tensor(a, stop_gradient=False) for a in (np.arange(12.0).reshape(3, 4), np.array(5.0)))
        y = x * 2
        y[eval(key, {"p": p})] = v * 3
        (y * y).sum().backward()
        found.append((y.numpy(), x.grad.numpy(), v.grad.numpy()))
    (y, dx, dv), theirs = found
    np.testing.assert_allclose(y, theirs[0], rtol=1e-12)
    np.testing.assert_allclose(dx, theirs[1], rtol=1e-12)
    if "to_tensor" in key:  # Paddle's gradient of a value that is repeated there is memory that nobody wrote
        assert dv == 2 * 15 * 3 * 8
    else:
        np.testing.assert_allclose(dv, theirs[2], rtol=1e-12)


def test_increment_and_empty() -> None:
    x = lenet.zeros([1])
    assert lenet.increment(x, 2.0) is x
    assert x.item() == 2.0
    assert lenet.empty([2, 3], "int64").shape == lenet.empty_like(X).shape == [2, 3]
    with pytest.raises(ValueError, match="increment: got a tensor of shape"):
        lenet.increment(X)


WRITES = [
    "y.add_(u); total = z + y",
    "y.exp_(); total = z + y",
    "y[0] = 3.0; total = z * y",
    "y[:, 0, 0] += 1; total = z + y",
    "y[1] = y[0] * 2; total = z + y * y",
    "y.multiply_(y); total = z * y",
    "y.clip_(-0.5, 0.5); y.tanh_(); total = z - y",
]


@pytest.mark.parametrize("write", WRITES)
def test_what_was_computed_before_a_write_in_place_keeps_its_gradient(write: str) -> None:
    """Against the same program with a copy in the place of each write; Paddle refuses some of these, and loses none."""

    def run(program: str) -> tuple[Any, Any]:
        letters = calls.tensors(lenet, "float64")
        y = letters["x"] * 2
        found = {**letters, "y": y, "z": y * y + y.exp()}
        exec(program, found)
        (found["total"] * letters["u"]).sum().backward()
        return letters["x"].grad.numpy(), letters["u"].grad.numpy()

    ours = run(write)
    values = np.random.RandomState(1).standard_normal((2, 4, 3))  # x, as in calls.tensors
    step = 1e-6 * np.random.RandomState(3).standard_normal(values.shape)
    ends = []
    for sign in (1, -1):
        letters = calls.tensors(lenet, "float64")
        with lenet.no_grad():
            y = (letters["x"] + lenet.to_tensor(sign * step)) * 2
            found = {**letters, "y": y, "z": y * y + y.exp()}
            exec(write, found)
            ends.append((found["total"] * letters["u"]).sum().item())
    np.testing.assert_allclose((ours[0] * step).sum(), (ends[0] - ends[1]) / 2, rtol=1e-5, atol=1e-12)
