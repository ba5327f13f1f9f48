"""Calls as lines of text, run here and in real Paddle: what comes out, and the gradients of what went in.

For the tables of test_array_rows and test_more_rows. In a line ``p`` is the library; the letters are tensors, made by
``tensors``.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

import lenet

# Whose numbers Paddle computes in single precision whatever the tensors are: draws, and settings that it keeps as float32.
SINGLE = ("normal", "randn", "rand_like", "p=3", "2.5", "stanh", "renorm", "baddbmm", ", 3.)", ", 3., ")


def lines(text: str) -> list[str]:
    """The calls of a table: one or more a line, two spaces apart."""
    found = [call.strip() for line in text.strip().splitlines() for call in line.split("  ")]
    return [call for call in found if call]


def tensors(p: Any, dtype: str) -> dict[str, Any]:
    r = np.random.RandomState(1)
    floats = {
        "x": r.standard_normal((2, 4, 3)),
        "y": r.standard_normal((2, 3, 5)),
        "u": r.uniform(0.5, 2.0, (2, 4, 3)),
        "v": r.standard_normal((1, 1, 3)),
        "h": r.uniform(-0.9, 0.9, (2, 4, 3)),
        "r": np.round(r.standard_normal((5, 4)) * 3),  # equals, zeros and halves
        "s": np.round(r.standard_normal((5, 4)) * 3),
        "z": np.array([[0.0, 2, 3], [0, 0, 1], [1, 2, 3]]),
        "m": r.standard_normal((2, 3)),
        "w": r.standard_normal((3, 4)),
        "k": r.standard_normal(3),
    }
    made = {name: p.to_tensor(a.astype(dtype), stop_gradient=False) for name, a in floats.items()}
    made["n"] = p.to_tensor(np.array([1, np.nan, np.inf, -np.inf], dtype))
    made |= {name: p.to_tensor(r.randint(1, 9, (3, 4)) - (0 if name == "j" else 4)) for name in ("i", "j")}
    made |= {name: p.to_tensor(r.rand(2, 4, 3) > 0.5) for name in ("b", "c")}
    return made


def outcome(p: Any, call: str, dtype: str) -> tuple[list[Any], dict[str, Any]]:
    """What a call gives, as a list of tensors, and the gradients of all float inputs that have one."""
    p.seed(5)
    letters = tensors(p, dtype)
    found = eval(call, {"p": p, "np": np, **letters})
    results = list(found) if isinstance(found, (list, tuple)) else [found]
    total = None
    for t in results:
        if not t.stop_gradient and str(t.dtype) in ("paddle.float32", "paddle.float64"):
            part = (t * p.to_tensor(np.random.RandomState(9).standard_normal(t.shape), t.dtype)).sum()
            total = part if total is None else total + part
    if total is not None:
        total.backward()
    return results, {name: t.grad for name, t in letters.items() if t.grad is not None}


def check(paddle: ModuleType, call: str, dtype: str, gradients: bool = True) -> None:
    """A call gives Paddle's numbers, shapes and types, and (unless told otherwise) its gradients."""
    (ours, our_grads), (theirs, their_grads) = outcome(lenet, call, dtype), outcome(paddle, call, dtype)

    def close(a: Any, b: Any, what: str) -> None:
        # sums of a few terms in another order, and Paddle's own pow; what is drawn at random is drawn as float32
        coarse = "float32" in (dtype, a.dtype.name, str(b.dtype)[7:]) or any(mark in call for mark in SINGLE)
        loose = {"rtol": 1e-5, "atol": 3e-6} if coarse else {"rtol": 1e-10, "atol": 1e-11}
        np.testing.assert_allclose(a.numpy(), b.numpy(), err_msg=what, **loose)

    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == list(b.shape)
        assert str(a.dtype) == str(b.dtype)
        close(a, b, "output")
        if gradients and a.dtype in ("float32", "float64"):  # indices that come with values want a gradient in Paddle
            assert a.stop_gradient == b.stop_gradient
    if gradients:
        assert our_grads.keys() == their_grads.keys()
        for name, grad in our_grads.items():
            close(grad, their_grads[name], f"the gradient of {name}")
