"""Optimizers against real Paddle, fed Paddle's own gradients, and against plain float64 rules; state, groups, plans, refusals."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from lenet import nn, optimizer, regularizer
from lenet.autograd.tensor import Parameter, to_tensor
from lenet.nn.param import ParamAttr, create_parameter
from lenet.optimizer.optimizer import Batch
from lenet.regularizer import L1Decay, L2Decay

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

Array = np.ndarray[Any, Any]

SHAPES = [[1], [7], [17, 3], [6, 1, 5, 5], [65, 33], [5, 7, 3, 3]]  # odd sizes: every kernel's tail is used
STEPS = 7
UPDATE = 1e-6  # ‖ours − theirs‖ / ‖theirs‖: float32 products in another order

# name: (optimizer for a module holding `optimizer`, `nn`, `regularizer`; its parameters)
RULES: dict[str, Callable[[Any, Any], Any]] = {
    "SGD": lambda m, p, **k: m.optimizer.SGD(0.1, parameters=p, **k),
    "Momentum": lambda m, p, **k: m.optimizer.Momentum(0.05, 0.9, parameters=p, **k),
    "Nesterov": lambda m, p, **k: m.optimizer.Momentum(0.05, 0.8, parameters=p, use_nesterov=True, **k),
    "Rescaled": lambda m, p, **k: m.optimizer.Momentum(0.05, 0.9, parameters=p, rescale_grad=0.25, **k),
    "Adam": lambda m, p, **k: m.optimizer.Adam(0.01, parameters=p, **k),
    "Adam-betas": lambda m, p, **k: m.optimizer.Adam(0.02, 0.5, 0.9, 1e-3, parameters=p, **k),
    "AdamW": lambda m, p, **k: m.optimizer.AdamW(0.01, parameters=p, **({"weight_decay": 0.1} | k)),
}
# Paddle's CPU kernel ignores rescale_grad (its GPU kernel does not); the float64 rules below hold ours to it.
PARITY = [rule for rule in RULES if rule != "Rescaled"]
DECAYS: dict[str, Callable[[Any], Any]] = {
    "none": lambda m: {},
    "number": lambda m: {"weight_decay": 0.05},
    "whole": lambda m: {"weight_decay": 1},
    "L2": lambda m: {"weight_decay": m.regularizer.L2Decay(0.03)},
    "L1": lambda m: {"weight_decay": m.regularizer.L1Decay(0.02)},
}
CLIPS: dict[str, Callable[[Any], Any]] = {
    "none": lambda m: {},
    "global_norm": lambda m: {"grad_clip": m.nn.ClipGradByGlobalNorm(3.0)},
    "global_norm-loose": lambda m: {"grad_clip": m.nn.ClipGradByGlobalNorm(1e6)},
    "norm": lambda m: {"grad_clip": m.nn.ClipGradByNorm(2.0)},
    "value": lambda m: {"grad_clip": m.nn.ClipGradByValue(0.4)},
    "value-lopsided": lambda m: {"grad_clip": m.nn.ClipGradByValue(0.7, -0.2)},
}


class Ours:
    """lenet's modules under the attribute names that paddle has."""

    optimizer = optimizer
    nn = nn
    regularizer = regularizer


class Side:
    """The same parameters in one of the libraries; ``attrs`` are keyword arguments of ParamAttr, one dict a parameter."""

    def __init__(self, module: Any, attrs: list[dict[str, Any]] | None = None) -> None:
        self.module = module
        draw = np.random.default_rng(0)
        self.params = []
        for shape, attr in zip(SHAPES, attrs or [{}] * len(SHAPES), strict=True):
            init = module.nn.initializer.Assign(draw.normal(size=shape).astype(np.float32))
            options = {key: value(module) if callable(value) else value for key, value in attr.items()}
            attr_of = ParamAttr if module is Ours else paddle.ParamAttr
            make = create_parameter if module is Ours else paddle.create_parameter
            self.params.append(make(shape, "float32", attr=attr_of(initializer=init, **options)))

    def feed(self, gradients: list[Array | None]) -> None:
        tensor = to_tensor if self.module is Ours else paddle.to_tensor
        for p, g in zip(self.params, gradients, strict=True):
            p.grad = None if g is None else tensor(g)

    def values(self) -> list[Array]:
        return [p.numpy() for p in self.params]


def gradients(step: int) -> list[Array]:
    draw = np.random.default_rng(100 + step)
    return [draw.normal(size=shape).astype(np.float32) for shape in SHAPES]


def close(ours: list[Array], theirs: list[Array], tolerance: float = UPDATE) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert np.linalg.norm(a - b) <= tolerance * np.linalg.norm(b)


