"""Skew and perspective, against the angle and the matrix a page was turned by."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.ink.find import find_ink
from lenet.reading.ink.straighten import straighten

cv2 = pytest.importorskip("cv2")

H, W = 900, 1200


def page(rows: int, columns: int, *, ruled: bool = False, squared: int = 0, size: float = 1.4) -> np.ndarray:
    """A grey page of digits that jitter by 3 pixels, uint8 [900, 1200]. squared: the pitch of its squares, 0 for none."""
    rng = np.random.default_rng(rows * 100 + columns)
    out = np.full((H, W), 230, np.uint8)
    if ruled or squared:
        for y in range(60, H, squared or 70):
            out[y : y + 2] = 120
    if squared:
        for x in range(60, W, squared):
            out[:, x : x + 2] = 120
    for n in range(rows * columns):
        x = 150 + (W - 300) * (n % columns) / max(1, columns - 1) + rng.normal(0, 6)
        y = 150 + (H - 300) * (n // columns) / max(1, rows - 1) + rng.normal(0, 3)
        cv2.putText(out, str(n % 10), (int(x), int(y)), cv2.FONT_HERSHEY_SIMPLEX, size, 30, 4, cv2.LINE_AA)
    return out


def turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Turned clockwise about the middle."""
    move = cv2.getRotationMatrix2D((W / 2, H / 2), -degrees, 1)
    return cv2.warpAffine(picture, move, (W, H), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def found(picture: np.ndarray) -> float:
    """The clockwise skew in degrees that was taken out."""
    _, matrix = straighten(find_ink(picture))
    return float(np.rad2deg(np.arctan2(-matrix[1, 0], matrix[0, 0])))


@pytest.mark.parametrize("degrees", [-14.0, -5.0, -1.0, 0.6, 3.0, 9.0, 14.0])
@pytest.mark.parametrize("ruled", [False, True])
def test_skew_is_found(degrees: float, ruled: bool) -> None:
    assert found(turned(page(7, 10, ruled=ruled), degrees)) == pytest.approx(degrees, abs=0.3)


@pytest.mark.parametrize("degrees", [-13.0, -2.0, 5.0])
@pytest.mark.parametrize("pitch", [25, 40])
def test_squares_too_small_for_long_edges_show_the_skew(degrees: float, pitch: int) -> None:
    assert found(turned(page(2, 3, squared=pitch), degrees)) == pytest.approx(degrees, abs=0.1)


@pytest.mark.parametrize("ruled", [False, True])
def test_a_level_page_is_not_turned(ruled: bool) -> None:
    ink = find_ink(page(7, 10, ruled=ruled))
    same, matrix = straighten(ink)
    assert same is ink
    assert np.array_equal(matrix, np.eye(3))


@pytest.mark.parametrize("degrees", [0.0, 4.0, -8.0, 12.0])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_digits_are_never_turned(count: int, degrees: float) -> None:
    assert found(turned(page(1, count, size=4.0), degrees)) == 0.0


def test_single_pictures_and_blank_ones_are_never_turned() -> None:
    for picture in (turned(page(7, 10), 8)[:200, :200], np.full((600, 600), 200, np.uint8)):
        ink = find_ink(picture)
        assert straighten(ink)[0] is ink


def test_one_row_of_many_digits() -> None:
    assert found(turned(page(1, 14), 5.0)) == pytest.approx(5.0, abs=1.0)
    assert found(page(1, 14)) == pytest.approx(0.0, abs=0.6)


def test_the_bars_of_a_few_large_letters_are_no_rules() -> None:
    level = np.full((H, W), 230, np.uint8)
    for n in range(18):
        x, y = 80 + 180 * (n % 6), 200 + 250 * (n // 6)
        cv2.line(level, (x, y), (x + 75, y - 18), 30, 12, cv2.LINE_AA)  # the bars lean, the rows don't
        cv2.line(level, (x, y - 80), (x, y + 60), 30, 12, cv2.LINE_AA)
    assert found(level) == 0.0


def test_the_matrix_leads_from_the_picture_to_the_straight_one() -> None:
    picture = turned(page(7, 10), 6.0)
    cv2.circle(picture, (300, 500), 12, 0, -1)
    ink = find_ink(picture)
    straight, matrix = straighten(ink)
    x, y, w = matrix @ [300.5, 500.5, 1]
    assert w == 1.0
    level = straight.level[int(y) - 11 : int(y) + 12, int(x) - 11 : int(x) + 12]
    assert level.mean() > 200  # the dot is there
    assert np.count_nonzero(straight.mask) == pytest.approx(
        np.count_nonzero(ink.mask), rel=0.03
    )  # and nothing was lost


def test_perspective_of_squared_paper() -> None:
    source = np.float32([[0, 0], [W, 0], [W, H], [0, H]])
    target = np.float32([[-40, -30], [W + 60, -80], [W - 10, H + 70], [30, H]])
    move = cv2.getPerspectiveTransform(source, target)
    photo = cv2.warpPerspective(page(7, 10, squared=70), move, (W, H), borderMode=cv2.BORDER_REPLICATE)
    _, matrix = straighten(find_ink(photo))
    both = matrix @ move
    grid = np.array([[x, y, 1] for y in (200, 450, 700) for x in (200, 600, 1000)], float) @ both.T
    grid = (grid[:, :2] / grid[:, 2:]).reshape(3, 3, 2)
    across, down = grid[:, 2] - grid[:, 0], grid[2] - grid[0]
    assert np.abs(np.rad2deg(np.arctan2(across[:, 1], across[:, 0]))).max() < 0.3
    assert np.abs(np.rad2deg(np.arctan2(down[:, 0], down[:, 1]))).max() < 0.4


def test_perspective_of_a_sheet_on_a_table() -> None:
    source = np.float32([[0, 0], [W, 0], [W, H], [0, H]])
    target = np.float32([[120, 90], [1080, 60], [1130, 840], [70, 800]])
    move = cv2.getPerspectiveTransform(source, target)
    photo = np.full((H, W), 60, np.uint8)
    cv2.warpPerspective(page(7, 10), move, (W, H), dst=photo, borderMode=cv2.BORDER_TRANSPARENT)
    straight, matrix = straighten(find_ink(photo))
    corners = np.concatenate([target, np.ones((4, 1))], axis=1) @ matrix.T
    corners = corners[:, :2] / corners[:, 2:]
    h, w = straight.mask.shape
    assert np.abs(corners - [[0, 0], [w, 0], [w, h], [0, h]]).max() < 2  # rounded up to whole pixels
    assert not np.concatenate([straight.mask[:8].ravel(), straight.mask[-8:].ravel()]).any()
