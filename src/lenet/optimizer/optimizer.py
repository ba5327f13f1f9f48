"""``Optimizer``: what every update rule shares (Paddle: ``paddle.optimizer.Optimizer``). The rules stand in ``algorithms``.

One step: take the gradients that are there, clip them, add weight decay, hand lists of arrays to the rule, which makes one
call into the core. Nothing here computes a gradient, steps a schedule or knows a layer; ``step`` leaves every ``.grad`` as it
is. A parameter's state (Adam's moments …) is made at its first step, in an aligned block of its own that never moves.

``plan`` reads ``_plan_spec()`` and calls ``_advance`` afterwards: the same update, done without Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lenet.autograd.tensor import Parameter, Tensor, to_tensor
from lenet.messages import check
from lenet.nn.clip import ClipGradBase, ClipGradByGlobalNorm, ClipGradByNorm, ClipGradByValue
from lenet.nn.param import aligned
from lenet.optimizer import _state
from lenet.optimizer._groups import Group, clip_of, groups_of, learning_rate_of, number_of, option_of, regularizer_of
from lenet.optimizer.lr import LambdaDecay, LRScheduler
from lenet.regularizer import L2Decay, WeightDecayRegularizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Batch", "Optimizer", "PlanSpec"]


class Batch(NamedTuple):
    """Parameters that one call of the rule can update: lists of float32 arrays and the numbers that go for all of them."""

    values: list[NDArray[np.float32]]
    grads: list[NDArray[np.float32]]
    states: list[list[NDArray[np.float32]]]  # one list for each of ``state_names``
    lr: float
    l2: float  # added to the gradient, times the value
    decay: float  # AdamW's: the value shrinks by lr · decay first
    powers: tuple[float, ...]  # one for each of ``power_names``
    options: dict[str, float]

    @property
    def double(self) -> bool:
        """Whether the parameters are float64, which the core's rules aren't for."""
        return self.values[0].dtype == np.float64

    def each(self, rule: Callable[..., None], *numbers: Any) -> None:
        """Run a rule of ``_rules`` on every parameter, weight decay added to its gradient."""
        for i, (p, g) in enumerate(zip(self.values, self.grads, strict=True)):
            rule(p, g + p.dtype.type(self.l2) * p if self.l2 else g, *(state[i] for state in self.states), *numbers)


class PlanSpec(NamedTuple):
    """An optimizer as a compiled plan needs it; the lists have one entry a parameter, in the order of ``params``."""

    update: dict[str, Any]  # rule, clip, clip_lo, clip_hi, mu, nesterov, beta1, beta2, eps, decay, beta1_pow, beta2_pow
    params: list[Parameter]
    states: list[list[NDArray[np.float32]]]
    lr: list[float]  # factor on the learning rate
    l2: list[float]
    decays: list[bool]  # whether AdamW's decay applies
    clips: list[bool]  # whether clipping applies


class Optimizer:
    """Base of SGD, Momentum, Adam and AdamW; use one of these. A rule of one's own overrides ``_update``.

    learning_rate: float or LRScheduler. parameters: ``net.parameters()``, or a list of groups, dicts with 'params' and, if
    wanted, their own 'weight_decay', 'grad_clip', rule numbers ('beta1' …), and 'learning_rate', a FACTOR on the optimizer's.
    weight_decay: a number (an L2 penalty, added to the gradient), L1Decay or L2Decay. What decays a parameter is the first
    of: its group's, its own ``ParamAttr(regularizer=…)``, the optimizer's. grad_clip: one of ``nn.ClipGradBy*``; it acts
    before the decay is added.

    Errors: AttributeError without parameters, TypeError for a wrong kind of argument, ValueError for a wrong value.
    """

    rule = ""  # the core's name of the update; a class that does not state its own is unknown to plans
    state_names: tuple[str, ...] = ()  # arrays of a parameter's shape that the rule keeps
    power_names: tuple[str, ...] = ()  # options whose powers the rule keeps: after t steps, option^(t+1) in float32

    def __init__(
        self,
        learning_rate: float | LRScheduler,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
        *,
        options: dict[str, Any] | None = None,
    ) -> None:
        what = type(self).__name__
        self._name = name
        self._options = {key: option_of(what, key, value) for key, value in (options or {}).items()}
        self._learning_rate = learning_rate_of(what, learning_rate)
        self._regularizer = regularizer_of(what, weight_decay)
        self._grad_clip = clip_of(what, grad_clip)
        self._groups = groups_of(what, parameters, self._grad_clip, self._options)
        self._params = [p for group in self._groups for p in group.params]
        self._states: dict[int, list[NDArray[np.float32]]] = {}
        self._powers: dict[int, tuple[float, ...]] = {}

    def __repr__(self) -> str:
        rate, count = self._learning_rate, sum(p.size for p in self._params)
        shown = repr(rate) if isinstance(rate, LRScheduler) else f"{rate:g}"
        decay = f", weight_decay={self._regularizer!r}" if self._regularizer is not None else ""
        return (
            f"{type(self).__name__}(learning_rate={shown}, {len(self._params)} tensors of {count:,} parameters{decay})"
        )

    @property
    def _parameter_list(self) -> list[Parameter]:
        """The parameters, under the name that Paddle's programs reach for."""
        return self._params

    # ---- the step ------------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """As it is, with what is kept for a parameter under its place among them: elsewhere it has another ``id``."""
        places = {id(p): place for place, p in enumerate(self._params)}
        kept = {
            name: [(places[key], value) for key, value in vars(self)[name].items() if key in places]
            for name in ("_states", "_powers")
        }
        return vars(self) | kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._powers = {id(self._params[place]): powers for place, powers in state["_powers"]}
        self._states = {id(self._params[place]): list(map(_in_block, arrays)) for place, arrays in state["_states"]}

    def step(self) -> None:
        """Update every parameter that has a gradient and is not frozen; without any, do nothing."""
        lr = self.get_lr()
        for group in self._groups:
            params = [p for p in group.params if p._grad is not None and not p.stop_gradient]
            if params:
                self._step(group, params, [_gradient(p) for p in params], lr)

    def _step(self, group: Group, params: list[Parameter], grads: list[NDArray[np.float32]], lr: float) -> None:
        if group.clip is not None:
            places = [i for i, p in enumerate(params) if p.need_clip]
            for i, clipped in zip(places, group.clip.clip_arrays([grads[i] for i in places]), strict=True):
                grads[i] = clipped
        batches: dict[tuple[Any, ...], list[int]] = {}
        for i, p in enumerate(params):
            penalty = self._penalty(group, p)
            if isinstance(penalty, L2Decay) or penalty is None:
                l2 = penalty.coeff if penalty else 0.0
            else:
                l2, grads[i] = 0.0, grads[i] + penalty.penalty_gradient(p.data_array())
            key = (self._scale(group, p), l2, self._decay(group, p), self._power(group, p), p._dtype)
            batches.setdefault(key, []).append(i)
        for (scale, l2, decay, powers, kind), places in batches.items():
            some = [params[i] for i in places]
            states = [self._state_of(p) for p in some]
            rate = lr if scale == 1.0 else float(np.float32(lr) * np.float32(scale))
            self._update(
                Batch(
                    [p.data_array() for p in some],
                    [grads[i] for i in places],
                    [[state[k] for state in states] for k in range(len(self.state_names))],
                    rate,
                    l2,
                    decay,
                    powers,
                    group.options,
                )
            )
            if powers:
                raised = self._raised(group, powers, 1, kind.type)
                self._powers.update((id(p), raised) for p in some)

    def _update(self, batch: Batch) -> None:
        """The rule: write the new ``batch.values`` and states in place."""
        name = type(self).__name__
        raise NotImplementedError(
            f"{name} has no update rule: use SGD, Momentum, Adam or AdamW, or define _update in {name}"
        )

    def _penalty(self, group: Group, p: Parameter) -> WeightDecayRegularizer | None:
        if group.overrides:
            return group.regularizer
        return p.regularizer if p.regularizer is not None else self._regularizer

    def _scale(self, group: Group, p: Parameter) -> float:
        return p.optimize_attr["learning_rate"] if group.lr_scale is None else group.lr_scale

    def _decay(self, group: Group, p: Parameter) -> float:
        return 0.0

    def _power(self, group: Group, p: Parameter) -> tuple[float, ...]:
        powers = self._powers.get(id(p))
        return (
            powers
            if powers is not None
            else tuple(float(p._dtype.type(group.options[name])) for name in self.power_names)
        )

    def _raised(self, group: Group, powers: tuple[float, ...], steps: int, kind: Any = np.float32) -> tuple[float, ...]:
        """``powers`` after ``steps`` more steps, each product rounded as the core rounds it, to float32."""
        factors = [kind(group.options[name]) for name in self.power_names]
        raised = [kind(power) for power in powers]
        for _ in range(steps):
            raised = [power * factor for power, factor in zip(raised, factors, strict=True)]
        return tuple(float(power) for power in raised)

    def _state_of(self, p: Parameter) -> list[NDArray[np.float32]]:
        states = self._states.get(id(p))
        if states is None:
            states = self._states[id(p)] = [aligned(p.shape, p._dtype) for _ in self.state_names]
        return states

    def clear_grad(self, set_to_zero: bool = True) -> None:
        """Set the gradients that are there to zeros, or all to None with ``set_to_zero=False``."""
        for p in self._params:
            if not p.stop_gradient:
                p.clear_gradient(set_to_zero)

    clear_gradients = clear_grad

    def minimize(
        self, loss: Tensor, startup_program: Any = None, parameters: Any = None, no_grad_set: Any = None
    ) -> tuple[list[Any], list[tuple[Parameter, Tensor]]]:
        """``step()`` with the gradients that are there: call ``loss.backward()`` before. Clears nothing.

        parameters: only these; no_grad_set: not these. Returns ``([], [(parameter, gradient), …])``.
        """
        if not isinstance(loss, Tensor):
            raise ValueError(check.message("minimize(loss)", check.describe(loss), "the loss, a Tensor"))
        wanted = {id(p) for p in (self._params if parameters is None else parameters)}
        wanted -= {id(p) for p in no_grad_set or ()}
        lr, done = self.get_lr(), []
        for group in self._groups:
            params = [p for p in group.params if p._grad is not None and not p.stop_gradient and id(p) in wanted]
            if params:
                self._step(group, params, [_gradient(p) for p in params], lr)
            done += [(p, p._grad) for p in params if p._grad is not None]
        return [], done

    # ---- the learning rate ---------------------------------------------------------------------------------------------

    def get_lr(self) -> float:
        """The learning rate the next step takes."""
        rate = self._learning_rate
        return rate if isinstance(rate, float) else float(rate())

    def set_lr(self, value: float) -> None:
        """A new learning rate; RuntimeError where a scheduler decides it."""
        if isinstance(self._learning_rate, LRScheduler):
            fix = "Use set_lr_scheduler, or make the optimizer with a float"
            given = f"{value} while a {type(self._learning_rate).__name__} sets the rate"
            raise RuntimeError(check.message("set_lr", given, "an optimizer without a scheduler", fix))
        self._learning_rate = number_of("set_lr(value)", value)

    def set_lr_scheduler(self, scheduler: LRScheduler) -> None:
        """From now on ``scheduler`` decides the rate."""
        if not isinstance(scheduler, LRScheduler):
            raise TypeError(check.message("set_lr_scheduler", check.describe(scheduler), "an LRScheduler"))
        self._learning_rate = scheduler

    # ---- state ---------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Copies of the rule's state as Tensors under Paddle's keys (``conv2d_0.w_0_moment1_0``), and 'LR_Scheduler'.

        Empty before the first step.
        """
        state: dict[str, Any] = {}
        for k, kind in enumerate(self.state_names):
            for p in self._params:
                if id(p) in self._states:
                    state[f"{p.name}_{kind}_0"] = to_tensor(self._states[id(p)][k])
        for k, option in enumerate(self.power_names):
            for p in self._params:
                if id(p) in self._powers:
                    state[f"{p.name}_{option}_pow_acc_0"] = to_tensor(np.array([self._powers[id(p)][k]], np.float32))
        for key, tensor in state.items():
            tensor.name = key
        if isinstance(self._learning_rate, LRScheduler):
            state["LR_Scheduler"] = self._learning_rate.state_dict()
        return state

    def set_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state (Tensors or ndarrays) from here or from real Paddle; parameters it leaves out start afresh.

        Parameters are matched by name, or by order where the names are those of another network of the same build.
        ValueError for a state that does not fit; then nothing has been changed.
        """
        rate = self._learning_rate
        schedule = state_dict.get("LR_Scheduler")
        if isinstance(rate, LRScheduler) and not schedule and not isinstance(rate, LambdaDecay):
            raise ValueError(
                check.message("optimizer state", "no 'LR_Scheduler' entry", f"one for the {type(rate).__name__}")
            )
        saved = {key: value for key, value in state_dict.items() if key not in ("LR_Scheduler", "master_weights")}
        if self._states and self.state_names and not saved:
            raise ValueError(check.message("optimizer state", "an empty one", "one that was saved after a step"))
        numbers = [f"{option}_pow_acc" for option in self.power_names]
        placed = _state.assign(saved, self.state_names, numbers, self._params)
        if isinstance(rate, LRScheduler) and schedule:
            rate.set_state_dict(schedule)
        for place, p in enumerate(self._params):
            self._powers.pop(id(p), None)
            if place in placed:
                for kind, block in zip(self.state_names, self._state_of(p), strict=True):
                    block[...] = placed[place][kind]
                if numbers:
                    self._powers[id(p)] = tuple(float(np.float32(placed[place][kind].reshape(()))) for kind in numbers)
            else:
                for block in self._states.get(id(p), ()):
                    block[...] = 0.0

    # ---- for plans -----------------------------------------------------------------------------------------------------

    def _plan_spec(self) -> tuple[PlanSpec | None, str]:
        """What a plan needs to make the same updates, or None and the reason why it can't."""
        if not type(self).__dict__.get("rule"):
            return None, f"{type(self).__name__} is an update rule of your own"
        group = self._groups[0]
        clips = {id(g.clip) for g in self._groups}
        clip, lo, hi = _clip_numbers(group.clip)
        if len(clips) > 1 or any(g.options != group.options for g in self._groups):
            return None, "its groups differ in more than learning rate and weight decay"
        if clip == "other":
            return None, f"{type(group.clip).__name__} is a gradient clip of your own"
        if clip == "global_norm" and len(self._groups) > 1:
            return None, "it clips the global norm group by group"
        if group.options.get("rescale_grad", 1.0) != 1.0:
            return None, "it rescales its gradients"
        members = [(g, p) for g in self._groups for p in g.params if not p.stop_gradient]
        penalties = [self._penalty(g, p) for g, p in members]
        if any(penalty is not None and not isinstance(penalty, L2Decay) for penalty in penalties):
            return None, "its weight decay is not L2"
        powers = {self._power(g, p) for g, p in members}
        if len(powers) != 1:
            return None, "its parameters have made different numbers of steps"
        decays = [self._decay(g, p) for g, p in members]
        update = {"rule": self.rule, "clip": clip, "clip_lo": lo, "clip_hi": hi, "decay": max(decays)}
        update |= {"mu": 0.0, "nesterov": False, "beta1": 0.0, "beta2": 0.0, "eps": 0.0}
        update |= dict(zip(("beta1_pow", "beta2_pow"), powers.pop() or (1.0, 1.0), strict=True))
        spec = PlanSpec(
            update | self._plan_numbers(group),
            [p for _, p in members],
            [self._state_of(p) for _, p in members],
            [self._scale(g, p) for g, p in members],
            [0.0 if penalty is None else penalty.coeff for penalty in penalties],
            [decay != 0.0 for decay in decays],
            [p.need_clip for _, p in members],
        )
        return spec, ""

    def _plan_numbers(self, group: Group) -> dict[str, Any]:
        """The entries of ``PlanSpec.update`` that this rule has."""
        return {}

    def _advance(self, steps: int) -> None:
        """Count ``steps`` updates that a plan has made with every trainable parameter."""
        if self.power_names:
            for group in self._groups:
                raised: dict[tuple[float, ...], tuple[float, ...]] = {}  # most parameters stand at the same powers
                for p in group.params:
                    if not p.stop_gradient:
                        powers = self._power(group, p)
                        if powers not in raised:
                            raised[powers] = self._raised(group, powers, steps)
                        self._powers[id(p)] = raised[powers]


def _gradient(p: Parameter) -> NDArray[np.float32]:
    gradient = p._grad.data_array() if p._grad is not None else np.zeros(p.shape, p._dtype)
    if gradient.dtype == p._dtype and gradient.flags.writeable:
        return gradient
    return gradient.astype(p._dtype)  # the core takes nothing else: a constant's gradient may be a read-only view


def _clip_numbers(clip: ClipGradBase | None) -> tuple[str, float, float]:
    """A clip as a plan names it: its kind, lowest and highest value (a norm has only the latter)."""
    if clip is None:
        return "", 0.0, 0.0
    if type(clip) is ClipGradByValue:
        return "value", clip.min, clip.max
    if type(clip) is ClipGradByNorm:
        return "norm", 0.0, clip.clip_norm
    return ("global_norm", 0.0, clip.clip_norm) if type(clip) is ClipGradByGlobalNorm else ("other", 0.0, 0.0)


def _in_block(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy that the engine can work on."""
    block = aligned(array.shape, array.dtype)
    block[...] = array
    return block