def race(make: Callable[[Any, list[Any]], Any], attrs: list[dict[str, Any]] | None = None, steps: int = STEPS) -> None:
    """Run the same updates in both libraries, and compare the parameters after each."""
    ours, theirs = Side(Ours, attrs), Side(paddle, attrs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pair = [make(Ours, ours.params), make(paddle, theirs.params)]
        for step in range(steps):
            for side, opt in zip((ours, theirs), pair, strict=True):
                side.feed(gradients(step))  # type: ignore[arg-type]
                opt.step()
            close(ours.values(), theirs.values())


# ---- signatures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SGD", "Momentum", "Adam", "AdamW"])
def test_arguments_and_defaults_are_paddles(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(m.optimizer, name)).parameters.values() for m in (Ours, paddle))
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


@pytest.mark.parametrize("name", ["step", "clear_grad", "minimize", "state_dict", "set_state_dict", "get_lr", "set_lr"])
def test_methods_take_paddles_arguments(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(m.optimizer.Optimizer, name)).parameters.values() for m in (Ours, paddle))
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


# ---- updates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize(
    ("rule", "decay"), [(r, d) for r in PARITY for d in DECAYS if r != "AdamW" or d not in ("L1", "L2")]
)
def test_updates_are_paddles(rule: str, decay: str, clip: str) -> None:
    race(lambda m, p: RULES[rule](m, p, **DECAYS[decay](m), **CLIPS[clip](m)), steps=3 if clip != "none" else STEPS)


@pytest.mark.parametrize("rule", PARITY)
def test_the_attributes_of_a_parameter_count_as_in_paddle(rule: str) -> None:
    attrs: list[dict[str, Any]] = [
        {"learning_rate": 0.5},
        {"regularizer": lambda m: m.regularizer.L2Decay(0.2)},
        {"regularizer": lambda m: m.regularizer.L1Decay(0.1)},
        {"need_clip": False},
        {"trainable": False},
        {"learning_rate": 2.0, "need_clip": False},
    ]
    clip = CLIPS["global_norm"]
    race(lambda m, p: RULES[rule](m, p, weight_decay=0.05, **clip(m)), attrs)


@pytest.mark.parametrize("rule", ["SGD", "Adam", "AdamW"])
def test_parameter_groups_are_paddles(rule: str) -> None:
    def make(module: Any, params: list[Any]) -> Any:
        groups: list[dict[str, Any]] = [
            {"params": params[:2]},
            {"params": params[2:4], "learning_rate": 0.3, "weight_decay": 0.2},
            {"params": params[4], "grad_clip": module.nn.ClipGradByNorm(0.5)},
            {"params": params[5:]} | ({"beta1": 0.7, "epsilon": 1e-4} if rule != "SGD" else {}),
        ]
        return RULES[rule](module, groups, weight_decay=0.01, grad_clip=module.nn.ClipGradByGlobalNorm(2.0))

    race(make)


def test_a_groups_settings_go_before_a_parameters_own() -> None:
    attrs: list[dict[str, Any]] = [{"learning_rate": 0.5, "regularizer": lambda m: m.regularizer.L1Decay(0.3)}] * len(
        SHAPES
    )
    race(
        lambda m, p: m.optimizer.SGD(0.1, parameters=[{"params": p, "learning_rate": 2.0, "weight_decay": 0.1}]), attrs
    )


def test_a_group_that_says_nothing_leaves_a_parameters_own() -> None:
    side = Side(Ours, [{"learning_rate": 0.5, "regularizer": lambda m: m.regularizer.L2Decay(0.3)}] * len(SHAPES))
    before = side.values()
    side.feed(gradients(0))  # type: ignore[arg-type]
    optimizer.SGD(0.1, parameters=[{"params": side.params}], weight_decay=0.7).step()
    for p, old, g in zip(side.values(), before, gradients(0), strict=True):
        np.testing.assert_allclose(p, old - 0.05 * (g + 0.3 * old), rtol=0, atol=1e-6)  # float32 of numbers about 1


def test_adamw_decays_only_what_its_function_names() -> None:
    def make(module: Any, params: list[Any]) -> Any:
        kept = {params[0].name, params[4].name}
        return module.optimizer.AdamW(
            0.01, parameters=params, weight_decay=0.5, apply_decay_param_fun=lambda name: name in kept
        )

    race(make)


@pytest.mark.parametrize("rule", ["Momentum", "Adam", "AdamW"])
def test_missing_and_zero_gradients_are_treated_as_paddle_treats_them(rule: str) -> None:
    ours, theirs = Side(Ours), Side(paddle)
    pair = [RULES[rule](Ours, ours.params), RULES[rule](paddle, theirs.params)]
    for step in range(6):
        fed: list[Array | None] = list(gradients(step))
        fed[step % len(fed)] = None  # its parameter stands still, and falls behind by a step
        fed[(step + 1) % len(fed)] = np.zeros(
            SHAPES[(step + 1) % len(fed)], np.float32
        )  # this one moves on what is left
        for side, opt in zip((ours, theirs), pair, strict=True):
            side.feed(fed)
            opt.step()
        close(ours.values(), theirs.values())


