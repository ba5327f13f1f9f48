"""Ink found under every light: pages and single digits with known ink. The glyphs are drawn here, so no data set is needed."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.ink.find import EDGE, find_ink, stroke_width

cv2 = pytest.importorskip("cv2")

PAPER, PEN = (235, 232, 224), (30, 30, 60)


def glyph(digit: int, size: int, thickness: int) -> np.ndarray:
    """A digit's coverage, float32 [size, size] in 0..1, anti-aliased by drawing it four times as large."""
    big = np.zeros((4 * size, 4 * size), np.uint8)
    scale = 4 * size / 30
    (w, h), _ = cv2.getTextSize(str(digit), cv2.FONT_HERSHEY_SIMPLEX, scale, 4 * thickness)
    at = (2 * size - w // 2, 2 * size + h // 2)
    cv2.putText(big, str(digit), at, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 4 * thickness, cv2.LINE_AA)
    return cv2.resize(big, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def page(rows: int = 5, columns: int = 8, size: int = 64, thickness: int = 6, pitch: int = 100) -> np.ndarray:
    """The coverage of a page of digits, float32 [h, w]."""
    cover = np.zeros((rows * pitch + 80, columns * pitch + 80), np.float32)
    for n in range(rows * columns):
        y, x = 58 + n // columns * pitch, 58 + n % columns * pitch
        cover[y : y + size, x : x + size] = glyph(n * 7 % 10, size, thickness)
    return cover


def paint(cover: np.ndarray, paper: object = PAPER, pen: object = PEN) -> np.ndarray:
    return np.float32(paper) * (1 - cover[..., None]) + np.float32(pen) * cover[..., None]


def photo(picture: np.ndarray, noise: float = 0.0, jpeg: int | None = None) -> np.ndarray:
    rng = np.random.default_rng(3)
    done = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
    if jpeg:
        done = cv2.imdecode(cv2.imencode(".jpg", done, [cv2.IMWRITE_JPEG_QUALITY, jpeg])[1], cv2.IMREAD_COLOR)
    return done


def light(shape: tuple[int, ...], low: float) -> np.ndarray:
    """Light that falls from 1 at one corner to ``low`` at the other, [h, w, 1]."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    return (1 - (1 - low) * np.hypot(x / shape[1], y / shape[0]) / np.sqrt(2))[..., None]


def scores(mask: np.ndarray, cover: np.ndarray) -> tuple[float, float]:
    """Precision and recall of ink pixels; pixels partly covered count for neither."""
    precision = np.count_nonzero(mask & (cover > 0.15)) / max(1, np.count_nonzero(mask))
    return precision, np.count_nonzero(mask & (cover > 0.7)) / np.count_nonzero(cover > 0.7)


COVER = page()
SHADE = cv2.GaussianBlur(
    cv2.fillPoly(np.ones(COVER.shape, np.float32), [np.int32([[0, 0], [500, 0], [300, 580], [0, 580]])], 0.5),
    (0, 0),
    12,
)[..., None]
PAGES = {
    "clean": (lambda: photo(paint(COVER), 2), "dark on light", 0.995),
    "chalk in falling light": (
        lambda: photo(paint(COVER, (40, 70, 55), (230, 230, 225)) * light(COVER.shape, 0.4), 4, 60), "light on dark", 0.99
    ),
    "equal lightness": (lambda: photo(paint(COVER, (150, 120, 120), (95, 142, 130)), 3, 85), "", 0.9),
    "falling light": (lambda: photo(paint(COVER) * light(COVER.shape, 0.3), 3, 75), "dark on light", 0.99),
    "noise and jpeg": (lambda: photo(paint(COVER, PAPER, (70, 70, 90)), 20, 40), "dark on light", 0.95),
    "pencil": (lambda: photo(paint(COVER, PAPER, (160, 160, 160)), 4, 75), "dark on light", 0.97),
    "shadow": (lambda: photo(paint(COVER) * SHADE, 3, 75), "dark on light", 0.8),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_the_ink_of_a_page(name: str) -> None:
    make, polarity, least = PAGES[name]
    ink = find_ink(make())
    precision, recall = scores(ink.mask, COVER)
    assert precision > least
    assert recall > 0.995
    assert np.corrcoef(ink.level.ravel(), COVER.ravel())[0, 1] > least - 0.04
    assert polarity in ink.polarity
    assert ink.scale == 1.0
    assert 4.5 < ink.stroke < 11


def test_inks_of_several_colours_on_one_page() -> None:
    pens = np.empty((*COVER.shape, 3), np.float32)
    pens[:] = (30, 30, 40)
    pens[:, 300:600], pens[:, 600:] = (200, 40, 40), (40, 60, 190)
    ink = find_ink(photo(paint(COVER, PAPER, pens), 3, 85))
    precision, recall = scores(ink.mask, COVER)
    assert precision > 0.97
    assert recall > 0.99


@pytest.mark.parametrize("times", [3, 5])
def test_a_large_page_is_worked_on_smaller(times: int) -> None:
    large = cv2.resize(photo(paint(COVER)), None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    ink = find_ink(large)
    assert max(ink.mask.shape) <= 2200
    assert ink.mask.shape[1] == int(large.shape[1] * ink.scale)
    _, recall = scores(ink.mask, cv2.resize(COVER, ink.mask.shape[::-1], interpolation=cv2.INTER_LINEAR))
    assert recall > 0.995


def test_a_sheet_on_a_table_has_corners_and_nothing_outside_is_ink() -> None:
    h, w = COVER.shape
    corners = np.float32([[90, 60], [800, 40], [830, 540], [50, 520]])
    move = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), corners)
    sheet = cv2.warpPerspective(np.ones((h, w), np.float32), move, (w, h))[..., None]
    cover = cv2.warpPerspective(COVER, move, (w, h))
    table = np.float32([90, 60, 40]) + 25 * np.sin(np.arange(w) / 5)[None, :, None]
    ink = find_ink(photo(paint(cover) * sheet + table * (1 - sheet), 3, 80))
    assert ink.sheet is not None
    assert np.abs(ink.sheet - corners).max() < 1.5  # the edge, softened by JPEG, is found to within a pixel
    assert scores(ink.mask, cover)[0] > 0.98


def on_table(corners: np.ndarray, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sheet with those corners on a brown table in uneven light, and the coverage of the digits on it."""
    h, w = COVER.shape
    move = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), corners)
    sheet = cv2.warpPerspective(np.ones((h, w), np.float32), move, (w, h))[..., None]
    cover = cv2.warpPerspective(COVER, move, (w, h))
    return photo((paint(cover) * sheet + np.float32([92, 64, 44]) * (1 - sheet)) * light, 3, 90), cover


