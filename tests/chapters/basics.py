"""First chapters: tensors, gradients, regression and classification with bare hands."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

Numbers = dict[str, Any]


def tensors(paddle: ModuleType) -> Numbers:
    """A book's first chapter: making, joining, broadcasting, reducing, linear algebra, gradients."""
    x = paddle.arange(12).astype("float32").reshape((3, 4))
    y = paddle.to_tensor([[2.0, 1, 4, 3], [1, 2, 3, 4], [4, 3, 2, 1]])
    a, b = paddle.reshape(paddle.arange(3), (3, 1)), paddle.reshape(paddle.arange(2), (1, 2))
    before = x.clone()
    x[0:2, :] = 12
    m = paddle.arange(20, dtype="float32").reshape((5, 4))
    v = paddle.to_tensor([3.0, -4.0])
    t = paddle.arange(4, dtype="float32")
    t.stop_gradient = False
    u = 2 * paddle.dot(t, t)
    u.backward()
    first = t.grad.numpy().copy()
    t.clear_gradient()
    (t * (t * t).detach()).sum().backward()
    return {
        "exp": paddle.exp(before),
        "rows": paddle.concat((before, y), axis=0),
        "columns": paddle.concat((before, y), axis=1),
        "equal": before == y,
        "broadcast": a + b,
        "written": x,
        "sums": m.sum(axis=0),
        "kept": m / m.sum(axis=1, keepdim=True),
        "cumulated": m.cumsum(axis=0),
        "transposed": paddle.transpose(m, perm=[1, 0]),
        "mv": paddle.mv(m, paddle.arange(4, dtype="float32")),
        "mm": paddle.mm(m, m.t()),
        "norms": [float(paddle.norm(v)), float(paddle.abs(v).sum()), float(paddle.norm(paddle.ones((4, 9))))],
        "gradient": first,
        "detached": t.grad,
    }


def linear_regression(paddle: ModuleType) -> Numbers:
    """A line through noise: a layer, a loss, an optimizer, and the same by hand."""
    rng = np.random.RandomState(0)
    xs = rng.randn(40, 2).astype("float32")
    ys = (xs @ np.array([[2.0], [-3.4]], "float32") + 4.2 + 0.01 * rng.randn(40, 1)).astype("float32")
    paddle.seed(1)
    net, losses = paddle.nn.Linear(2, 1), []
    sgd = paddle.optimizer.SGD(learning_rate=0.03, parameters=net.parameters())
    criterion = paddle.nn.MSELoss()
    for start in range(0, 120, 10):
        x, y = (paddle.to_tensor(part[start % 40 : start % 40 + 10]) for part in (xs, ys))
        loss = criterion(net(x), y)
        loss.backward()
        sgd.step()
        sgd.clear_grad()
        losses.append(float(loss))
    w, b = paddle.zeros((2, 1)), paddle.zeros([1])
    w.stop_gradient = b.stop_gradient = False
    for _ in range(6):
        loss = ((paddle.matmul(paddle.to_tensor(xs), w) + b - paddle.to_tensor(ys)) ** 2 / 2).mean()
        loss.backward()
        with paddle.no_grad():
            w, b = w - 0.3 * w.grad, b - 0.3 * b.grad
        w.stop_gradient = b.stop_gradient = False
    return {"losses": losses, "weight": net.weight, "bias": net.bias, "by hand": w, "and": b}


def softmax_regression(paddle: ModuleType) -> Numbers:
    """Softmax and a perceptron from scratch: exponentials, picked logarithms, parameters in a list."""
    rng = np.random.RandomState(1)
    x = paddle.to_tensor(rng.rand(30, 16).astype("float32"))
    y = paddle.to_tensor(rng.randint(0, 4, 30))
    sizes = [(16, 8), (8,), (8, 4), (4,)]
    params = [paddle.to_tensor((0.3 * rng.randn(*size)).astype("float32"), stop_gradient=False) for size in sizes]
    losses, accuracy = [], 0.0
    for _ in range(8):
        w1, b1, w2, b2 = params
        hidden = paddle.maximum(paddle.matmul(x, w1) + b1, paddle.zeros([1]))
        exps = paddle.exp(paddle.matmul(hidden, w2) + b2)
        shares = exps / exps.sum(axis=1, keepdim=True)
        picked = paddle.log(paddle.sum(shares * paddle.nn.functional.one_hot(y, 4), axis=1))
        loss = -picked.mean()
        loss.backward()
        with paddle.no_grad():
            params = [p - 0.5 * p.grad for p in params]
        for p in params:
            p.stop_gradient = False
        losses.append(float(loss))
        accuracy = float((shares.argmax(axis=1) == y).astype("float32").mean())
    return {"losses": losses, "accuracy": accuracy, "parameters": [p.numpy() for p in params]}


def clipping(paddle: ModuleType) -> Numbers:
    """Gradients kept short: by value, by norm, by the norm of all; as an optimizer's option and called by hand."""
    x = paddle.to_tensor(np.random.RandomState(2).randn(8, 5).astype("float32") * 10)
    found: Numbers = {}
    for name in ("ClipGradByValue", "ClipGradByNorm", "ClipGradByGlobalNorm"):
        paddle.seed(3)
        net = paddle.nn.Sequential(paddle.nn.Linear(5, 4), paddle.nn.Linear(4, 2))
        clip = getattr(paddle.nn, name)(0.5)
        optimizer = paddle.optimizer.Momentum(0.1, parameters=net.parameters(), grad_clip=clip, weight_decay=1e-3)
        (net(x) ** 2).mean().backward()
        optimizer.step()
        found[name] = [p.numpy() for p in net.parameters()]
        found[f"{name}, called"] = [g.numpy() for _, g in clip([(p, p.grad) for p in net.parameters()])]
    paddle.seed(3)
    net = paddle.nn.Linear(5, 2)
    (net(x) ** 2).mean().backward()
    found["total"] = float(paddle.nn.utils.clip_grad_norm_(net.parameters(), 1.0))
    found["after"] = net.weight.grad
    return found
