"""The page of what to check: as text, and in a real browser that it fits a phone and a desk and nothing leaves it."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from lenet.reading import check_page, open_pages, read
from lenet.reading._check_page import _within
from lenet.reading.page import Digit, Line, Number, Page

NASTY = "<script>alert(1)</script>/\"q\" & '<b>'\x07\udcff.png"


def digit(label: str, confidence: float, box: tuple[int, int, int, int], rejected: bool = False) -> Digit:
    return Digit(box, label, confidence, ("4", 0.35), rejected, np.zeros((28, 28), np.uint8))


def page(
    *numbers: Number, name: str = "a.png", number: int = 1, turn: int = 0, size: tuple[int, int] = (200, 100)
) -> Page:
    lines = (Line(numbers, (10, 20, 90, 60)),) if numbers else ()
    return Page(lines, *size, turn=turn, name=name, number=number)


SURE = Number("7", (digit("7", 0.99, (100, 20, 120, 60)),), (100, 20, 120, 60))
DOUBT = Number(
    "-1?.9",
    (
        digit("1", 0.95, (10, 20, 20, 60)),
        digit("2", 0.3, (30, 20, 50, 60), rejected=True),
        digit("9", 0.62, (60, 20, 80, 60)),
    ),
    (10, 20, 80, 60),
)
WHITE = np.full((100, 200, 3), 255, np.uint8)


class Seen(HTMLParser):
    """Pictures, frames, marked letters, headings and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.frames: list[str | None] = []
        self.marked: list[str] = []
        self.headings: list[str] = []
        self.text = ""
        self._in: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag == "i":
            self.frames.append(dict(attrs)["style"])
        if tag in ("h1", "h2", "h3", "mark"):
            (self.marked if tag == "mark" else self.headings).append("")
        if tag not in ("img", "meta", "link"):
            self._in.append(tag)

    def handle_endtag(self, tag):
        self._in.pop()

    def handle_data(self, data):
        if "style" in self._in:
            return
        self.text += data.replace("\u00a0", " ")
        if "mark" in self._in:
            self.marked[-1] += data
        elif {"h1", "h2", "h3"} & set(self._in):
            self.headings[-1] += data


def picture(seen: Seen, at: int = 0) -> Image.Image:
    return Image.open(BytesIO(b64decode(seen.images[at]["src"].split("base64,")[1])))


def test_doubtful_numbers_are_shown_and_no_others():
    seen = Seen(check_page([(WHITE, page(SURE, DOUBT, SURE))]))
    assert seen.headings == ["2 digits to check", "a.png"]
    assert seen.marked == ["?", "9"]
    assert len(seen.images) == 1
    assert seen.images[0]["alt"] == "The number read as -1?.9"
    assert "2 of 5 digits, on 1 of 1 page, are less than 90 % sure" in seen.text
    assert "2nd digit: not told; maybe 2, 30 %, or 4, 35 %" in seen.text
    assert "3rd digit: 9, 62 % sure; or 4, 35 %" in seen.text
    assert "Line 1" in seen.text


def test_the_picture_is_the_number_with_a_little_around_and_frames_where_its_doubtful_digits_are():
    rgb = np.zeros((100, 200, 3), np.uint8)
    rgb[:, :, 0] = np.arange(200)
    seen = Seen(check_page([(rgb, page(DOUBT))]))
    cut = np.asarray(picture(seen).convert("RGB")).astype(int)
    assert cut.shape[:2] == (80 + 1, 100 + 1)  # 20 around the box, which the left edge cuts to 10
    assert abs(cut[:, 0, 0].mean() - 0) < 8
    assert abs(cut[:, -1, 0].mean() - 100) < 8
    lefts = [float(re.search(r"left:([\d.]+)%", frame)[1]) for frame in seen.frames]
    assert lefts == pytest.approx([100 * 30 / 101, 100 * 60 / 101], abs=0.1)
    assert int(seen.images[0]["height"]) == round(81 * 48 / 40)


def test_large_numbers_are_stored_small_and_rgb_may_be_reduced():
    big = Number("2", (digit("2", 0.5, (200, 200, 500, 600)),), (200, 200, 500, 600))
    seen = Seen(check_page([(np.zeros((1000, 2000, 3), np.uint8), page(big, size=(4000, 2000)))]))
    assert picture(seen).size == (round(351 * 56 / 200), round(401 * 56 / 200))  # a number's 200 pixels become 56
    assert seen.images[0]["height"] == str(round(401 * 48 / 200))
    wide = replace(big, box=(200, 200, 3800, 600))
    seen = Seen(check_page([(np.zeros((1000, 2000, 3), np.uint8), page(wide, size=(4000, 2000)))]))
    assert picture(seen).size[0] <= 640


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_what_lay_on_its_side_is_shown_upright(quarters):
    """A red digit at the left of a number: wherever the page was turned, its frame is on red."""
    upright = np.full((100, 200, 3), 255, np.uint8)
    upright[20:60, 30:50] = (255, 0, 0)
    given = np.ascontiguousarray(np.rot90(upright, -quarters))
    h, w = given.shape[:2]

    def back(box):
        for _ in range(quarters):  # what np.rot90 by -1 does to boxes, each time in the picture it leaves
            x0, y0, x1, y1 = box
            height = heights.pop(0)
            box = (height - y1, x0, height - y0, x1)
        return box

    heights = [100, 200, 100][:quarters]
    inner = back((30, 20, 50, 60))
    heights = [100, 200, 100][:quarters]
    outer = back((10, 20, 80, 60))
    one = Number("2", (digit("2", 0.5, inner),), outer)
    seen = Seen(check_page([(given, page(one, turn=90 * quarters, size=(w, h)))]))
    cut = np.asarray(picture(seen).convert("RGB")).astype(int)
    assert cut.shape[1] > cut.shape[0]
    left, top, width, height = (float(v) / 100 for v in re.findall(r":([\d.]+)%", seen.frames[0]))
    x, y = round((left + width / 2) * cut.shape[1]), round((top + height / 2) * cut.shape[0])
    assert cut[y, x, 0] > 200
    assert cut[y, x, 1] < 60
    assert _within((0, 0, 2, 1), 1.0, 1.0, (0, 0, 4, 2), 2) == (0.5, 0.5, 1.0, 1.0)


