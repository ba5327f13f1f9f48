"""The update rules (Paddle: ``paddle.optimizer``). SGD, Momentum, Adam and AdamW are one call into the core a step.

The others, and all of them for float64 parameters, are numpy (``_rules``), and a network trained with them isn't planned.

g is the gradient after clipping, plus l2 · p where weight decay asks for it (AdamW decays the value itself instead).
Arithmetic is in the parameter's own type. Arguments shared by all are described at ``Optimizer``; ``multi_precision``,
``lazy_mode`` and ``use_multi_tensor`` are Paddle's and change nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lenet import _core
from lenet.autograd.tensor import Parameter
from lenet.messages import check
from lenet.nn.clip import ClipGradBase
from lenet.optimizer import _rules
from lenet.optimizer._groups import Group, number_of
from lenet.optimizer.lr import LRScheduler
from lenet.optimizer.optimizer import Batch, Optimizer
from lenet.regularizer import WeightDecayRegularizer

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Momentum", "RMSProp"]


class SGD(Optimizer):
    """p -= lr · g. Keeps no state."""

    rule = "sgd"

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        multi_precision: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)

    def _update(self, batch: Batch) -> None:
        if batch.double:
            return batch.each(_rules.sgd, batch.lr)
        _core.sgd(batch.values, batch.grads, batch.lr, batch.l2)


class Momentum(Optimizer):
    """v = momentum · v + g; p -= lr · v, or with use_nesterov p -= lr · (g + momentum · v).

    rescale_grad: a factor on the gradient, before anything else. Source: Polyak 1964; Nesterov 1983.
    """

    rule = "momentum"
    state_names = ("velocity",)

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        momentum: float = 0.9,
        parameters: Any = None,
        use_nesterov: bool = False,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        multi_precision: bool = False,
        rescale_grad: float = 1.0,
        use_multi_tensor: bool = False,
        name: str | None = None,
    ) -> None:
        if momentum is None:
            raise ValueError(check.message("Momentum(momentum)", None, "a number such as 0.9"))
        options = {"momentum": momentum, "rescale_grad": rescale_grad}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, options=options)
        self._nesterov = bool(use_nesterov)

    def _update(self, batch: Batch) -> None:
        factor, grads, mu = batch.options["rescale_grad"], batch.grads, batch.options["momentum"]
        if factor != 1.0:
            grads = [g * g.dtype.type(factor) for g in grads]
        if batch.double:
            return batch._replace(grads=grads).each(_rules.momentum, batch.lr, mu, self._nesterov)
        _core.momentum(batch.values, grads, batch.states[0], batch.lr, mu, self._nesterov, batch.l2)

    def _plan_numbers(self, group: Group) -> dict[str, Any]:
        return {"mu": group.options["momentum"], "nesterov": self._nesterov}


class Adam(Optimizer):
    """m = β1·m + (1-β1)·g; v = β2·v + (1-β2)·g²; p -= lr · m̂ / (√v̂ + epsilon), where m̂ = m/(1-β1ᵗ) and v̂ = v/(1-β2ᵗ).

    A gradient of zeros still moves p, by what is left of m. Source: Kingma and Ba 2015.
    """

    rule = "adam"
    state_names = ("moment1", "moment2")
    power_names = ("beta1", "beta2")

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        lazy_mode: bool = False,
        multi_precision: bool = False,
        use_multi_tensor: bool = False,
        amsgrad: bool = False,
        name: str | None = None,
    ) -> None:
        _no_amsgrad("Adam", amsgrad)
        options = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, options=options)

    def _update(self, batch: Batch) -> None:
        o, (moment1, moment2), (pow1, pow2) = batch.options, batch.states, batch.powers
        if batch.double:
            return batch.each(_rules.adam, batch.lr, o, batch.powers, batch.decay)
        numbers = (batch.lr, o["beta1"], o["beta2"], o["epsilon"], pow1, pow2, batch.l2, batch.decay)
        _core.adam(batch.values, batch.grads, moment1, moment2, *numbers)

    def _plan_numbers(self, group: Group) -> dict[str, Any]:
        o = group.options
        return {"beta1": o["beta1"], "beta2": o["beta2"], "eps": o["epsilon"]}


class AdamW(Adam):
    """p *= 1 - lr · weight_decay; then Adam with the plain gradient.

    weight_decay: a number of at least 0. apply_decay_param_fun(parameter name) -> bool: False leaves that parameter undecayed.
    lr_ratio raises NotImplementedError, as Paddle does on a CPU. Source: Loshchilov and Hutter 2019.
    """

    rule = "adam"

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        parameters: Any = None,
        weight_decay: float = 0.01,
        use_lowprecision_moment: bool = False,
        lr_ratio: Callable[[Parameter], float] | None = None,
        apply_decay_param_fun: Callable[[str], bool] | None = None,
        grad_clip: ClipGradBase | None = None,
        lazy_mode: bool = False,
        multi_precision: bool = False,
        amsgrad: bool = False,
        name: str | None = None,
    ) -> None:
        _no_amsgrad("AdamW", amsgrad)
        if lr_ratio is not None:
            fix = "Use ParamAttr(learning_rate=…) or parameter groups"
            raise NotImplementedError(check.message("AdamW(lr_ratio)", check.describe(lr_ratio), "None", fix))
        if apply_decay_param_fun is not None and not callable(apply_decay_param_fun):
            given = check.describe(apply_decay_param_fun)
            raise TypeError(check.message("AdamW(apply_decay_param_fun)", given, "a function of a parameter's name"))
        options = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "weight_decay": weight_decay}
        Optimizer.__init__(self, learning_rate, parameters, None, grad_clip, name, options=options)
        self._decays = apply_decay_param_fun

    def _decay(self, group: Group, p: Parameter) -> float:
        return group.options["weight_decay"] if self._decays is None or self._decays(p.name) else 0.0


class RMSProp(Optimizer):
    """s = rho · s + (1 - rho) · g²; v = momentum · v + lr · g / √(s + epsilon); p -= v. Source: Hinton's lectures, 2012.

    centered: the running mean of g, squared, is taken from s first.
    """

    state_names = ("momentum", "mean_square", "mean_grad")

    def __init__(
        self,
        learning_rate: float | LRScheduler,
        rho: float = 0.95,
        epsilon: float = 1e-6,
        momentum: float = 0.0,
        centered: bool = False,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        options = {"rho": rho, "epsilon": epsilon, "momentum": momentum}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, options=options)
        self._centered = bool(centered)

    def _update(self, batch: Batch) -> None:
        batch.each(_rules.rmsprop, batch.lr, batch.options, self._centered)


class Adagrad(Optimizer):
    """s += g²; p -= lr · g / (√s + epsilon). s begins as initial_accumulator_value. Source: Duchi et al. 2011."""

    state_names = ("moment",)

    def __init__(
        self,
        learning_rate: float | LRScheduler,
        epsilon: float = 1e-6,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
        initial_accumulator_value: float = 0.0,
    ) -> None:
        options = {"epsilon": epsilon}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, options=options)
        self._first = number_of("Adagrad(initial_accumulator_value)", initial_accumulator_value)

    def _state_of(self, p: Parameter) -> list[Any]:
        new = id(p) not in self._states
        states = super()._state_of(p)
        if new:
            states[0][...] = self._first
        return states

    def _update(self, batch: Batch) -> None:
        batch.each(_rules.adagrad, batch.lr, batch.options["epsilon"])


class Adadelta(Optimizer):
    """s = rho · s + (1 - rho) · g²; d = √((u + epsilon) / (s + epsilon)) · g; u = rho · u + (1 - rho) · d²; p -= lr · d.

    Source: Zeiler 2012.
    """

    state_names = ("_avg_squared_grad", "_avg_squared_update")

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        epsilon: float = 1e-6,
        rho: float = 0.95,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        options = {"epsilon": epsilon, "rho": rho}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, options=options)

    def _update(self, batch: Batch) -> None:
        batch.each(_rules.adadelta, batch.lr, batch.options)


class Adamax(Optimizer):
    """m = β1·m + (1-β1)·g; u = max(|g|, β2·u + epsilon); p -= lr / (1-β1ᵗ) · m / u. Source: Kingma and Ba 2015."""

    state_names = ("moment", "inf_norm")
    power_names = ("beta1",)

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        options = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, options=options)

    def _update(self, batch: Batch) -> None:
        batch.each(_rules.adamax, batch.lr, batch.options, batch.powers[0])


def _no_amsgrad(what: str, amsgrad: bool) -> None:
    if amsgrad:
        raise ValueError(
            check.message(f"{what}(amsgrad)", amsgrad, "False", "This engine has no AMSGrad; leave it out")
        )
