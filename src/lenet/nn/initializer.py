"""The first values of parameters (Paddle: ``paddle.nn.initializer``; also reachable as ``lenet.nn.initializer``).

Random initialisers draw from ``lenet.seed``'s stream, whose numbers are Paddle's own: the same seed and the same order of
layers give the same weights bit for bit. Constants draw nothing. An initialiser fills a parameter when called with it,
``init(parameter)``, and knows no layer. A user's own one subclasses ``Initializer`` and overrides ``draw`` (or ``forward``).

Paddle's rule for fans, where ``fan_in`` or ``fan_out`` is not given: a vector [F] has F and F, a matrix [F, O] (Linear)
F and O, a convolution kernel [O, C, kh, kw] C·kh·kw and O·kh·kw.

Sources: Xavier: Glorot and Bengio 2010. Kaiming: He et al. 2015.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.autograd import random as _random
from lenet.autograd.tensor import Tensor
from lenet.messages import check

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Assign",
    "Constant",
    "FanIn",
    "Initializer",
    "KaimingNormal",
    "KaimingUniform",
    "Normal",
    "TruncatedNormal",
    "Uniform",
    "XavierNormal",
    "XavierUniform",
    "calculate_gain",
    "global_initializer",
    "set_global_initializer",
]


def _real(what: str, value: object) -> float:
    """``value`` as a finite float; TypeError or ValueError otherwise.

    A tensor is a mistake that Paddle doesn't notice, ``Normal(net.weight)``: a warning says what to type, and 0 counts.
    """
    if isinstance(value, Tensor) and value.size != 1:
        name = what.partition("(")[0]
        fix = f"This fills nothing: type {name}(…)(net.weight), or weight_attr={name}(…) where the layer is made"
        warnings.warn(check.message(what, check.describe(value), "a number", fix), stacklevel=3)
        return 0.0
    if isinstance(value, Tensor):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise TypeError(check.message(what, check.describe(value), "a number such as 0.1"))
    if not math.isfinite(value):
        raise ValueError(check.message(what, value, "a finite number"))
    return float(value)


def _at_least_zero(what: str, value: object) -> float:
    number = _real(what, value)
    if number < 0:
        raise ValueError(check.message(what, number, "a number of at least 0"))
    return number


def _fan(what: str, value: object) -> float | None:
    return None if value is None else _at_least_zero(what, value)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """``(fan_in, fan_out)`` of a parameter of this shape, by Paddle's rule (top of this file)."""
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    if len(shape) == 2:
        return shape[0], shape[1]
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


class Initializer:
    """Base of all initialisers: ``init(parameter)`` fills it in place, whatever its shape."""

    def __call__(self, param: Tensor, block: object = None) -> None:
        self.forward(param, block)

    def forward(self, var: Tensor, block: object = None) -> None:
        """Fill ``var`` in place, float64 with float32's draws; ``block`` belongs to Paddle's static graphs and is ignored."""
        var.set_value(self.draw(list(var.shape)).astype(var.dtype.numpy))

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        """New values: a float array of ``shape``."""
        raise NotImplementedError(f"{type(self).__name__} must define draw(shape) or forward(var, block)")


def _normal(shape: Sequence[int], mean: float, std: float) -> NDArray[np.float32]:
    return _random.generator().normal(math.prod(shape), mean, std).reshape(shape)


def _uniform(shape: Sequence[int], low: float, high: float) -> NDArray[np.float32]:
    return _random.generator().uniform(math.prod(shape), low, high).reshape(shape)


class Constant(Initializer):
    """Every entry is ``value``. Draws nothing from the random stream."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = _real("Constant(value)", value)

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        return np.full(shape, self.value, np.float32)


class Assign(Initializer):
    """A copy of ``value`` (ndarray, Tensor, or nested list of numbers), whose shape must be the parameter's (ValueError)."""

    def __init__(self, value: Any, name: str | None = None) -> None:
        try:
            array = np.array(value)
            array = array.astype(array.dtype if array.dtype == np.float64 else np.float32)
        except (TypeError, ValueError):
            array = None
        if array is None or not hasattr(value, "__len__"):
            raise TypeError(
                check.message("Assign(value)", check.describe(value), "an array, a Tensor or a list of numbers")
            )
        self.value = array

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        if list(self.value.shape) != list(shape):
            fix = "Reshape the value" if self.value.size == math.prod(shape) else "Give a value of that shape"
            raise ValueError(
                check.message("Assign", f"a value of shape {list(self.value.shape)}", f"{list(shape)}", fix)
            )
        return self.value


