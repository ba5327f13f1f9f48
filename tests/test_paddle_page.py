"""docs/paddle.md is what its script makes of real Paddle's names, and what it calls kinder is there."""

from __future__ import annotations

import operator
import sys
from pathlib import Path
from types import ModuleType

import pytest

import lenet

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench import paddle_absent, paddle_compared, paddle_names


@pytest.mark.filterwarnings("ignore")
def test_the_page_is_the_scripts(paddle: ModuleType) -> None:
    assert paddle_names.OUT.read_text(encoding="utf-8") == paddle_names.page(paddle), "run python -m bench.paddle_names"


@pytest.mark.parametrize("name", paddle_names.KINDER)
def test_what_is_kinder_is_there(name: str) -> None:
    assert operator.attrgetter(name)(lenet) is not None


def test_a_reason_is_given_for_each_absent_name() -> None:
    assert paddle_absent.reason("nn", "Conv1D") == "one- and three-dimensional layers"
    assert paddle_absent.reason("", "Tensor.nnz") == "sparse tensors"
    for name in ("clamp", "atleast_1d", "nanquantile", "grid_sample"):  # names that only look like others
        with pytest.raises(KeyError, match="is absent"):
            paddle_absent.reason("", name)


def test_what_is_called_compared_stands_in_a_test() -> None:
    for space, name in (
        ("", "kron"),
        ("nn.functional", "fold"),
        ("nn", "GroupNorm"),
        ("optimizer", "NAdam"),
        ("", "sin_"),
    ):
        assert paddle_compared.is_compared(space, name)
    for space, name in (("", "get_rng_state"), ("utils", "run_check"), ("nn.functional", "nonsense")):
        assert not paddle_compared.is_compared(space, name)
