"""docs/paddle.md is what its script makes of real Paddle's names, and what it calls kinder is there."""

from __future__ import annotations

import operator
import sys
from pathlib import Path
from types import ModuleType

import pytest

import lenet

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench import paddle_names


@pytest.mark.filterwarnings("ignore")
def test_the_page_is_the_scripts(paddle: ModuleType) -> None:
    assert paddle_names.OUT.read_text(encoding="utf-8") == paddle_names.page(paddle), "run python -m bench.paddle_names"


@pytest.mark.parametrize("name", paddle_names.KINDER)
def test_what_is_kinder_is_there(name: str) -> None:
    assert operator.attrgetter(name)(lenet) is not None
