"""Gradients clipped in place, and parameters as one vector (Paddle: ``paddle.nn.utils``)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from lenet.autograd.array_rows import concat, norm, reshape
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages import check

__all__ = ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]


def _with_gradients(what: str, parameters: Any) -> list[Tensor]:
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for p in found:
        if not isinstance(p, Tensor):
            raise TypeError(check.message(what, check.describe(p), "Tensors", "Type net.parameters()"))
    return [p for p in found if p.grad is not None]


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale the gradients of all parameters in place until their joint norm is at most max_norm; returns it as it was, 0-D.

    norm_type: 2, another p, or infinity. error_if_nonfinite: RuntimeError for a norm that is infinite or NaN.
    """
    gradients = [p.grad for p in _with_gradients("clip_grad_norm_", parameters) if p.grad is not None]
    kind, limit = float(norm_type), float(max_norm)
    if not gradients:
        return to_tensor(0.0)
    norms = [float(norm(g, kind).data_array()) for g in gradients]
    total = max(norms) if math.isinf(kind) else float(np.sum(np.array(norms) ** kind) ** (1 / kind))
    if error_if_nonfinite and not math.isfinite(total):
        given = f"gradients whose norm is {total}"
        raise RuntimeError(check.message("clip_grad_norm_", given, "finite ones"))
    factor = min(limit / (total + 1e-6), 1.0)
    for g in gradients:
        g._write(g.data_array() * g.dtype.numpy.type(factor))
    return to_tensor(np.array(total, gradients[0].dtype.numpy))


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Hold every element of the parameters' gradients between -clip_value and clip_value, in place. ValueError below 0."""
    if clip_value < 0:
        raise ValueError(check.message("clip_grad_value_(clip_value)", clip_value, "a number of at least 0"))
    for p in _with_gradients("clip_grad_value_", parameters):
        if p.grad is not None:
            p.grad._write(np.clip(p.grad.data_array(), -clip_value, clip_value))


def parameters_to_vector(parameters: Iterable[Tensor], name: str | None = None) -> Tensor:
    """All parameters, one after the other, as one vector."""
    return concat([reshape(p, [-1]) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor], name: str | None = None) -> None:
    """A vector, as ``parameters_to_vector`` made it, written back. ValueError for another length."""
    found = list(parameters)
    total = sum(p.size for p in found)
    if vec.size != total:
        raise ValueError(
            check.message("vector_to_parameters", f"{vec.size} numbers", f"{total}, as the parameters have")
        )
    values, start = vec.numpy().reshape(-1), 0
    for p in found:
        p.set_value(values[start : start + p.size].reshape(p.shape).astype(p.dtype.numpy))
        start += p.size