class Normal(Initializer):
    """Gaussian with ``mean`` and standard deviation ``std`` (at least 0)."""

    def __init__(self, mean: float = 0.0, std: float = 1.0, name: str | None = None) -> None:
        self.mean = _real("Normal(mean)", mean)
        self.std = _at_least_zero("Normal(std)", std)

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        return _normal(shape, self.mean, self.std)


class TruncatedNormal(Initializer):
    """Gaussian, redrawn as it were until it lies in ``[a, b]`` (absolute bounds, not multiples of ``std``).

    One uniform draw an entry, through the inverse of the normal distribution: Paddle's draws, and its values within a few
    1e-7 · std (Paddle approximates that inverse in float32, this does not).
    """

    def __init__(
        self, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, name: str | None = None
    ) -> None:
        self.mean = _real("TruncatedNormal(mean)", mean)
        self.std = _at_least_zero("TruncatedNormal(std)", std)
        self.a, self.b = _real("TruncatedNormal(a)", a), _real("TruncatedNormal(b)", b)
        if self.a > self.b:
            raise ValueError(check.message("TruncatedNormal", f"a={self.a}, b={self.b}", "a at most b"))

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        from statistics import NormalDist  # not a light module, and this initialiser is rare

        uniform = _uniform(shape, float(np.finfo(np.float32).tiny), 1.0)
        if self.std == 0:
            return np.full(shape, min(max(self.mean, self.a), self.b), np.float32)
        standard = NormalDist()
        low, high = (np.float32(standard.cdf((edge - self.mean) / self.std)) for edge in (self.a, self.b))
        # Rounded to float32 here as Paddle rounds it: in the tails that decides which value comes out.
        signed = np.float32(2) * (low + (high - low) * uniform) - np.float32(1)
        share = np.clip((signed.astype(np.float64).ravel() + 1.0) / 2.0, 1e-16, 1.0 - 1e-16)
        drawn = np.fromiter(map(standard.inv_cdf, share.tolist()), np.float64, share.size)
        return np.clip(drawn * self.std + self.mean, self.a, self.b).astype(np.float32).reshape(shape)


class Uniform(Initializer):
    """Flat over ``[low, high)``; ``low`` may not exceed ``high`` (ValueError)."""

    def __init__(self, low: float = -1.0, high: float = 1.0, name: str | None = None) -> None:
        self.low, self.high = _real("Uniform(low)", low), _real("Uniform(high)", high)
        if self.low > self.high:
            raise ValueError(check.message("Uniform", f"low={self.low}, high={self.high}", "low at most high"))

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        return _uniform(shape, self.low, self.high)


class _Xavier(Initializer):
    def __init__(
        self, fan_in: float | None = None, fan_out: float | None = None, gain: float = 1.0, name: str | None = None
    ) -> None:
        what = type(self).__name__
        self.fan_in, self.fan_out = _fan(f"{what}(fan_in)", fan_in), _fan(f"{what}(fan_out)", fan_out)
        self.gain = _at_least_zero(f"{what}(gain)", gain)

    def _spread(self, shape: Sequence[int], square: float) -> float:
        """gain · √(square / (fan_in + fan_out)); 0 for an empty parameter."""
        fan_in, fan_out = fans(shape)
        fan_in_used = fan_in if self.fan_in is None else self.fan_in
        fan_out_used = fan_out if self.fan_out is None else self.fan_out
        if 0 in (fan_in_used, fan_out_used):
            return 0.0
        return self.gain * math.sqrt(square / (fan_in_used + fan_out_used))


class XavierUniform(_Xavier):
    """U(±gain · √(6 / (fan_in + fan_out))): Linear's default, and ``create_parameter``'s."""

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        limit = self._spread(shape, 6.0)
        return _uniform(shape, -limit, limit)


class XavierNormal(_Xavier):
    """N(0, std = gain · √(2 / (fan_in + fan_out)))."""

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        return _normal(shape, 0.0, self._spread(shape, 2.0))


