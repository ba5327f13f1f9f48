"""Which saved optimizer state belongs to which parameter. Decides only; ``Optimizer.set_state_dict`` then copies the numbers.

A saved key is ``<parameter name>_<kind>_<count>``, as in ``conv2d_0.w_0_moment1_0``. The names count layers through the
whole process, so a second network of the same build has others; where names don't match, order decides, and every shape
is checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.messages import check

if TYPE_CHECKING:
    from lenet.autograd.tensor import Parameter

__all__ = ["assign"]

_FIX = "Load the state of an optimizer of the same kind, made for a network of the same build"


def assign(
    saved: Mapping[str, Any], arrays: Sequence[str], numbers: Sequence[str], params: Sequence[Parameter]
) -> dict[int, dict[str, np.ndarray[Any, Any]]]:
    """The saved state by place in ``params``: ``{0: {"moment1": array, …}, …}``; parameters without any are left out.

    arrays, numbers: the kinds that a parameter must have, of its own shape and of one element. ValueError if the state is
    another kind of optimizer's, is incomplete, has another number of parameters, or does not fit their shapes.
    """
    by_name: dict[str, dict[str, np.ndarray[Any, Any]]] = {}
    key_form = re.compile(rf"(.+)_({'|'.join([*arrays, *numbers])})_\d+") if arrays or numbers else None
    for key, value in saved.items():
        form = key_form.fullmatch(key) if key_form else None
        if form:
            by_name.setdefault(form[1], {})[form[2]] = np.asarray(value)
    if saved and key_form and not by_name:
        given = f"entries such as {next(iter(saved))!r}"
        raise ValueError(check.message("optimizer state", given, f"entries ending in _{arrays[0]}_0", _FIX))
    placed: dict[int, dict[str, np.ndarray[Any, Any]]] = {}
    for place, name in _places(list(by_name), params).items():
        state, own = by_name[name], params[place]
        for kind in (*arrays, *numbers):
            if kind not in state:
                raise ValueError(check.message("optimizer state", f"no {kind} for {name}", "one", _FIX))
            fits = state[kind].size == 1 if kind in numbers else list(state[kind].shape) == list(own.shape)
            if not fits:
                given = f"{kind} of {name} with shape {list(state[kind].shape)}"
                expected = f"{[1] if kind in numbers else list(own.shape)} for {own.name}"
                raise ValueError(check.message("optimizer state", given, expected, _FIX))
        placed[place] = state
    return placed


def _places(names: list[str], params: Sequence[Parameter]) -> dict[int, str]:
    """Saved name by place in ``params``: by name where all names are known, else in order."""
    own = {p.name: place for place, p in enumerate(params)}
    if all(name in own for name in names):
        return {own[name]: name for name in names}
    trainable = [place for place, p in enumerate(params) if not p.stop_gradient]
    if len(trainable) != len(names):
        given = f"{len(names)} parameters ({', '.join(names[:3])}, …)"
        raise ValueError(check.message("optimizer state", given, f"{len(trainable)}, as this optimizer has", _FIX))
    if names == sorted(names):
        # Some files sort their keys, which loses the order of creation; the names' own numbers keep it.
        names = sorted(names, key=_natural)
        trainable.sort(key=lambda place: _natural(params[place].name))
    return dict(zip(trainable, names, strict=True))


def _natural(name: str) -> list[Any]:
    """A sort key under which ``conv2d_10`` comes after ``conv2d_9``."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