def test_without_gradients_a_step_changes_nothing() -> None:
    side = Side(Ours)
    before = side.values()
    opt = optimizer.Adam(0.1, parameters=side.params, weight_decay=0.5)
    opt.step()
    assert all(np.array_equal(a, b) for a, b in zip(side.values(), before, strict=True))
    assert opt.state_dict() == {}


def reference(rule: str, p: Array, grads: list[Array], l2: float) -> Array:
    """The rules in float64, as their papers write them."""
    p = p.astype(np.float64)
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, gradient in enumerate(grads, start=1):
        g = gradient.astype(np.float64) + l2 * p
        if rule == "SGD":
            p = p - 0.1 * g
        elif rule in ("Momentum", "Nesterov", "Rescaled"):
            if rule == "Rescaled":
                g = 0.25 * gradient.astype(np.float64) + l2 * p
            mu = 0.8 if rule == "Nesterov" else 0.9
            v = mu * v + g
            p = p - 0.05 * (g + mu * v if rule == "Nesterov" else v)
        else:
            lr, b1, b2, eps = (0.02, 0.5, 0.9, 1e-3) if rule == "Adam-betas" else (0.01, 0.9, 0.999, 1e-8)
            if rule == "AdamW":
                g, p = gradient.astype(np.float64), p * (1 - lr * l2)
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            p = p - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    return p


@pytest.mark.parametrize("l2", [0.0, 0.05])
@pytest.mark.parametrize("rule", RULES)
def test_updates_follow_the_rules_in_float64(rule: str, l2: float) -> None:
    side = Side(Ours)
    before = side.values()
    opt = RULES[rule](Ours, side.params, weight_decay=l2)
    for step in range(20):
        side.feed(gradients(step))  # type: ignore[arg-type]
        opt.step()
    for i, (given, start) in enumerate(zip(side.values(), before, strict=True)):
        wanted = reference(rule, start, [gradients(step)[i] for step in range(20)], l2)
        # float32 with beta powers in float32: 1 - beta2^t keeps four to five digits in the first steps
        assert np.linalg.norm(given - wanted) <= 1e-5 * np.linalg.norm(wanted)


@pytest.mark.parametrize("rule", RULES)
def test_a_gradient_that_is_a_read_only_view_serves_too(rule: str) -> None:
    p = create_parameter([1], default_initializer=nn.initializer.Constant(1.0))
    assert p is not None
    p.sum().backward()
    RULES[rule](Ours, [p]).step()
    assert p.numpy()[0] < 1.0


def test_gradients_of_another_dtype_are_converted() -> None:
    p = create_parameter([2], default_initializer=nn.initializer.Constant(1.0))
    assert p is not None
    p.grad = to_tensor(np.array([1.0, 2.0]))
    optimizer.SGD(0.5, [p]).step()
    assert p.numpy().tolist() == [0.5, 0.0]


def test_the_order_is_clip_first_then_decay() -> None:
    p = create_parameter([4], default_initializer=nn.initializer.Constant(10.0))
    assert p is not None
    p.grad = to_tensor(np.full(4, 3.0, np.float32))
    optimizer.SGD(1.0, parameters=[p], weight_decay=0.1, grad_clip=nn.ClipGradByValue(1.0)).step()
    assert p.numpy().tolist() == [8.0] * 4  # 10 - (1 + 0.1 · 10); the other way round it would be 9


# ---- clipping ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", [c for c in CLIPS if c != "none"])
def test_clipping_leaves_the_stored_gradients_alone(clip: str) -> None:
    side = Side(Ours)
    side.feed(gradients(0))  # type: ignore[arg-type]
    optimizer.SGD(0.1, parameters=side.params, **CLIPS[clip](Ours)).step()
    for p, g in zip(side.params, gradients(0), strict=True):
        assert np.array_equal(p.grad.numpy(), g)


def test_a_clipped_global_norm_is_the_bound() -> None:
    clipped = nn.ClipGradByGlobalNorm(2.0).clip_arrays(gradients(0))
    assert math.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in clipped)) == pytest.approx(2.0, rel=1e-6)
    each = nn.ClipGradByNorm(0.5).clip_arrays(gradients(0))
    assert max(float(np.linalg.norm(g.astype(np.float64))) for g in each) == pytest.approx(0.5, rel=1e-6)


def test_clipping_lets_nan_and_infinity_through_in_silence() -> None:
    bad = [np.array([np.nan, 1.0], np.float32), np.array([np.inf, 1.0], np.float32)]
    for clip in (nn.ClipGradByGlobalNorm(1.0), nn.ClipGradByNorm(1.0), nn.ClipGradByValue(1.0)):
        assert np.isnan(clip.clip_arrays(bad)[0]).any()


def test_clips_print_as_paddles() -> None:
    for make in CLIPS.values():
        ours, theirs = make(Ours).get("grad_clip"), make(paddle).get("grad_clip")
        assert ours is None or str(ours) == str(theirs)