SLOPE = np.linspace(1, 0.4, COVER.shape[1], dtype=np.float32)[
    None, :, None
]  # the paper's dark end is as dark as the table


@pytest.mark.parametrize("lit", [np.float32(1), SLOPE, SLOPE[:, ::-1]], ids=["even", "to the right", "to the left"])
def test_a_sheet_whose_corners_touch_the_border(lit: np.ndarray) -> None:
    h, w = COVER.shape
    corners = np.float32([[60, 0], [w, 50], [w - 60, h], [0, h - 50]])
    picture, cover = on_table(corners, lit)
    ink = find_ink(picture)
    assert ink.sheet is not None
    assert np.abs(ink.sheet - corners).max() < 3
    precision, recall = scores(ink.mask, cover)
    assert precision > 0.97
    assert recall > 0.98


def test_a_sheet_that_leaves_the_picture_on_one_side_has_no_corners_but_an_edge() -> None:
    h, w = COVER.shape
    picture, cover = on_table(np.float32([[0, 25], [w - 20, 0], [w - 50, h], [0, h - 30]]), np.float32(1))
    ink = find_ink(picture)
    assert ink.sheet is None
    assert scores(ink.mask, cover)[0] > 0.97


def test_a_shadow_along_the_edge_of_a_sheet_on_a_table_is_no_ink() -> None:
    h, w = COVER.shape
    shade = 1 - 0.45 / (1 + np.exp(np.clip((np.arange(w, dtype=np.float32) - 105) / 8, -30, 30)))[None, :, None]
    picture, cover = on_table(np.float32([[40, 20], [w - 20, 40], [w - 40, h - 20], [20, h - 40]]), shade)
    precision, recall = scores(find_ink(picture).mask, cover)
    assert precision > 0.9
    assert recall > 0.98


@pytest.mark.parametrize("pitch", [12, 14])
def test_lines_that_cover_nearly_half_of_a_page_are_no_noise(pitch: int) -> None:
    lines = np.zeros(COVER.shape, np.float32)
    for at in range(5, max(lines.shape), pitch):
        lines[at : at + 3] = lines[:, at : at + 3] = 1
    lines = cv2.GaussianBlur(lines, (0, 0), 0.6)
    squared = paint(lines, (250, 250, 248), (130, 190, 160))
    ink = find_ink(photo(paint(COVER, squared, (28, 60, 150)), 3, 85))
    assert scores(ink.mask, COVER)[1] > 0.98
    assert np.count_nonzero(ink.mask & (lines > 0.8)) > 0.98 * np.count_nonzero(
        lines > 0.8
    )  # all, for clean.py to find