class _Kaiming(Initializer):
    def __init__(
        self,
        fan_in: float | None = None,
        negative_slope: float = 0.0,
        nonlinearity: str = "relu",
        mode: str = "fan_in",
    ) -> None:
        what = type(self).__name__
        self.fan_in = _fan(f"{what}(fan_in)", fan_in)
        self.mode = check.choice(f"{what}(mode)", mode, ("fan_in", "fan_out"))
        if self.mode == "fan_out" and fan_in is not None:
            raise ValueError(
                check.message(what, f"fan_in={fan_in} with mode='fan_out'", "only one of the two", "Leave fan_in out")
            )
        self.gain = calculate_gain(nonlinearity, _real(f"{what}(negative_slope)", negative_slope))

    def _fan_used(self, shape: Sequence[int]) -> float:
        """The fan that counts; infinite for an empty parameter, so that its spread is 0."""
        fan_in, fan_out = fans(shape)
        fan: float = fan_out if self.mode == "fan_out" else fan_in if self.fan_in is None else self.fan_in
        return fan or math.inf


class KaimingUniform(_Kaiming):
    """U(±gain · √(3 / fan)); with relu's gain √2 that is ±√(6 / fan_in)."""

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        limit = self.gain * math.sqrt(3.0 / self._fan_used(shape))
        return _uniform(shape, -limit, limit)


class KaimingNormal(_Kaiming):
    """N(0, std = gain / √fan); with relu's gain √2 that is √(2 / fan_in)."""

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        return _normal(shape, 0.0, self.gain / math.sqrt(self._fan_used(shape)))


class FanIn(Initializer):
    """U(±1/√fan_in), for weights and biases alike: our recipes' start (Paddle has no such class; PyTorch's default is this).

    A bias cannot tell the fan_in of its weight, so give it: ``bias_attr=FanIn(fan_in=400)``. Where ``fan_in`` is None it
    comes from the parameter's own shape.
    """

    def __init__(self, fan_in: float | None = None) -> None:
        self.fan_in = _fan("FanIn(fan_in)", fan_in)

    def draw(self, shape: Sequence[int]) -> NDArray[np.float32]:
        fan = fans(shape)[0] if self.fan_in is None else self.fan_in
        limit = 0.0 if fan == 0 else 1.0 / math.sqrt(fan)
        return _uniform(shape, -limit, limit)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps a signal's variance through ``nonlinearity``; ``param`` is leaky_relu's slope (0.01).

    'relu' √2, 'tanh' 5/3, 'leaky_relu' √(2 / (1 + param²)), 'selu' 3/4; 'sigmoid', 'linear', 'conv1d' … 'conv3d' and their
    transposes 1. ValueError for another name.
    """
    slope = 0.01 if param is None else _real("calculate_gain(param)", param)
    gains = {
        "relu": math.sqrt(2.0),
        "tanh": 5.0 / 3.0,
        "leaky_relu": math.sqrt(2.0 / (1 + slope * slope)),
        "selu": 0.75,
    }
    unit = ["sigmoid", "linear"] + [f"conv{d}d{end}" for end in ("", "_transpose") for d in (1, 2, 3)]
    unit += [f"conv_transpose{d}d" for d in (1, 2, 3)]
    gains.update(dict.fromkeys(unit, 1.0))
    return gains[check.choice("calculate_gain(nonlinearity)", nonlinearity, gains)]


_global_weight: Initializer | None = None
_global_bias: Initializer | None = None


def set_global_initializer(weight_init: Initializer | None, bias_init: Initializer | None = None) -> None:
    """Every later parameter without an initialiser of its own starts this way; None gives back the layers' defaults."""
    global _global_weight, _global_bias
    for what, value in (("weight_init", weight_init), ("bias_init", bias_init)):
        if value is not None and not isinstance(value, Initializer):
            fix = "Type for example set_global_initializer(nn.initializer.KaimingNormal())"
            given = check.describe(value)
            raise TypeError(
                check.message(f"set_global_initializer({what})", given, "an Initializer object or None", fix)
            )
    _global_weight, _global_bias = weight_init, bias_init


def global_initializer(is_bias: bool) -> Initializer | None:
    """What ``set_global_initializer`` asked for weights (or biases), or None."""
    return _global_bias if is_bias else _global_weight
