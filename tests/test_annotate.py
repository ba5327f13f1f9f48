"""Annotated pages: where boxes and labels are drawn, in which colour, and that they can be read at any size."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading._annotate import _REJECTED, _STYLES, annotate
from lenet.reading.page import Digit, Line, Number, Page

SURE, LESS, UNSURE = _STYLES


def digit(box, confidence=0.999, *, label="3", rejected=False):
    return Digit(box, label, confidence, ("5", 0.0), rejected, np.zeros((28, 28), np.uint8))


def page(width, height, *digits):
    box = (0, 0, width, height)
    return Page((Line((Number("", digits, box),), box),), width, height)


def paper(width, height, shade=255):
    return np.full((height, width, 3), shade, np.uint8)


def where(picture, colour):
    """The box around all pixels of a colour: x0, y0, x1, y1."""
    y, x = np.nonzero((picture == colour).all(axis=2))
    return x.min(), y.min(), x.max() + 1, y.max() + 1


@pytest.mark.parametrize(
    ("confidence", "rejected", "style"),
    [
        (1.0, False, SURE),
        (0.99, False, SURE),
        (0.98, False, LESS),
        (0.9, False, LESS),
        (0.89, False, UNSURE),
        (0.0, False, UNSURE),
        (0.999, True, _REJECTED),
    ],
)
def test_the_colour_says_how_sure(confidence, rejected, style):
    one = page(600, 400, digit((300, 200, 340, 260), confidence, rejected=rejected))
    found = annotate(paper(600, 400), one, legend=False)
    assert found.shape == (400, 600, 3)
    assert found.dtype == np.uint8
    for other in (*_STYLES, _REJECTED):
        assert (found == other.colour).all(axis=2).any() == (other is style)
    x0, y0, x1, y1 = where(found, style.colour)
    assert (x0, x1, y1) == pytest.approx((300, 340, 260), abs=6)  # around the digit, as thick as the line
    assert 165 <= y0 <= 185  # its label stands above
    assert (found[200:260, 300:340] == 255).all()  # the digit itself is left as it is
    dark = annotate(paper(600, 400, 30), one, legend=False)
    assert (dark == style.on_dark).all(axis=2).any()


def test_colours_differ_in_brightness_too():
    """What a colour-blind person, or a grey print, has left to go by."""
    for colours in ([s.colour for s in _STYLES], [s.on_dark for s in _STYLES]):
        grey = sorted(float(np.dot(c, (0.299, 0.587, 0.114))) for c in colours)
        assert min(np.diff(grey)) >= 20
    assert len({s.weight for s in _STYLES}) == 3


def test_the_less_sure_the_thicker_and_rejected_is_dashed():
    shares = []
    for confidence in (0.999, 0.95, 0.5):
        found = annotate(paper(2000, 1500), page(2000, 1500, digit((900, 700, 960, 790), confidence)), legend=False)
        left = found[745, 800:900]
        shares.append(int((left != 255).any(axis=1).sum()))
    assert shares[0] < shares[1] < shares[2]
    found = annotate(paper(600, 400), page(600, 400, digit((300, 200, 340, 260), rejected=True)), legend=False)
    column = (found[200:260, 297:300] == _REJECTED.colour).all(axis=2).any(axis=1)
    assert 0.3 < column.mean() < 0.7


def test_boxes_are_scaled_to_the_pixels_given():
    one = page(1200, 800, digit((600, 400, 680, 520)))
    x0, _, x1, y1 = where(annotate(paper(600, 400), one, legend=False), SURE.colour)
    assert (x0, x1, y1) == pytest.approx((300, 340, 260), abs=6)


@pytest.mark.parametrize(("width", "height"), [(5, 5), (28, 28), (300, 8), (6, 900), (640, 480), (3000, 2000)])
@pytest.mark.parametrize("legend", [True, False])
def test_any_size(width, height, legend):
    found = annotate(paper(width, height), page(width, height, digit((0, 0, width, height))), legend=legend)
    factor = found.shape[1] // width
    assert found.shape[1] == factor * width
    assert (found.shape[0] > factor * height) is legend
    assert max(found.shape) >= 420  # small ones are enlarged
    assert (found == SURE.colour).all(axis=2).any()


def test_small_digits_on_a_page_are_enlarged():
    found = annotate(paper(800, 600), page(800, 600, digit((100, 100, 106, 109))), legend=False)
    assert found.shape == (1800, 2400, 3)


def test_the_legend_counts():
    digits = [digit((300, 200, 340, 260)), digit((400, 200, 440, 260), 0.5)]
    plain = annotate(paper(600, 400), page(600, 400, *digits), legend=False)
    found = annotate(paper(600, 400), page(600, 400, *digits))
    assert (found[:400] == plain).all()
    strip = found[400:]
    for style in (*_STYLES, _REJECTED):
        assert (strip == style.colour).all(axis=2).any()
    empty = annotate(paper(600, 400), Page((), 600, 400))
    assert (empty[:400] == 255).all()
    assert (empty[400:] != strip).any()


def test_the_given_page_is_not_drawn_on():
    rgb = paper(600, 400)
    rgb.flags.writeable = False
    annotate(rgb, page(600, 400, digit((300, 200, 340, 260))))
    assert (rgb == 255).all()


@pytest.mark.parametrize("rgb", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8), None])
def test_other_arrays(rgb):
    with pytest.raises(ValueError, match=r"annotate: got .*, expected a page's colours, uint8 \[height, width, 3\]"):
        annotate(rgb, Page((), 9, 9))