# ---- gradients, minimize, learning rate ------------------------------------------------------------------------------------


def test_clear_grad_zeroes_in_place_or_drops() -> None:
    side = Side(Ours)
    opt = optimizer.Adam(parameters=side.params)
    opt.clear_grad()
    assert all(p.grad is None for p in side.params)
    side.feed(gradients(0))  # type: ignore[arg-type]
    blocks = [p.grad.data_array() for p in side.params]
    opt.clear_gradients()
    assert all(p.grad.data_array() is block and not block.any() for p, block in zip(side.params, blocks, strict=True))
    opt.clear_grad(set_to_zero=False)
    assert all(p.grad is None for p in side.params)


def test_minimize_steps_without_backward_and_without_clearing() -> None:
    net = nn.Linear(2, 1)
    loss = net(to_tensor(np.ones((1, 2), np.float32))).sum()
    opt = optimizer.SGD(0.5, parameters=net.parameters())
    assert opt.minimize(loss) == ([], [])
    loss.backward()
    before = net.weight.numpy()
    ops, pairs = opt.minimize(loss)
    assert ops == []
    assert [p for p, _ in pairs] == net.parameters()
    assert np.allclose(net.weight.numpy(), before - 0.5)
    assert net.weight.grad is pairs[0][1]
    assert net.weight.grad.numpy().tolist() == [[1.0], [1.0]]
    assert [p for p, _ in opt.minimize(loss, parameters=[net.weight])[1]] == [net.weight]
    assert [p for p, _ in opt.minimize(loss, no_grad_set=[net.weight])[1]] == [net.bias]


def test_the_learning_rate_can_be_read_set_and_scheduled() -> None:
    p = create_parameter([1])
    opt = optimizer.SGD(0.1, parameters=[p])
    assert opt.get_lr() == 0.1
    opt.set_lr(2)
    assert opt.get_lr() == 2.0
    schedule = optimizer.lr.StepDecay(0.4, 1, 0.5)
    opt.set_lr_scheduler(schedule)
    assert opt.get_lr() == 0.4
    schedule.step()
    assert opt.get_lr() == 0.2
    with pytest.raises(RuntimeError, match=r"StepDecay.*set_lr_scheduler"):
        opt.set_lr(0.1)


def test_a_new_learning_rate_reaches_the_very_next_step() -> None:
    p = create_parameter([1], default_initializer=nn.initializer.Constant(1.0))
    assert p is not None
    opt = optimizer.SGD(0.1, parameters=[p])
    p.grad = to_tensor(np.ones(1, np.float32))
    opt.step()
    opt.set_lr(0.5)
    opt.step()
    assert p.numpy()[0] == pytest.approx(0.4)


def test_numbers_of_numpy_and_tensors_are_numbers() -> None:
    p = create_parameter([1])
    assert optimizer.Adam(np.float32(0.5), to_tensor(0.5), parameters=[p])._options["beta1"] == 0.5
    assert optimizer.SGD(np.float64(0.25), (q for q in [p])).get_lr() == 0.25
    assert optimizer.SGD(-0.1, []).get_lr() == -0.1


# ---- state ---------------------------------------------------------------------------------------------------------------

KEPT = ["Momentum", "Adam", "AdamW"]


def after_steps(module: Any, rule: str, steps: int, **options: Any) -> tuple[Side, Any]:
    side = Side(module)
    opt = RULES[rule](module, side.params, **options)
    for step in range(steps):
        side.feed(gradients(step))  # type: ignore[arg-type]
        opt.step()
    return side, opt


def normal(key: str, side: Side) -> str:
    """A state key with the parameter's place instead of its name, and no count."""
    for place, p in enumerate(side.params):
        if key.startswith(f"{p.name}_"):
            return f"{place}:{key.removeprefix(f'{p.name}_').rpartition('_')[0]}"
    return key


@pytest.mark.parametrize("rule", ["SGD", *KEPT])
def test_state_dict_has_paddles_keys_shapes_and_numbers(rule: str) -> None:
    (ours, opt), (theirs, other) = after_steps(Ours, rule, 5), after_steps(paddle, rule, 5)
    given = {normal(key, ours): value for key, value in opt.state_dict().items()}
    wanted = {normal(key, theirs): value for key, value in other.state_dict().items()}
    assert list(given) == list(wanted)
    for key, tensor in wanted.items():
        assert given[key].shape == list(tensor.shape)
        assert given[key].stop_gradient
        if "pow" in key:
            assert given[key].numpy() == tensor.numpy()  # the same float32 products
        else:
            close([given[key].numpy()], [tensor.numpy()])


def test_state_keys_begin_with_the_parameters_name() -> None:
    side, opt = after_steps(Ours, "Adam", 1)
    key = f"{side.params[2].name}_moment2_0"
    assert opt.state_dict()[key].name == key
    assert f"{side.params[2].name}_beta1_pow_acc_0" in opt.state_dict()