@pytest.mark.parametrize("shape", [(28, 28, 3), (200, 300, 3), (700, 900, 3), (28, 28)])
def test_blank_and_noise_are_no_ink(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(5)
    assert not find_ink(np.full(shape, 130, np.uint8)).mask.any()
    assert not find_ink(rng.integers(0, 256, shape).astype(np.uint8)).mask.any()
    paper = find_ink(np.clip(rng.normal(200, 6, shape), 0, 255).astype(np.uint8)).mask
    assert np.count_nonzero(paper) <= 1e-4 * paper.size  # clean.py takes such specks


def single(name: str, cover: np.ndarray) -> np.ndarray:
    n = len(cover)
    slope = np.repeat((160 + 60 * (np.mgrid[0:n, 0:n][1] - n / 2) / (n / 2))[..., None], 3, axis=2)
    if name == "dark border":
        picture = paint(cover, (220,) * 3, (30,) * 3)
        picture[:2] = picture[-2:] = picture[:, :2] = picture[:, -2:] = 0
        return photo(picture)
    return photo({
        "plain": lambda: paint(cover, (0,) * 3, (255,) * 3),
        "inverted": lambda: paint(cover, (255,) * 3, (0,) * 3),
        "coloured": lambda: paint(cover, (240, 220, 120), (40, 60, 190)),
        "equal lightness": lambda: paint(cover, (150, 120, 120), (95, 142, 130)),
        "gradient": lambda: paint(cover, slope, slope * 0.25),
        "faint on gradient": lambda: paint(cover, slope, slope - 60),
        "noisy": lambda: paint(cover, (220,) * 3, (40,) * 3) + np.random.default_rng(1).normal(0, 12, (n, n, 3)),
    }[name]())  # fmt: skip


SINGLES = ["plain", "inverted", "coloured", "equal lightness", "gradient", "faint on gradient", "noisy", "dark border"]


@pytest.mark.parametrize("size", [28, 56, 140])
@pytest.mark.parametrize("name", SINGLES)
def test_a_single_digit_comes_out_as_it_was_drawn(name: str, size: int) -> None:
    for digit in range(10):
        cover = np.pad(glyph(digit, size - size // 4, max(2, size // 12)), size // 8)
        cover = cv2.resize(cover, (size, size), interpolation=cv2.INTER_AREA)
        inner = slice(3, -3)
        level = find_ink(single(name, cover)).level[inner, inner]
        assert np.corrcoef(level.ravel(), cover[inner, inner].ravel())[0, 1] > 0.97


@pytest.mark.parametrize("pen", [0, 255])
def test_a_digit_that_fills_the_frame(pen: int) -> None:
    for digit in range(10):
        cover = glyph(digit, 60, 6)
        rows, columns = np.flatnonzero(cover.max(axis=1) > 0.5), np.flatnonzero(cover.max(axis=0) > 0.5)
        tight = cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        square = np.pad(tight, ((0, 0), ((len(tight) - tight.shape[1]) // 2,) * 2))
        cover = cv2.resize(square, (28, 28), interpolation=cv2.INTER_AREA)
        ink = find_ink(photo(paint(cover, (255 - pen,) * 3, (pen,) * 3)))
        assert np.corrcoef(ink.level.ravel(), cover.ravel())[0, 1] > 0.97
        assert ink.polarity == ("light on dark" if pen else "dark on light")


def test_level_and_mask_agree() -> None:
    ink = find_ink(photo(paint(COVER), 3, 75))
    assert ink.level.dtype == np.uint8
    assert (ink.level[ink.mask] >= EDGE).all()
    near = cv2.dilate(ink.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert not ink.level[~near].any()


def test_the_stroke_width_of_a_bar_and_of_nothing() -> None:
    level = np.zeros((200, 200), np.uint8)
    cv2.line(level, (30, 30), (170, 150), 255, 9)
    assert 6.5 < stroke_width(level, level >= EDGE) < 11  # 4/pi more or less, by the direction
    assert stroke_width(level * 0, level > 255) == 0.0


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 50, 3), (50, 1, 3), (2, 2), (3, 3000, 3), (3000, 1)])
def test_tiny_and_narrow_pictures(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8)
    assert find_ink(picture).level.dtype == np.uint8


def test_what_is_no_picture() -> None:
    with pytest.raises(TypeError, match=r"find_ink: got ndarray of float64 \[4, 4\], expected uint8"):
        find_ink(np.zeros((4, 4)))
    with pytest.raises(ValueError, match=r"got ndarray of uint8 \[4, 4, 4\], expected \[H, W, 3\]"):
        find_ink(np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(ValueError, match="not empty"):
        find_ink(np.zeros((0, 4, 3), np.uint8))
