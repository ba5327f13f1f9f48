"""What the engine says it multiplies, and the picture that shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bench import operations
from bench.peers._lenet_plan import MACS, SIZES, prepared

from lenet import _core, nn
from lenet.autograd.tensor import to_tensor
from lenet.jit import plan

LEVELS = [name for name, usable, _ in _core.levels() if usable]


@pytest.mark.parametrize("level", LEVELS)
def test_what_lenet_needs_and_does(level: str) -> None:
    before = _core.level()
    assert _core.select_level(level) is None
    try:
        core = prepared(SIZES, 64, 64)[1]
        work = np.array(core.work)
    finally:
        _core.select_level(before)
    names, n = core.names, len(core.names)
    one, two = (r for r in range(n) if names[r].startswith("conv"))
    a, b = MACS[:2]
    assert (
        work[:, 0].sum() == 3 * sum(MACS) - a
    )  # forward and two gradients, but the first convolution's input has none
    assert [tuple(work[r]) for r in (one, n + one, two, n + two)] == (
        [(a, a), (a, a), (b, b), (2 * b, 2 * b)]
        if level == "reference"
        else [(a, a), (a, a * 25 / 100), (b, b * 49 / 100), (2 * b, b * (25 + 36) / 100)]
    )
    rest = np.delete(work, [one, n + one, two, n + two], axis=0)
    assert np.array_equal(rest[:, 0], rest[:, 1])


def test_products_of_three_by_three_and_of_a_stride() -> None:
    net = nn.Sequential(
        nn.Conv2D(8, 16, 3, padding=1), nn.ReLU(), nn.Conv2D(16, 8, 1), nn.ReLU(), nn.Conv2D(8, 8, 3, 2, 1)
    )
    chain = plan.compile(net.eval(), None, None, [to_tensor(np.zeros((1, 8, 12, 12), np.float32))])
    assert isinstance(chain, plan.Chain), chain
    core = chain.core
    convolutions = [r for r, name in enumerate(core.names) if name.startswith("conv")]
    work, n = core.work, len(core.names)
    dense = [8 * 16 * 9 * 144, 16 * 8 * 144, 8 * 8 * 9 * 36]
    assert [work[r][0] for r in convolutions] == dense
    if _core.level() != "reference":
        assert [work[r][1] for r in convolutions] == [dense[0] * 16 / 36, dense[1], dense[2]]
        first, second, third = (work[n + r] for r in convolutions)
        assert first == (dense[0], dense[0] * 16 / 36)
        assert second == (2 * dense[1], 2 * dense[1])
        # The input's gradient leaves the padding out: of three taps in each direction one is outside at one edge.
        assert third == (2 * dense[2], dense[2] + 8 * 8 * 17 * 17)


def test_the_picture_says_what_the_engine_says(tmp_path: Path) -> None:
    operations.draw(tmp_path / "operations.svg")
    assert (tmp_path / "operations.svg").stat().st_size > 10_000
    parts = operations.counts()
    needed, done = sum(part[2] for part in parts), sum(part[3] for part in parts)
    assert needed == 3 * sum(MACS) - MACS[0]
    page = (operations.ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    assert f"takes {done / 1000:.0f} thousand multiply-adds an image instead of {needed / 1000:,.0f}" in page
    assert all(f" {way[2]} " in page for way in operations.WAYS)