def test_state_dict_is_empty_before_the_first_step_and_holds_the_schedule() -> None:
    p = create_parameter([1])
    assert optimizer.Adam(0.1, parameters=[p]).state_dict() == {}
    schedule = optimizer.lr.StepDecay(0.1, 3)
    assert optimizer.Adam(schedule, parameters=[p]).state_dict() == {"LR_Scheduler": {"last_epoch": 0, "last_lr": 0.1}}


def test_state_dict_is_a_snapshot() -> None:
    side, opt = after_steps(Ours, "Adam", 1)
    state = opt.state_dict()
    before = {key: value.numpy() for key, value in state.items()}
    side.feed(gradients(9))  # type: ignore[arg-type]
    opt.step()
    assert all(np.array_equal(state[key].numpy(), value) for key, value in before.items())


def continued(side: Side, opt: Any) -> list[Array]:
    for step in range(5, 8):
        side.feed(gradients(step))  # type: ignore[arg-type]
        opt.step()
    return side.values()


def take_values(target: Side, source: Side) -> None:
    for p, q in zip(target.params, source.params, strict=True):
        p.set_value(q.numpy())


@pytest.mark.parametrize("how", ["tensors", "arrays", "sorted"])
@pytest.mark.parametrize("rule", KEPT)
def test_a_second_model_in_the_same_process_takes_over_the_state(rule: str, how: str) -> None:
    source, opt = after_steps(Ours, rule, 5)
    state = opt.state_dict()
    if how == "arrays":
        state = {key: value.numpy() for key, value in state.items()}
    if how == "sorted":  # as files with sorted keys bring it back
        state = {key: state[key] for key in sorted(state)}
    target = Side(Ours)
    take_values(target, source)
    other = RULES[rule](Ours, target.params)
    other.set_state_dict(state)
    assert all(np.array_equal(a, b) for a, b in zip(continued(target, other), continued(source, opt), strict=True))


@pytest.mark.parametrize("rule", KEPT)
def test_an_optimizer_takes_back_its_own_state_in_place(rule: str) -> None:
    side, opt = after_steps(Ours, rule, 5)
    state, values = opt.state_dict(), side.values()
    blocks = [block for blocks in opt._states.values() for block in blocks]
    first = continued(side, opt)
    opt.set_state_dict(state)
    for p, value in zip(side.params, values, strict=True):
        p.set_value(value)
    assert all(
        a is b for a, b in zip(blocks, [block for blocks in opt._states.values() for block in blocks], strict=True)
    )
    assert all(np.array_equal(a, b) for a, b in zip(continued(side, opt), first, strict=True))


@pytest.mark.parametrize("rule", KEPT)
def test_real_paddles_state_goes_on_here(rule: str) -> None:
    theirs, opt = after_steps(paddle, rule, 5)
    target = Side(Ours)
    take_values(target, theirs)
    other = RULES[rule](Ours, target.params)
    other.set_state_dict({key: value.numpy() for key, value in opt.state_dict().items()})
    close(continued(target, other), continued(theirs, opt))


def test_names_decide_before_order_does() -> None:
    source, opt = after_steps(Ours, "Adam", 2)
    backwards = optimizer.Adam(0.01, parameters=source.params[::-1])
    backwards.set_state_dict(opt.state_dict())
    for p in source.params:
        assert np.array_equal(backwards._states[id(p)][0], opt._states[id(p)][0])


def test_sorted_names_are_matched_by_their_numbers() -> None:
    def nets() -> tuple[list[Parameter], Any]:
        layers = [nn.Linear(1, 1, bias_attr=False) for _ in range(12)]
        params = [layer.weight for layer in layers]
        return params, optimizer.Momentum(0.1, parameters=params)

    params, opt = nets()
    for place, p in enumerate(params):
        p.grad = to_tensor(np.full((1, 1), float(place), np.float32))
    opt.step()
    others, other = nets()
    state = opt.state_dict()
    other.set_state_dict({key: state[key] for key in sorted(state)})  # linear_10 comes before linear_9
    assert [float(other._states[id(p)][0][0, 0]) for p in others] == [float(place) for place in range(12)]


def test_parameters_the_state_leaves_out_start_afresh() -> None:
    side, opt = after_steps(Ours, "Adam", 3)
    state = {key: value for key, value in opt.state_dict().items() if not key.startswith(f"{side.params[1].name}_")}
    opt.set_state_dict(state)
    assert not opt._states[id(side.params[1])][0].any()
    assert id(side.params[1]) not in opt._powers
    assert opt._states[id(side.params[0])][0].any()