def test_files_and_pages_are_groups():
    pages = [
        page(DOUBT, name="s/a.pdf"),
        page(DOUBT, name="s/a.pdf", number=2),
        page(SURE, name="s/b.png"),
        page(DOUBT, name="s/c.png"),
        page(DOUBT, SURE, DOUBT, name="s/t/d.pdf", number=3),
    ]
    seen = Seen(check_page((WHITE, one) for one in pages))
    assert seen.headings == ["10 digits to check", "a.pdf", "Page 1", "Page 2", "c.png", "t/d.pdf", "Page 3"]
    assert "on 4 of 5 pages" in seen.text


def test_beyond_the_limit_it_says_how_many_are_left_out():
    html = check_page(((WHITE, page(DOUBT)) for _ in range(5)), most=3)
    seen = Seen(html)
    assert len(seen.images) == 3
    assert "Shown are the first 3 numbers; 2 more are left out." in seen.text
    assert seen.headings[0] == "10 digits to check"


def test_nothing_to_check():
    seen = Seen(check_page([(WHITE, page(SURE, SURE))]))
    assert seen.headings == ["Nothing to check"]
    assert "Of 2 digits on 1 page none is less than 90 % sure." in seen.text
    assert Seen(check_page([])).headings == ["Nothing to check"]


def test_names_are_escaped_and_texts_whole():
    html = check_page([(WHITE, page(DOUBT, name=NASTY))])
    assert "<script" not in html
    assert Seen(html).headings[1] == NASTY.replace("\x07", "?").replace("\udcff", "?")
    html.encode()
    cells = Number(
        "3 ?", (digit("3", 0.99, (10, 20, 20, 60)), digit("2", 0.1, (30, 20, 50, 60), True)), (10, 20, 50, 60)
    )
    assert Seen(check_page([(WHITE, page(cells, name=""))])).marked == ["?"]
    assert "A picture without a name" in check_page([(WHITE, page(cells, name=""))])


def test_nothing_in_it_asks_for_the_network_or_runs():
    html = check_page([(WHITE, page(DOUBT))])
    assert "default-src 'none'" in html
    for forbidden in ("<script", "http:", "https:", "@import", "url("):
        assert forbidden not in html


def test_thousands_of_numbers_stay_small():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (100, 200, 3), np.uint8)  # noise: the worst there is
    html = check_page((rgb, page(*[DOUBT] * 20)) for _ in range(50))
    assert len(html) < 1000 * 12_000


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ([page(DOUBT)], TypeError, "check_page: got Page"),
        ([(WHITE, DOUBT)], TypeError, "expected pairs (colours, Page). Type zip(images, pages)"),
        ([(WHITE[..., 0], page(DOUBT))], ValueError, "expected a page's colours, uint8 [height, width, 3]"),
        ([("a.png", page(DOUBT))], ValueError, "check_page: got str 'a.png'"),
    ],
)
def test_other_things_than_readings(given, error, text):
    with pytest.raises(error) as raised:
        check_page(given)
    assert text in str(raised.value)


def test_a_limit_that_is_none():
    with pytest.raises(ValueError, match="most: got 0"):
        check_page([], most=0)


def test_of_a_real_reading(pen):
    image = pen("365 24\n7")
    html = check_page((source, read(source, min_confidence=1.0)) for source in open_pages(image))
    seen = Seen(html)
    assert seen.headings == ["6 digits to check", "A picture without a name"]
    assert len(seen.images) == 3
    assert "".join(seen.marked) == "??????"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 255, (100, 200, 3), np.uint8)
    long = Number("1" * 60, tuple(digit("1", 0.5, (3 * k, 20, 3 * k + 3, 60)) for k in range(60)), (0, 20, 180, 60))
    pages = [page(DOUBT, name=NASTY), page(long, name="w" * 300), *(page(DOUBT, name=f"{n}.png") for n in range(20))]
    path = tmp_path_factory.mktemp("check") / "check.html"
    path.write_text(check_page((rgb, one) for one in pages), encoding="utf-8")
    return path


@pytest.mark.parametrize(("wide", "high"), [(360, 740), (1280, 800)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_in_a_browser_it_fits_and_asks_for_nothing(chromium, written, wide, high, theme):
    context = chromium.new_context(
        viewport={"width": wide, "height": high}, color_scheme=theme, java_script_enabled=True
    )
    tab = context.new_page()
    asked, complaints = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda entry: complaints.append(entry.text))
    tab.goto(written.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= wide
    assert [url for url in asked if not url.startswith("data:")] == [written.as_uri()]
    assert complaints == []
    assert tab.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    inside = """[...document.querySelectorAll('.seen i')].every(f => {
        const a = f.getBoundingClientRect(), b = f.parentElement.querySelector('img').getBoundingClientRect();
        return a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1 })"""
    assert tab.evaluate(inside)
    context.close()
