"""Cuts through touching digits, the pieces they make, and the best path."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.shapes.shape import Shape
from lenet.reading.shapes.split import best_path, find_cuts, piece, pieces


def shape(level: np.ndarray, x: int = 100, y: int = 50) -> Shape:
    """A level crop [h, w] as a shape at x, y."""
    h, w = level.shape
    return Shape((x, y, x + w, y + h), np.pad(level, 1), int((level >= 128).sum()))


def ring(size: int = 40, thick: int = 5) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    r = np.hypot(x, y)
    return np.where((r <= size / 2) & (r >= size / 2 - thick), 255, 0).astype(np.uint8)


def test_two_rings_that_touch_are_cut_between_them() -> None:
    pair = np.concatenate([ring(), ring()], axis=1)
    pair[18:22, 38:42] = 255
    cuts = find_cuts([shape(pair)], [40.0])[0]
    inner = cuts.seams[1:-1]
    best = int(np.argmin(np.abs(inner.mean(axis=1) - 41)))
    assert abs(float(inner[best].mean()) - 41) < 2  # the crop has a margin of 1
    assert cuts.ink[1 + best] < 0.35
    left, right = piece(cuts, 0, best + 1), piece(cuts, best + 1, len(cuts) - 1)
    assert left is not None
    assert right is not None
    assert np.abs(np.array(left.box) - [100, 50, 140, 90]).max() <= 2
    assert np.abs(np.array(right.box) - [140, 50, 180, 90]).max() <= 2
    assert abs(left.area + right.area - int((pair >= 128).sum())) <= 2


def test_a_seam_follows_slanted_neighbours_that_no_upright_line_parts() -> None:
    level = np.zeros((40, 60), np.uint8)
    for row in range(40):
        for start in (0, 18):
            x = start + (39 - row) // 2
            level[row, x : x + 5] = 255
    level[20, 10:30] = 255  # they touch
    cuts = find_cuts([shape(level[:, :43])], [40.0])[0]
    halves = []
    for k in range(1, len(cuts) - 1):
        left, right = piece(cuts, 0, k), piece(cuts, k, len(cuts) - 1)
        if left is not None and right is not None and left.height >= 38 and right.height >= 38:
            halves.append((left, right))
    assert halves
    left, right = min(halves, key=lambda pair: abs(pair[0].area - pair[1].area))
    assert left.box[2] > right.box[0] + 3  # their boxes overlap
    assert 0.8 < left.area / right.area < 1.25


def test_pieces_of_all_shapes_at_once_are_those_of_each_alone() -> None:
    several = [np.concatenate([ring(30 + k), ring(30 + k)[:, 2:]], axis=1) for k in (0, 7, 20)]
    together = find_cuts([shape(level) for level in several], [30.0, 37.0, 50.0])
    for level, height, cuts in zip(several, [30.0, 37.0, 50.0], together, strict=True):
        alone = find_cuts([shape(level)], [height])[0]
        assert np.allclose(cuts.seams, alone.seams)
        assert np.allclose(cuts.ink, alone.ink)


def test_several_pieces_at_once_are_those_one_by_one() -> None:
    cuts = find_cuts([shape(np.concatenate([ring(), ring()], axis=1))], [40.0])[0]
    arcs = [(i, j) for i in range(len(cuts) - 1) for j in range(i + 1, len(cuts))]
    for arc, part in zip(arcs, pieces(cuts, arcs), strict=True):
        alone = piece(cuts, *arc)
        assert (part is None) == (alone is None)
        if part is not None and alone is not None:
            assert part.box == alone.box
            assert part.area == alone.area == int((part.level >= 128).sum())
            assert np.array_equal(part.level, alone.level)
    assert pieces(cuts, []) == []


def test_the_ink_to_the_left_of_each_cut() -> None:
    pair = np.concatenate([ring(), ring()], axis=1)
    cuts = find_cuts([shape(pair)], [40.0])[0]
    assert cuts.area[-1] == pytest.approx(pair.sum() / 255 / 40**2, rel=0.05)  # seams are sought in a reduced image
    assert (np.diff(cuts.area) >= 0).all()
    whole = [piece(cuts, 0, k) for k in range(1, len(cuts))]
    for part, area in zip(whole, cuts.area[1:], strict=True):
        assert part is not None
        assert part.area / 40**2 == pytest.approx(area, abs=0.03)


@pytest.mark.parametrize(("many", "most", "closest"), [(False, 24, 0.06), (True, 48, 0.03)])
def test_at_most_so_many_cuts_in_order_and_apart(many: bool, most: int, closest: float) -> None:
    row = np.concatenate([ring()] * 5, axis=1)
    cuts = find_cuts([shape(row)], [40.0], many)[0]
    inner = cuts.seams[1:-1]
    assert len(inner) == most
    assert (np.diff(cuts.area) >= 0).all()
    # They were told apart on 40 rows, and are given on the crop's 42: that moves a mean by less than half a pixel.
    assert all(np.abs(a - b).mean() >= closest * 40 - 0.5 for k, a in enumerate(inner) for b in inner[:k])


def test_a_bar_without_room_for_two_has_no_cuts_that_leave_nothing() -> None:
    bar = np.full((40, 4), 255, np.uint8)
    cuts = find_cuts([shape(bar)], [40.0])[0]
    for i in range(len(cuts) - 1):
        assert piece(cuts, i, i + 1) is not None
    assert find_cuts([], []) == []


def test_the_best_path_is_the_cheapest() -> None:
    costs = {(0, 1): 1.0, (1, 2): 1.0, (2, 3): 1.0, (0, 2): 1.5, (1, 3): 3.0, (0, 3): 2.6}
    assert best_path(4, costs) == [(0, 2), (2, 3)]
    assert best_path(4, costs | {(0, 3): 2.4}) == [(0, 3)]


def test_of_equal_paths_the_one_that_reaches_further() -> None:
    assert best_path(3, {(0, 1): 1.0, (1, 2): 1.0, (0, 2): 2.0}) == [(0, 2)]


@pytest.mark.parametrize("costs", [{}, {(0, 1): 1.0}, {(1, 2): 1.0}])
def test_no_path(costs: dict[tuple[int, int], float]) -> None:
    assert best_path(3, costs) == []