def test_frozen_parameters_are_not_counted_when_order_decides() -> None:
    source, opt = after_steps(Ours, "Adam", 2)
    attrs: list[dict[str, Any]] = [{} for _ in SHAPES]
    target = Side(Ours, attrs)
    extra = create_parameter([3], attr=ParamAttr(trainable=False))
    other = optimizer.Adam(0.01, parameters=[extra, *target.params])
    other.set_state_dict(opt.state_dict())
    assert np.array_equal(other._states[id(target.params[3])][1], opt._states[id(source.params[3])][1])


def test_the_schedule_is_restored_too() -> None:
    side = Side(Ours)
    schedule = optimizer.lr.StepDecay(0.1, 2)
    opt = optimizer.SGD(schedule, parameters=side.params)
    for _ in range(5):
        schedule.step()
    state = opt.state_dict()
    fresh = optimizer.lr.StepDecay(0.1, 2)
    optimizer.SGD(fresh, parameters=side.params).set_state_dict(state)
    assert fresh.last_epoch == 5
    assert fresh() == schedule()
    optimizer.SGD(optimizer.lr.LambdaDecay(0.1, lambda t: 1.0), parameters=side.params).set_state_dict({})


# ---- plans -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("rule", PARITY)
def test_a_plans_numbers_make_the_same_update(rule: str, clip: str) -> None:
    attrs: list[dict[str, Any]] = [
        {},
        {"learning_rate": 0.5},
        {},
        {"need_clip": False},
        {},
        {"regularizer": lambda m: L2Decay(0.3)},
    ]
    side = Side(Ours, attrs)
    opt = RULES[rule](Ours, side.params, weight_decay=0.05, **CLIPS[clip](Ours))
    for step in range(3):
        side.feed(gradients(step))  # type: ignore[arg-type]
        opt.step()
    spec, reason = opt._plan_spec()
    assert reason == ""
    assert spec is not None
    assert spec.params == side.params
    twin = [p.numpy() for p in side.params]
    states = [[state.copy() for state in states] for states in spec.states]
    fed = gradients(7)
    plan_step(spec, twin, states, fed, opt.get_lr())
    side.feed(fed)  # type: ignore[arg-type]
    opt.step()
    for given, wanted in zip(twin, side.values(), strict=True):
        assert np.array_equal(given, wanted)


def plan_step(spec: Any, values: list[Array], states: list[list[Array]], grads: list[Array], lr: float) -> None:
    """One step made from a PlanSpec alone, parameter by parameter, with the core's own rules."""
    from lenet import _core

    u = spec.update
    chosen = [g for g, clips in zip(grads, spec.clips, strict=True) if clips]
    clip = {
        "value": lambda: nn.ClipGradByValue(u["clip_hi"], u["clip_lo"]),
        "norm": lambda: nn.ClipGradByNorm(u["clip_hi"]),
        "global_norm": lambda: nn.ClipGradByGlobalNorm(u["clip_hi"]),
    }
    clipped: Iterator[Array] = iter(clip[u["clip"]]().clip_arrays(chosen) if u["clip"] else chosen)
    for i, value in enumerate(values):
        g = next(clipped) if spec.clips[i] else grads[i]
        rate = float(np.float32(lr) * np.float32(spec.lr[i]))
        if u["rule"] == "sgd":
            _core.sgd([value], [g], rate, spec.l2[i])
        elif u["rule"] == "momentum":
            _core.momentum([value], [g], [states[i][0]], rate, u["mu"], u["nesterov"], spec.l2[i])
        else:
            decay = u["decay"] if spec.decays[i] else 0.0
            numbers = (rate, u["beta1"], u["beta2"], u["eps"], u["beta1_pow"], u["beta2_pow"], spec.l2[i], decay)
            _core.adam([value], [g], [states[i][0]], [states[i][1]], *numbers)


def test_advance_counts_the_steps_a_plan_has_made() -> None:
    planned, stepped = after_steps(Ours, "Adam", 2)[1], after_steps(Ours, "Adam", 9)[1]
    planned._advance(7)
    spec, reference_spec = planned._plan_spec()[0], stepped._plan_spec()[0]
    for key in ("beta1_pow", "beta2_pow"):
        assert spec.update[key] == reference_spec.update[key] != 0.0


def test_a_plan_starts_before_the_first_step() -> None:
    side = Side(Ours)
    opt = optimizer.Adam(0.01, parameters=side.params)
    spec, _ = opt._plan_spec()
    assert spec is not None
    assert spec.update["beta1_pow"] == float(np.float32(0.9))
    assert all(
        a is b
        for p, states in zip(side.params, spec.states, strict=True)
        for a, b in zip(opt._states[id(p)], states, strict=True)
    )
    opt._advance(1)
    assert float(opt.state_dict()[f"{side.params[0].name}_beta1_pow_acc_0"]) == float(np.float32(0.9) * np.float32(0.9))


class OwnAdam(optimizer.Adam):
    """A subclass, which a plan must not take for Adam."""


class OwnClip(nn.ClipGradByNorm):
    """A clip of one's own."""


