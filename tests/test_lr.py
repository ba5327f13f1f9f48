"""Learning-rate schedules against real Paddle's: every rate, every state, and every refusal."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from lenet.optimizer import lr
from lenet.train import RECIPES

SCHEDULES = {
    "NoamDecay": lambda m, **k: m.NoamDecay(64, 4, **k),
    "NoamDecay-scaled": lambda m, **k: m.NoamDecay(10, 7, 0.5, **k),
    "PiecewiseDecay": lambda m, **k: m.PiecewiseDecay([2, 4, 20], [0.1, 0.2, 0.3, 0.05], **k),
    "NaturalExpDecay": lambda m, **k: m.NaturalExpDecay(0.1, 0.1, **k),
    "InverseTimeDecay": lambda m, **k: m.InverseTimeDecay(0.1, 0.1, **k),
    "PolynomialDecay": lambda m, **k: m.PolynomialDecay(0.1, 5, **k),
    "PolynomialDecay-cycle": lambda m, **k: m.PolynomialDecay(0.1, 7, 0.01, 2.0, True, **k),
    "LinearWarmup-number": lambda m, **k: m.LinearWarmup(0.1, 4, 0.0, 0.1, **k),
    "LinearWarmup-cosine": lambda m, **k: m.LinearWarmup(m.CosineAnnealingDecay(0.1, 9, 0.001), 5, 0.01, 0.1, **k),
    "LinearWarmup-step": lambda m, **k: m.LinearWarmup(m.StepDecay(0.2, 3), 3, 0.0, 0.2, **k),
    "ExponentialDecay": lambda m, **k: m.ExponentialDecay(0.1, 0.9, **k),
    "MultiStepDecay": lambda m, **k: m.MultiStepDecay(0.1, [2, 4, 17], **k),
    "MultiStepDecay-gamma": lambda m, **k: m.MultiStepDecay(1, (3,), 0.3, **k),
    "StepDecay": lambda m, **k: m.StepDecay(0.1, 3, **k),
    "StepDecay-gamma": lambda m, **k: m.StepDecay(0.1, 7, 0.77, **k),
    "LambdaDecay": lambda m, **k: m.LambdaDecay(0.5, lambda t: 0.95**t, **k),
    "MultiplicativeDecay": lambda m, **k: m.MultiplicativeDecay(0.5, lambda t: 0.9 + 0.001 * t, **k),
    "CosineAnnealingDecay": lambda m, **k: m.CosineAnnealingDecay(0.1, 5, **k),
    "CosineAnnealingDecay-floor": lambda m, **k: m.CosineAnnealingDecay(0.1, 12, 0.003, **k),
    "CosineAnnealingDecay-1": lambda m, **k: m.CosineAnnealingDecay(0.1, 1, **k),
    "OneCycleLR": lambda m, **k: m.OneCycleLR(0.1, 30, **k),
    "OneCycleLR-linear": lambda m, **k: m.OneCycleLR(0.1, 33, 10.0, 0.001, 0.2, "linear", **k),
    "OneCycleLR-three": lambda m, **k: m.OneCycleLR(0.1, 31, three_phase=True, **k),
    "CyclicLR": lambda m, **k: m.CyclicLR(0.1, 0.5, 3, **k),
    "CyclicLR-2": lambda m, **k: m.CyclicLR(0.1, 0.5, 3, 5, "triangular2", **k),
    "CyclicLR-exp": lambda m, **k: m.CyclicLR(0.1, 0.5, 4, None, "exp_range", 0.9, **k),
    "CyclicLR-own": lambda m, **k: m.CyclicLR(0.1, 0.5, 4, 2, "x", 1.0, lambda t: 1 / (1 + t), "iterations", **k),
    "CyclicLR-own-cycle": lambda m, **k: m.CyclicLR(0.1, 0.5, 4, 2, scale_fn=lambda c: 1 / c, **k),
    "LinearLR": lambda m, **k: m.LinearLR(0.1, 4, **k),
    "LinearLR-down": lambda m, **k: m.LinearLR(0.1, 20, 1.0, 0.1, **k),
    "CosineAnnealingWarmRestarts": lambda m, **k: m.CosineAnnealingWarmRestarts(0.1, 8, **k),
    "CosineAnnealingWarmRestarts-2": lambda m, **k: m.CosineAnnealingWarmRestarts(0.1, 7, 2, 0.001, **k),
}
STEPS = 30
# Both sides are float64 formulas of a few operations; 1e-12 leaves room for the order of those operations, no more.
# The absolute part is for rates that are 0 by formula and 1e-18 by rounding.
CLOSE = {"rtol": 1e-12, "atol": 1e-16}


@pytest.fixture(scope="module")
def theirs(paddle: Any) -> Any:
    return paddle.optimizer.lr


def rates(scheduler: Any, steps: int) -> list[float]:
    seen = [scheduler()]
    for _ in range(steps):
        scheduler.step()
        seen.append(scheduler())
    return seen


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_equal_paddles(name: str, theirs: Any) -> None:
    ours, other = SCHEDULES[name](lr), SCHEDULES[name](theirs)
    np.testing.assert_allclose(rates(ours, STEPS), rates(other, STEPS), **CLOSE)
    assert ours.last_epoch == other.last_epoch == STEPS
    assert isinstance(ours(), float)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_equal_paddles_when_started_later(name: str, theirs: Any) -> None:
    ours, other = SCHEDULES[name](lr, last_epoch=4), SCHEDULES[name](theirs, last_epoch=4)
    assert ours.last_epoch == other.last_epoch == 5
    np.testing.assert_allclose(rates(ours, 20), rates(other, 20), **CLOSE)


@pytest.mark.parametrize("name", SCHEDULES)
def test_step_to_an_epoch_equals_paddles(name: str, theirs: Any) -> None:
    ours, other = SCHEDULES[name](lr), SCHEDULES[name](theirs)
    for epoch in (3, 4, 17, 9, 0, 25):
        ours.step(epoch)
        other.step(epoch)
        np.testing.assert_allclose(ours(), other(), **CLOSE, err_msg=str(epoch))


@pytest.mark.parametrize("name", SCHEDULES)
def test_states_are_exchanged_both_ways(name: str, theirs: Any) -> None:
    ours, other = SCHEDULES[name](lr), SCHEDULES[name](theirs)
    rates(ours, 11)
    rates(other, 11)
    assert list(ours.state_dict()) == list(other.state_dict())
    mine, yours = SCHEDULES[name](lr), SCHEDULES[name](theirs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle's LinearWarmup warns about its own inner state
        yours.set_state_dict(ours.state_dict())
    mine.set_state_dict(other.state_dict())
    np.testing.assert_allclose(rates(mine, 15), rates(ours, 15), **CLOSE)
    # Paddle does not keep where a warm restart stands, so there its own resumed schedule is not one to compare with.
    if "Restarts" not in name:
        np.testing.assert_allclose(rates(yours, 15), rates(other, 15), **CLOSE)


def test_known_rates() -> None:
    """Worked by hand, so that the suite says something about the numbers even without the other side."""
    assert rates(lr.StepDecay(1.0, 2, 0.5), 5) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    assert rates(lr.LinearWarmup(1.0, 4, 0.0, 1.0), 5) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert rates(lr.MultiStepDecay(1.0, [1, 3], 0.5), 4) == [1.0, 0.5, 0.5, 0.25, 0.25]


METRICS = [5.0, 4.0, 4.0, 4.1, 3.99999, 4.2, 4.3, 4.4, 1.0, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, float("nan")]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("cooldown", [0, 2])
def test_plateau_equals_paddles(mode: str, threshold_mode: str, cooldown: int, theirs: Any) -> None:
    made = [m.ReduceOnPlateau(0.1, mode, 0.5, 2, 1e-3, threshold_mode, cooldown, 0.002) for m in (lr, theirs)]
    for value in METRICS:
        for scheduler in made:
            scheduler.step(value)
        assert made[0].state_dict() == made[1].state_dict()
    assert made[0]() < 0.1
    other = lr.ReduceOnPlateau(0.1, mode, 0.5, 2, 1e-3, threshold_mode, cooldown, 0.002)
    other.set_state_dict(made[1].state_dict())
    assert other.state_dict() == made[0].state_dict()


def test_plateau_takes_arrays_and_keeps_a_plain_number() -> None:
    scheduler = lr.ReduceOnPlateau(1)
    scheduler.step(np.float32(2.5))
    scheduler.step(np.array([[2.0]]))
    assert scheduler.state_dict()["best"] == 2.0
    assert type(scheduler.best) is float
    scheduler.step(3, epoch=7)
    assert scheduler.last_epoch == 7


def test_verbose_prints_paddles_line(capsys: pytest.CaptureFixture[str], theirs: Any) -> None:
    lines = []
    for module in (lr, theirs):
        scheduler = module.StepDecay(0.1, 2, verbose=True)
        scheduler.step()
        plateau = module.ReduceOnPlateau(0.1, patience=0, verbose=True)
        plateau.step(1.0)
        plateau.step(1.0)
        lines.append(capsys.readouterr().out)
    assert lines[0] == lines[1] != ""


def test_one_cycle_ends() -> None:
    scheduler = lr.OneCycleLR(0.1, 10)
    rates(scheduler, 10)
    with pytest.raises(ValueError, match=r"step 11, expected at most total_steps = 10"):
        scheduler.step()


def test_multiplicative_decay_calls_its_function_once_a_step() -> None:
    calls: list[int] = []

    def factor(t: int) -> float:
        calls.append(t)
        return 0.5

    scheduler = lr.MultiplicativeDecay(1.0, factor)
    assert rates(scheduler, 3) == [1.0, 0.5, 0.25, 0.125]
    assert calls == [1, 2, 3]
    scheduler.step(1)
    assert scheduler() == 0.5


def test_a_schedule_of_ones_own() -> None:
    class Halves(lr.LRScheduler):
        def get_lr(self) -> float:
            return self.base_lr / 2**self.last_epoch

    assert rates(Halves(1.0), 2) == [1.0, 0.5, 0.25]
    with pytest.raises(NotImplementedError, match="LRScheduler must define get_lr"):
        lr.LRScheduler()


def test_a_warm_up_holds_its_inner_schedule_back() -> None:
    inner = lr.StepDecay(0.1, 2)
    scheduler = lr.LinearWarmup(inner, 3, 0.0, 0.1)
    rates(scheduler, 3)
    assert inner.last_epoch == 0


def test_restarts_take_fractions(theirs: Any) -> None:
    ours, other = (m.CosineAnnealingWarmRestarts(0.1, 4, 2) for m in (lr, theirs))
    for epoch in (0.5, 3.75, 5.25, 11.5, 13.0):
        ours.step(epoch)
        other.step(epoch)
        assert ours.last_epoch == other.last_epoch
        np.testing.assert_allclose(ours(), other(), **CLOSE)


def test_a_foreign_state_is_refused_or_warned_about() -> None:
    with pytest.raises(RuntimeError, match=r"state of ReduceOnPlateau: got keys \['last_epoch', 'last_lr'\]"):
        lr.ReduceOnPlateau(0.1).set_state_dict(lr.StepDecay(0.1, 2).state_dict())
    with pytest.raises(RuntimeError, match="expected LinearWarmup_LR"):
        lr.LinearWarmup(lr.StepDecay(0.1, 2), 3, 0.0, 0.1).set_state_dict({"last_epoch": 3, "last_lr": 0.1})
    with pytest.warns(UserWarning, match=r"does not use the state's \['best', 'cooldown_counter', 'num_bad_epochs'\]"):
        lr.StepDecay(0.1, 2).set_state_dict(lr.ReduceOnPlateau(0.1).state_dict())
    scheduler = lr.LinearWarmup(lr.StepDecay(0.1, 2), 3, 0.0, 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.set_dict(scheduler.state_dict())


@pytest.mark.parametrize(("warmup", "steps"), [(0.2, 1876), (0.2, 7), (0.0, 5), (1.0, 5), (0.33, 1)])
def test_warm_up_and_decay_is_that_of_the_recipe_fast(warmup: float, steps: int) -> None:
    recipe = RECIPES["fast"]._replace(rate=0.02, warmup=warmup)
    expected = [recipe.rate_at(t, steps) for t in range(steps)]
    scheduler = lr.WarmupDecay(0.02, steps, warmup)
    seen = rates(scheduler, steps + 2)
    np.testing.assert_allclose(seen[:steps], expected, **CLOSE)
    assert max(seen) <= 0.02
    assert min(seen[:steps]) > 0
    assert seen[steps:] == [0.0] * 3


def test_warm_up_and_decay_goes_on_from_its_state() -> None:
    whole, first = lr.WarmupDecay(0.02, 20), lr.WarmupDecay(0.02, 20)
    expected = rates(whole, 20)
    rates(first, 6)
    state = first.state_dict()
    assert state == {"last_epoch": 6, "last_lr": expected[6]}
    second = lr.WarmupDecay(0.02, 20)
    second.set_state_dict(state)
    assert rates(second, 14) == expected[6:]
    assert lr.WarmupDecay(0.02, 20, last_epoch=5)() == expected[6]
    second.step(3)
    assert second() == expected[3]


BAD = [
    (lambda: lr.StepDecay("0.1", 3), TypeError, r"StepDecay\(learning_rate\): got str '0.1'"),
    (lambda: lr.StepDecay(True, 3), TypeError, "got bool True"),
    (lambda: lr.StepDecay(-0.1, 3), ValueError, "got -0.1, expected a learning rate of at least 0"),
    (lambda: lr.StepDecay(float("nan"), 3), ValueError, "got nan"),
    (lambda: lr.StepDecay(0.1, 3.0), TypeError, r"StepDecay\(step_size\)"),
    (lambda: lr.StepDecay(0.1, 0), ValueError, r"StepDecay\(step_size\): got 0"),
    (lambda: lr.StepDecay(0.1, 3, 1.0), ValueError, "a factor below 1"),
    (lambda: lr.MultiStepDecay(0.1, 3), TypeError, r"a list such as \[30, 60\]"),
    (lambda: lr.MultiStepDecay(0.1, [4, 2]), ValueError, "rising step numbers"),
    (lambda: lr.MultiStepDecay(0.1, [2], 1.5), ValueError, "a factor below 1"),
    (lambda: lr.NoamDecay(0, 4), ValueError, r"NoamDecay\(d_model\)"),
    (lambda: lr.PiecewiseDecay([], [0.1]), ValueError, "at least one step number"),
    (lambda: lr.PiecewiseDecay([2, 4], [0.1, 0.2]), ValueError, "2 values for 2 boundaries"),
    (lambda: lr.NaturalExpDecay(0.1, 0), ValueError, "a number above 0"),
    (lambda: lr.ExponentialDecay(0.1, 1.0), ValueError, "a factor between 0 and 1"),
    (lambda: lr.PolynomialDecay(0.1, 0), ValueError, r"PolynomialDecay\(decay_steps\)"),
    (lambda: lr.PolynomialDecay(0.1, 5, power=0), ValueError, r"PolynomialDecay\(power\)"),
    (lambda: lr.LinearWarmup("x", 4, 0.0, 0.1), TypeError, "a number or a scheduler"),
    (lambda: lr.LinearWarmup(lr.ReduceOnPlateau(0.1), 4, 0.0, 0.1), TypeError, "got ReduceOnPlateau"),
    (lambda: lr.LinearWarmup(0.1, 0, 0.0, 0.1), ValueError, r"LinearWarmup\(warmup_steps\)"),
    (lambda: lr.LinearWarmup(0.1, 4, 0.1, 0.1), ValueError, r"a rate above start_lr \(0.1\)"),
    (lambda: lr.LambdaDecay(0.1, 3), TypeError, "a function of the step number"),
    (lambda: lr.MultiplicativeDecay(0.1, None), TypeError, "a function of the step number"),
    (lambda: lr.CosineAnnealingDecay(0.1, 5.0), TypeError, r"CosineAnnealingDecay\(T_max\)"),
    (lambda: lr.CosineAnnealingDecay(0.1, 0), ValueError, r"CosineAnnealingDecay\(T_max\)"),
    (lambda: lr.CosineAnnealingDecay(0.1, 5, "0"), TypeError, r"CosineAnnealingDecay\(eta_min\)"),
    (lambda: lr.ReduceOnPlateau(0.1, "low"), ValueError, r"got 'low', expected one of 'min', 'max'"),
    (lambda: lr.ReduceOnPlateau(0.1, factor=1.0), ValueError, "a factor below 1"),
    (lambda: lr.ReduceOnPlateau(0.1, threshold_mode="x"), ValueError, "one of 'rel', 'abs'"),
    (lambda: lr.ReduceOnPlateau("0.1"), TypeError, r"ReduceOnPlateau\(learning_rate\)"),
    (lambda: lr.ReduceOnPlateau(0.1).step("1"), TypeError, "a number, such as the loss"),
    (lambda: lr.ReduceOnPlateau(0.1).step(np.ones(3)), ValueError, "got 3 values, expected one"),
    (lambda: lr.OneCycleLR(-1, 10), ValueError, r"OneCycleLR\(max_learning_rate\)"),
    (lambda: lr.OneCycleLR(0.1, 0), ValueError, r"OneCycleLR\(total_steps\)"),
    (lambda: lr.OneCycleLR(0.1, 10.0), TypeError, r"OneCycleLR\(total_steps\)"),
    (lambda: lr.OneCycleLR(0.1, 10, phase_pct=1), TypeError, "a float from 0 to 1"),
    (lambda: lr.OneCycleLR(0.1, 10, phase_pct=1.5), ValueError, "a share from 0 to 1"),
    (lambda: lr.OneCycleLR(0.1, 10, phase_pct=0.5, three_phase=True), ValueError, "a share below 0.5"),
    (lambda: lr.OneCycleLR(0.1, 10, anneal_strategy="exp"), ValueError, "one of 'cos', 'linear'"),
    (lambda: lr.WarmupDecay(-1, 10), ValueError, r"WarmupDecay\(max_lr\)"),
    (lambda: lr.WarmupDecay(0.1, 0), ValueError, r"WarmupDecay\(total_steps\)"),
    (lambda: lr.WarmupDecay(0.1, 10.0), TypeError, r"WarmupDecay\(total_steps\)"),
    (lambda: lr.WarmupDecay(0.1, 10, 1.1), ValueError, "a share from 0 to 1"),
    (lambda: lr.CyclicLR(0.1, -0.5, 3), ValueError, r"CyclicLR\(max_learning_rate\)"),
    (lambda: lr.CyclicLR(0.1, 0.5, 0), ValueError, r"CyclicLR\(step_size_up\)"),
    (lambda: lr.CyclicLR(0.1, 0.5, 3, 0), ValueError, r"CyclicLR\(step_size_down\)"),
    (lambda: lr.CyclicLR(0.1, 0.5, 3, mode="x"), ValueError, "'triangular', 'triangular2', 'exp_range'"),
    (lambda: lr.CyclicLR(0.1, 0.5, 3, scale_mode="x"), ValueError, "one of 'cycle', 'iterations'"),
    (lambda: lr.LinearLR(0.1, 0), ValueError, r"LinearLR\(total_steps\)"),
    (lambda: lr.LinearLR(0.1, 4, 0.0), ValueError, r"LinearLR\(start_factor\)"),
    (lambda: lr.LinearLR(0.1, 4, 0.5, 1.5), ValueError, r"LinearLR\(end_factor\)"),
    (lambda: lr.CosineAnnealingWarmRestarts(0.1, 0), ValueError, r"CosineAnnealingWarmRestarts\(T_0\)"),
    (lambda: lr.CosineAnnealingWarmRestarts(0.1, 3, 0), ValueError, r"CosineAnnealingWarmRestarts\(T_mult\)"),
    (lambda: lr.CosineAnnealingWarmRestarts(0.1, 3).step(-1), ValueError, "a number of at least 0"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input(case: int) -> None:
    make, kind, text = BAD[case]
    with pytest.raises(kind, match=text):
        make()
