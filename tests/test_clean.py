"""Rules, boxes, frames, margins and specks go; the digits they cross stay as they were."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.ink.clean import clean
from lenet.reading.ink.find import Ink, find_ink, stroke_width
from lenet.reading.ink.straighten import straighten

cv2 = pytest.importorskip("cv2")

H, W, PITCH = 560, 900, 100


def digits(rows: int = 5, columns: int = 8, thickness: int = 5) -> np.ndarray:
    """Coverage of digits about 50 high, float32 [560, 900]; their middles at 75 + 100 n across and 75 + 100 n down."""
    big = np.zeros((2 * H, 2 * W), np.uint8)
    for n in range(rows * columns):
        x, y = 75 + n % columns * PITCH, 75 + n // columns * PITCH
        text = str(n * 7 % 10)
        (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 4.4, 2 * thickness)
        at = (2 * x - w // 2, 2 * y + h // 2)
        cv2.putText(big, text, at, cv2.FONT_HERSHEY_SIMPLEX, 4.4, 255, 2 * thickness, cv2.LINE_AA)
    return cv2.resize(big, (W, H), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


DIGITS = digits()


def picture(cover: np.ndarray, noise: float = 2.0) -> np.ndarray:
    done = 230 - 190 * cover + np.random.default_rng(4).normal(0, noise, cover.shape)
    return np.clip(done, 0, 255).astype(np.uint8)


def lines(kind: str) -> np.ndarray:
    """Printed lines, float32 [h, w]."""
    out = np.zeros((H, W), np.float32)
    middle = [75 + PITCH * n for n in range(8)]
    if kind == "rules below":
        for y in middle[:5]:
            out[y + 34 : y + 36, 10:-10] = 1
    elif kind == "rules through":
        for y in middle[:5]:
            out[y + 8 : y + 10, 10:-10] = 1
    elif kind == "squared paper":
        for y in range(20, H, 40):
            out[y : y + 2] = 1
        for x in range(20, W, 40):
            out[:, x : x + 2] = 1
    elif kind == "boxes":
        for y in middle[:5]:
            for x in middle:
                cv2.rectangle(out, (x - 34, y - 36), (x + 34, y + 36), 1, 2)
    elif kind == "combs":
        for y in middle[:5]:
            cv2.rectangle(out, (25, y - 36), (825, y + 36), 1, 2)
            for x in middle[:-1]:
                out[y - 36 : y + 36, x + 49 : x + 51] = 1
    return out


def compare(ink: Ink, cover: np.ndarray) -> tuple[float, float]:
    """Shares of the mask that is no digit, and of the digits that is lost."""
    found = ink.mask
    false = np.count_nonzero(found & (cover < 0.15)) / max(1, np.count_nonzero(found))
    return false, np.count_nonzero(~found & (cover > 0.8)) / np.count_nonzero(cover > 0.8)


KINDS = {"rules below": 0.01, "rules through": 0.04, "squared paper": 0.06, "boxes": 0.01, "combs": 0.01}


@pytest.mark.parametrize("kind", KINDS)
def test_lines_go_and_digits_stay(kind: str) -> None:
    before = find_ink(picture(np.maximum(DIGITS, lines(kind))))
    assert compare(before, DIGITS)[0] > 0.15
    after = clean(before)
    false, lost = compare(after, DIGITS)
    assert false < KINDS[kind]
    assert lost < 0.02
    assert after.stroke == pytest.approx(find_ink(picture(DIGITS)).stroke, rel=0.15)


def test_each_digit_crossed_by_a_rule_still_equals_itself() -> None:
    plain = clean(find_ink(picture(DIGITS)))
    crossed = clean(find_ink(picture(np.maximum(DIGITS, lines("rules through")))))
    for n in range(40):
        x, y = 75 + n % 8 * PITCH, 75 + n // 8 * PITCH
        part = slice(y - 36, y + 37), slice(x - 36, x + 37)
        one, two = plain.level[part].astype(float), crossed.level[part].astype(float)
        assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.94
        assert cv2.connectedComponents(crossed.mask[part].astype(np.uint8))[0] == 2  # whole: one piece and the paper


def test_upright_ones_between_two_rules_are_no_cell_sides() -> None:
    cover = np.zeros((H, W), np.float32)
    for x in range(75, 875, PITCH):
        cover[100:196, x : x + 5] = 1  # touching both rules, thicker than they
    ones = cover.copy()
    cover[98:100, 5:-5] = cover[196:198, 5:-5] = 1
    assert compare(clean(find_ink(picture(cover))), ones)[1] < 0.05


@pytest.mark.parametrize("height", [140, 200])
def test_stems_on_a_small_page_are_no_rules(height: int) -> None:
    cover = np.zeros((height, 420), np.float32)
    tall = height // 2
    for x in range(40, 400, 60):
        cover[40 : 40 + tall, x : x + 6] = 1  # ones, and nines with a straight stem
        if x % 120 == 40:
            cv2.circle(cover, (x - 8, 54), 11, 1, 6)
    ink = find_ink(picture(cover, 0))
    assert np.array_equal(clean(ink).mask, ink.mask)
    ruled = cover.copy()
    ruled[44 + tall : 46 + tall] = 1
    assert compare(clean(find_ink(picture(ruled, 0))), cover) < (0.01, 0.02)


def test_bold_rules_among_fine_ones_go_too() -> None:
    grid = np.zeros((H, W), np.float32)
    for n in range(10):
        for line, at in ((grid, 25 + 50 * n), (grid.T, 25 + 85 * n)):
            line[at : at + (7 if n % 3 == 0 else 2), 25:-25] = 1
    drawn = np.zeros((H, W), np.uint8)
    for n in range(9):
        at = 50 + 85 * n, 62 + 50 * (n % 5)
        cv2.putText(drawn, str(n), at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 3, cv2.LINE_AA)
    cover = drawn.astype(np.float32) / 255
    false, lost = compare(clean(find_ink(picture(np.maximum(grid, cover)))), cover)
    assert false < 0.05
    assert lost < 0.02


def test_the_pieces_of_a_broken_rule_go_where_they_cross_others() -> None:
    grid = lines("squared paper")
    grid[:, :12] = grid[:, -12:] = 0
    broken = np.zeros((H, W), np.float32)
    for x in range(25, W - 200, 210):
        broken[40:42, x : x + 110] = 1  # an end of each stands on no rule
    after = clean(find_ink(picture(np.maximum(np.maximum(grid, broken), DIGITS))))
    alone = (broken > 0) & (DIGITS == 0)
    assert np.count_nonzero(after.mask & alone) < 0.1 * np.count_nonzero(alone)
    assert compare(after, DIGITS)[1] < 0.02


FORMS = {"dark rules, red pen": ((30, 30, 35), (150, 35, 45)), "grey rules, dark pen": ((170, 170, 175), (40, 40, 45))}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("pitch", "thick"), [(14, 3), (40, 4)])
def test_a_thick_grid_of_another_colour_goes_whole(form: str, pitch: int, thick: int) -> None:
    grid = np.zeros((H, W), np.float32)
    for at in range(20, W, pitch):
        grid[at : at + thick] = grid[:, at : at + thick] = 1
    page = np.full((H, W, 3), 235, np.float32)
    for cover, colour in zip((grid, DIGITS), FORMS[form], strict=True):
        page += cover[..., None] * (np.float32(colour) - page)
    false, lost = compare(clean(find_ink(page.astype(np.uint8))), DIGITS)
    assert false < 0.02
    assert lost < 0.02


@pytest.mark.parametrize("rule", [(90, 140, 205), (158, 158, 158)], ids=["blue", "grey"])
@pytest.mark.parametrize("degrees", [0.8, -2.0, 5.0])
def test_pale_squares_that_are_turned_leave_nothing(rule: tuple[int, int, int], degrees: float) -> None:
    """Turned, a thin rule is darker here and paler there; beside dark writing only its darker places are ink."""
    cover = digits(columns=5)
    squares = np.zeros((2 * H, 2 * W), np.float32)
    squares[6::80] = squares[7::80] = squares[8::80] = 1
    squares[:, 6::80] = squares[:, 7::80] = squares[:, 8::80] = 1
    squares = cv2.resize(squares, (W, H), interpolation=cv2.INTER_AREA)
    page = np.full((H, W, 3), (240, 240, 236), np.float32)
    for layer, colour in ((squares, rule), (cover, (40, 44, 60))):
        page += layer[:, :, None] * (np.float32(colour) - page)
    turn = cv2.getRotationMatrix2D((W / 2, H / 2), degrees, 0.9)
    page = cv2.warpAffine(page, turn, (W, H), flags=cv2.INTER_LINEAR, borderValue=(240, 240, 236))
    page += np.random.default_rng(5).normal(0, 2, page.shape).astype(np.float32)
    ink, matrix = straighten(find_ink(np.clip(page, 0, 255).astype(np.uint8)))
    found = clean(ink).mask
    there = (matrix @ np.vstack([turn, [0, 0, 1]]))[:2]
    written = cv2.warpAffine(cover, there, found.shape[::-1], flags=cv2.INTER_LINEAR)
    near = cv2.dilate((written > 0.3).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.count_nonzero(found & ~near) < 0.005 * np.count_nonzero(found)  # an end of one rule, or nothing
    assert found[written > 0.7].mean() > 0.97


def test_digits_alone_are_left_alone() -> None:
    ink = find_ink(picture(DIGITS, 0))
    assert np.array_equal(clean(ink).mask, ink.mask)
    large = cv2.resize(DIGITS[:150, :250], None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    ink = find_ink(picture(large, 0))
    assert np.array_equal(clean(ink).mask, ink.mask)


def test_specks_go_and_points_stay() -> None:
    cover = DIGITS.copy()
    cover[492:499, 105:112] = 1  # a decimal point beside a digit, nearly as wide as a stroke
    cover[540:547, 880:887] = 1  # as large, and far from all
    rng = np.random.default_rng(6)
    for y, x in zip(rng.integers(525, 550, 60), rng.integers(5, 890, 60), strict=True):
        cover[y, x] = 1
    after = clean(find_ink(picture(cover, 0)))
    assert not after.mask[520:].any()
    assert after.mask[493:498, 106:111].all()
    assert not after.level[520:].any()


def test_a_scanners_dark_margin_goes() -> None:
    cover = np.pad(DIGITS, ((0, 30), (40, 0)))
    dark = cover.copy()
    dark[-30:], dark[:, :40], dark[:12, :500] = 1, 1, 1
    false, lost = compare(clean(find_ink(picture(dark))), cover)
    assert false < 0.01
    assert lost < 0.01


@pytest.mark.parametrize("size", [28, 64, 140])
def test_a_frame_around_a_single_digit_goes(size: int) -> None:
    for n in range(8):
        glyph = cv2.resize(DIGITS[39:111, 39 + 100 * n : 111 + 100 * n], (size, size), interpolation=cv2.INTER_AREA)
        framed = glyph.copy()
        edge = max(1, size // 16)
        framed[:edge] = framed[-edge:] = framed[:, :edge] = framed[:, -edge:] = 1
        ink = clean(find_ink(picture(framed, 0)))
        assert np.corrcoef(ink.level.ravel(), glyph.ravel())[0, 1] > 0.97


def test_a_tiny_digit_and_nothing_at_all() -> None:
    glyph = cv2.resize(DIGITS[39:111, 139:211], (8, 8), interpolation=cv2.INTER_AREA)
    assert clean(find_ink(picture(glyph, 0))).mask.any()
    blank = find_ink(np.full((300, 400), 200, np.uint8))
    assert clean(blank) is blank
    frame = np.pad(np.zeros((24, 24), np.float32), 2, constant_values=1)
    empty = clean(find_ink(picture(frame, 0)))
    assert not empty.mask.any()
    assert not empty.level.any()
    assert empty.stroke == 0.0


def test_the_soft_edges_of_a_rule_go_with_it() -> None:
    after = clean(find_ink(picture(np.maximum(DIGITS, lines("rules below")))))
    assert stroke_width(after.level, after.mask) == after.stroke
    near = cv2.dilate(after.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert not after.level[~near].any()