NO_PLAN: list[tuple[Callable[[list[Any]], Any], str]] = [
    (lambda p: OwnAdam(parameters=p), "OwnAdam is an update rule of your own"),
    (lambda p: optimizer.Optimizer(0.1, p), "Optimizer is an update rule"),
    (lambda p: optimizer.SGD(0.1, p, L1Decay(0.1)), "its weight decay is not L2"),
    (lambda p: optimizer.SGD(0.1, p, grad_clip=OwnClip(1.0)), "OwnClip"),
    (lambda p: optimizer.Momentum(0.1, parameters=p, rescale_grad=0.5), "rescales its gradients"),
    (lambda p: optimizer.Adam(parameters=[{"params": p[:1], "beta1": 0.5}, {"params": p[1:]}]), "groups differ"),
    (
        lambda p: optimizer.SGD(
            0.1, [{"params": p[:1], "grad_clip": None}, {"params": p[1:]}], grad_clip=nn.ClipGradByNorm(1.0)
        ),
        "groups differ",
    ),
    (
        lambda p: optimizer.SGD(0.1, [{"params": p[:1]}, {"params": p[1:]}], grad_clip=nn.ClipGradByGlobalNorm(1.0)),
        "group by group",
    ),
]


@pytest.mark.parametrize(("make", "words"), NO_PLAN)
def test_what_a_plan_cannot_do_is_said(make: Callable[[list[Any]], Any], words: str) -> None:
    spec, reason = make(Side(Ours).params)._plan_spec()
    assert spec is None
    assert words in reason


def test_parameters_of_different_ages_have_no_plan() -> None:
    side = Side(Ours)
    opt = optimizer.Adam(parameters=side.params)
    side.feed([*gradients(0)[:-1], None])
    opt.step()
    assert opt._plan_spec() == (None, "its parameters have made different numbers of steps")


# ---- a rule of one's own, and refusals ---------------------------------------------------------------------------------------


def test_a_rule_of_ones_own() -> None:
    class SignSGD(optimizer.Optimizer):
        def _update(self, batch: Batch) -> None:
            for value, g in zip(batch.values, batch.grads, strict=True):
                value -= np.float32(batch.lr) * np.sign(g)

    side = Side(Ours)
    before = side.values()
    side.feed(gradients(0))  # type: ignore[arg-type]
    SignSGD(0.5, side.params).step()
    for p, old, g in zip(side.values(), before, gradients(0), strict=True):
        np.testing.assert_array_equal(p, old - np.float32(0.5) * np.sign(g))


def params_of(module: Any) -> list[Any]:
    return list(Side(module).params)


