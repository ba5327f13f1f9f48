"""What tutorials do gives the same numbers under real Paddle and here: see ``chapters``."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from chapters import basics, networks, practice

import lenet

CHAPTERS = [
    basics.tensors, basics.linear_regression, basics.softmax_regression, basics.clipping, networks.lenet_by_fit,
    networks.colour_pictures, networks.image_search, networks.rivals, practice.data_loading, practice.transforms,
    practice.layers, practice.callbacks_and_metrics, practice.files, practice.compiled, practice.logged,
]  # fmt: skip


def plain(value: Any) -> Any:
    """Tensors of either library as arrays, lists of them too."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.numpy() if hasattr(value, "numpy") else value


def same(name: str, ours: Any, theirs: Any) -> None:
    if isinstance(theirs, str):
        assert ours == theirs, name
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), name
        for k, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            same(f"{name}[{k}]", mine, other)
    else:
        mine, other = np.asarray(ours), np.asarray(theirs)
        assert mine.shape == other.shape, name
        assert mine.dtype.kind == other.dtype.kind, name
        # Some steps of training on: what rounds differently at first has grown by then.
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=2e-5, err_msg=name)


@pytest.mark.filterwarnings("ignore")  # real Paddle's, of its own insides
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.__name__)
def test_the_numbers_are_paddles(chapter: Callable[[ModuleType], dict[str, Any]], paddle: ModuleType) -> None:
    ours, theirs = chapter(lenet), chapter(paddle)
    assert ours.keys() == theirs.keys()
    for name in theirs:
        same(name, plain(ours[name]), plain(theirs[name]))
