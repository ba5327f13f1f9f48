"""What an optimizer was given: numbers, schedules, clips, and parameters alone or in groups. Checks and sorts; updates nothing.

TypeError for a wrong kind of argument, ValueError for a wrong value, AttributeError for no parameters at all (Paddle's type).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lenet.autograd.tensor import Parameter, Tensor
from lenet.messages import check
from lenet.nn.clip import ClipGradBase
from lenet.optimizer._borrowed import Borrowed
from lenet.optimizer.lr import LRScheduler
from lenet.regularizer import L2Decay, WeightDecayRegularizer

__all__ = ["Group", "clip_of", "groups_of", "learning_rate_of", "number_of", "option_of", "regularizer_of"]

_FIX = "Type parameters=net.parameters()"


class Group(NamedTuple):
    """Parameters that share settings."""

    params: list[Parameter]
    lr_scale: float | None  # factor on the learning rate; None: each parameter's own
    regularizer: WeightDecayRegularizer | None
    overrides: bool  # whether ``regularizer`` takes the place of the parameters' own
    clip: ClipGradBase | None
    options: dict[str, float]  # the rule's numbers, such as beta1


def groups_of(what: str, parameters: Any, clip: ClipGradBase | None, options: dict[str, float]) -> list[Group]:
    """``parameters``, a list of them or of dicts, as groups; ``clip`` and ``options`` are what a group does not state itself."""
    what = f"{what}(parameters)"
    if parameters is None:
        raise AttributeError(check.message(what, None, "the parameters to train", _FIX))
    if isinstance(parameters, (Tensor, Mapping)) or not isinstance(parameters, Iterable):
        raise TypeError(check.message(what, check.describe(parameters), "a list of Parameters or of dicts", _FIX))
    entries = list(parameters)
    if any(isinstance(entry, Mapping) for entry in entries):
        groups = [_group_of(what, entry, clip, options) for entry in entries]
    else:
        groups = [Group(_parameters(what, entries), None, None, False, clip, options)]
    seen: set[int] = set()
    for parameter in (p for group in groups for p in group.params):
        parameter_id = id(parameter._tensor if isinstance(parameter, Borrowed) else parameter)
        if parameter_id in seen:
            raise ValueError(check.message(what, f"'{parameter.name}' twice", "each parameter once"))
        seen.add(parameter_id)
    return groups


def _group_of(what: str, entry: Any, clip: ClipGradBase | None, options: dict[str, float]) -> Group:
    if not isinstance(entry, Mapping) or "params" not in entry:
        given = f"a dict of {list(entry)}" if isinstance(entry, Mapping) else check.describe(entry)
        raise ValueError(check.message(what, given, "only dicts with a 'params' entry, since some are dicts"))
    for key in entry:
        known = {"params", "learning_rate", "weight_decay", "grad_clip", *options}
        check.choice(f"{what}: entry of a group", key, sorted(known))
    params = entry["params"]
    if isinstance(params, (set, frozenset)):
        raise TypeError(check.message(f"{what}: 'params' of a group", "a set, which has no order", "a list"))
    scale = entry.get("learning_rate")
    own = {key: option_of(what, key, entry[key]) for key in options if key in entry}
    penalty = "weight_decay" in entry and "weight_decay" not in options  # AdamW's is a number of its rule
    return Group(
        _parameters(what, [params] if isinstance(params, Parameter) else list(params)),
        None if scale is None else number_of(f"{what}: 'learning_rate' of a group", scale),
        regularizer_of(what, entry["weight_decay"]) if penalty else None,
        penalty,
        clip_of(what, entry["grad_clip"]) if "grad_clip" in entry else clip,
        {**options, **own},
    )


def number_of(what: str, value: Any) -> float:
    """A number (or a Tensor of one) as a finite float."""
    if isinstance(value, Tensor):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise TypeError(check.message(what, check.describe(value), "a number such as 0.001"))
    if not math.isfinite(value):
        raise ValueError(check.message(what, value, "a finite number"))
    return float(value)


def option_of(what: str, key: str, value: Any) -> float:
    """A rule's number: betas in [0, 1), epsilon and weight_decay at least 0."""
    number = number_of(f"{what}({key})", value)
    if key.startswith("beta") and not 0 <= number < 1:
        raise ValueError(check.message(f"{what}({key})", number, "a number of at least 0 and below 1"))
    if key in ("epsilon", "weight_decay") and number < 0:
        raise ValueError(check.message(f"{what}({key})", number, "a number of at least 0"))
    return number


def learning_rate_of(what: str, value: Any) -> float | LRScheduler:
    """A float or a scheduler; a whole number is a TypeError, as in Paddle."""
    if isinstance(value, LRScheduler):
        return value
    if value is None:
        raise ValueError(check.message(f"{what}(learning_rate)", None, "a float or an LRScheduler"))
    if not isinstance(value, (float, np.floating)):
        fix = f"Type {float(value)}" if type(value) is int else "Type for example 0.001"
        expected = "a float or an LRScheduler"
        raise TypeError(check.message(f"{what}(learning_rate)", check.describe(value), expected, fix))
    return number_of(f"{what}(learning_rate)", value)


def regularizer_of(what: str, value: Any) -> WeightDecayRegularizer | None:
    """What weight_decay means: a number is L2."""
    if value is None or isinstance(value, WeightDecayRegularizer):
        return value
    return L2Decay(number_of(f"{what}(weight_decay)", value))


def clip_of(what: str, value: Any) -> ClipGradBase | None:
    """``grad_clip`` as given, if it is one."""
    if value is not None and not isinstance(value, ClipGradBase):
        fix = "Type for example nn.ClipGradByGlobalNorm(1.0)"
        expected = "one of nn.ClipGradBy* or None"
        raise TypeError(check.message(f"{what}(grad_clip)", check.describe(value), expected, fix))
    return value


def _parameters(what: str, entries: list[Any]) -> list[Parameter]:
    for entry in entries:
        if not isinstance(entry, Tensor):
            raise TypeError(check.message(what, check.describe(entry), "Parameters", _FIX))
        if not isinstance(entry, Parameter) and (entry._node is not None or entry._dtype.kind != "f"):
            given = "the result of an operation" if entry._node is not None else f"a tensor of {entry._dtype}"
            raise TypeError(check.message(what, given, "Parameters, or tensors of floats made by to_tensor", _FIX))
    return [entry if isinstance(entry, Parameter) else Borrowed(entry) for entry in entries]