REFUSALS: list[tuple[Callable[[Any, list[Any]], Any], type[Exception], str, type[Exception] | None]] = [
    (lambda m, p: m.optimizer.Adam(0.1), AttributeError, r"net\.parameters\(\)", AttributeError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=p[0]), TypeError, "a list of Parameters", TypeError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters={"a": 1}), TypeError, "a list of Parameters", TypeError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=3), TypeError, "a list of Parameters", TypeError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=[3]), TypeError, "int 3, expected Parameters", None),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=p + p), ValueError, "twice", None),
    (lambda m, p: m.optimizer.Adam(1, parameters=p), TypeError, r"int 1, expected a float.*Type 1\.0", TypeError),
    (lambda m, p: m.optimizer.Adam(True, parameters=p), TypeError, "bool True", TypeError),
    (lambda m, p: m.optimizer.Adam("a", parameters=p), TypeError, "learning_rate", TypeError),
    (lambda m, p: m.optimizer.Adam(math.nan, parameters=p), ValueError, "learning_rate.*finite", None),
    (lambda m, p: m.optimizer.SGD(None, parameters=p), ValueError, "learning_rate", ValueError),
    (lambda m, p: m.optimizer.Adam(0.1, beta1=1.0, parameters=p), ValueError, "beta1.*below 1", ValueError),
    (lambda m, p: m.optimizer.Adam(0.1, beta1=-0.1, parameters=p), ValueError, "beta1", ValueError),
    (lambda m, p: m.optimizer.Adam(0.1, beta1="a", parameters=p), TypeError, "beta1", TypeError),
    (lambda m, p: m.optimizer.AdamW(0.1, beta2=1.0, parameters=p), ValueError, "beta2", ValueError),
    (lambda m, p: m.optimizer.Adam(0.1, epsilon=-1.0, parameters=p), ValueError, "epsilon.*at least 0", ValueError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=p, weight_decay="a"), TypeError, "weight_decay", None),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=p, amsgrad=True), ValueError, "amsgrad", None),
    (lambda m, p: m.optimizer.AdamW(0.1, parameters=p, weight_decay="a"), TypeError, "weight_decay", TypeError),
    (lambda m, p: m.optimizer.AdamW(0.1, parameters=p, weight_decay=None), TypeError, "weight_decay", TypeError),
    (
        lambda m, p: m.optimizer.AdamW(0.1, parameters=p, weight_decay=m.regularizer.L2Decay(0.1)),
        TypeError,
        "weight_decay",
        TypeError,
    ),
    (
        lambda m, p: m.optimizer.AdamW(0.1, parameters=p, lr_ratio=lambda q: 1.0),
        NotImplementedError,
        "lr_ratio.*groups",
        NotImplementedError,
    ),
    (
        lambda m, p: m.optimizer.AdamW(0.1, parameters=p, apply_decay_param_fun=3),
        TypeError,
        "apply_decay_param_fun",
        None,
    ),
    (lambda m, p: m.optimizer.Momentum(0.1, momentum=None, parameters=p), ValueError, "momentum", ValueError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=p, grad_clip=3), TypeError, r"nn\.ClipGradByGlobalNorm", TypeError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=[{"par": p}]), ValueError, "'params' entry", AssertionError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=[{"params": p}, p[0]]), ValueError, "'params' entry", None),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=[{"params": p}, {"params": p}]), ValueError, "twice", ValueError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=[{"params": set(p)}]), TypeError, "no order", TypeError),
    (
        lambda m, p: m.optimizer.Adam(0.1, parameters=[{"params": p, "lr": 1.0}]),
        ValueError,
        "'lr'.*'learning_rate'",
        None,
    ),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=[{"params": p, "beta1": 2.0}]), ValueError, "beta1", None),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=p).set_lr("a"), TypeError, "set_lr", TypeError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=p).set_lr_scheduler(3), TypeError, "an LRScheduler", TypeError),
    (lambda m, p: m.optimizer.Adam(0.1, parameters=p).minimize(3), ValueError, "the loss, a Tensor", AssertionError),
    (
        lambda m, p: m.optimizer.SGD(m.optimizer.lr.StepDecay(0.1, 3), p).set_state_dict({}),
        ValueError,
        "LR_Scheduler",
        AssertionError,
    ),
    (lambda m, p: stepped_base(m, p), NotImplementedError, "SGD, Momentum, Adam or AdamW", NotImplementedError),
    (lambda m, p: m.nn.ClipGradByValue(-1.0), ValueError, "above 0", AssertionError),
    (lambda m, p: m.nn.ClipGradByValue(0.1, 0.2), ValueError, "min at most max", None),
    (lambda m, p: m.nn.ClipGradByNorm(0.0), ValueError, "above 0", None),
    (lambda m, p: m.nn.ClipGradByGlobalNorm(math.nan), ValueError, "above 0", None),
    (lambda m, p: m.nn.ClipGradByGlobalNorm([1]), TypeError, "a number", TypeError),
]


def stepped_base(module: Any, params: list[Any]) -> None:
    tensor = to_tensor if module is Ours else paddle.to_tensor
    params[0].grad = tensor(np.ones(SHAPES[0], np.float32))
    module.optimizer.Optimizer(0.1, params).step()


@pytest.mark.parametrize(("write", "kind", "words", "theirs"), REFUSALS)
def test_bad_optimizers_are_refused(
    write: Callable[[Any, list[Any]], Any], kind: type[Exception], words: str, theirs: type[Exception] | None
) -> None:
    with pytest.raises(kind, match=words):
        write(Ours, params_of(Ours))
    if theirs is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(theirs):
                write(paddle, params_of(paddle))


STATES: list[tuple[Callable[[dict[str, Any], Side], dict[str, Any]], str]] = [
    (lambda s, side: {}, "an empty one"),
    (lambda s, side: {"foo": 1}, "'foo'.*_moment1_0"),
    (lambda s, side: {k: v for k, v in s.items() if "moment2" not in k}, "no moment2 for"),
    (lambda s, side: {k: v for k, v in s.items() if "beta1_pow" not in k}, "no beta1_pow_acc for"),
    (
        lambda s, side: s | {f"{side.params[1].name}_moment1_0": np.zeros(8, np.float32)},
        r"moment1 of .* shape \[8\], expected \[7\]",
    ),
    (
        lambda s, side: s | {f"{side.params[1].name}_beta1_pow_acc_0": np.zeros(8, np.float32)},
        r"beta1_pow_acc of .* shape \[8\], expected \[1\]",
    ),
    (
        lambda s, side: {f"other_{k}": v for k, v in list(s.items())[::2]},
        "3 parameters.*expected 6, as this optimizer has",
    ),
]


@pytest.mark.parametrize(("spoil", "words"), STATES)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(
    spoil: Callable[[dict[str, Any], Side], dict[str, Any]], words: str
) -> None:
    side, opt = after_steps(Ours, "Adam", 2)
    before = {key: value.numpy() for key, value in opt.state_dict().items()}
    with pytest.raises(ValueError, match=words):
        opt.set_state_dict(spoil(opt.state_dict(), side))
    assert all(np.array_equal(opt.state_dict()[key].numpy(), value) for key, value in before.items())
