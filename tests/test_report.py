"""The report, as text and in a real browser: its numbers, that it fits a phone and a desk, and that nothing leaves it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet import report
from lenet.html import document as _html
from lenet.report import _figures
from lenet.train import Trained, train
from lenet.train.data import load_test

NASTY = [
    "<script>alert(1)</script>",
    "$x$",
    "数字",
    "b\x07ell",
    "\"q\" & '<b>'",
    "#0072b2",
    'id="x',
    "w" * 300,
    "-->",
    "9",
]
VIEWS = [(w, h, theme) for w, h in ((360, 740), (1280, 800)) for theme in ("light", "dark")]


class Tables(HTMLParser):
    """The cells of every table's body, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = True
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data):
        if self._cell:
            self.tables[-1][-1][-1] += data.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def trained_and_data(small_mnist, tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "digits.safetensors"
    train("fast", data=small_mnist, epochs=6, out=out, say=lambda text: None)
    return Trained.load(out), load_test("mnist", small_mnist)


@pytest.fixture(scope="module")
def page(trained_and_data, tmp_path_factory):
    trained, (_, part, line) = trained_and_data
    path = tmp_path_factory.mktemp("report") / "report.html"
    report.write(path, trained, part.images, part.labels, line=line)
    return path


@pytest.fixture(scope="module")
def nasty_page(tmp_path_factory):
    """An untrained network whose classes have names that break pages."""
    lenet.seed(1)
    trained = Trained(lenet.LeNet(), (1, 28, 28), NASTY, 127.5, 127.5)
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("nasty") / "nasty.html"
    images, labels = rng.integers(0, 256, (200, 1, 28, 28), np.uint8), rng.integers(0, 9, 200)
    report.write(path, trained, images, labels, line="from <i>nowhere</i> & \udcff")
    return path


# ---- as text -----------------------------------------------------------------------------------------------------------


def test_the_numbers_are_the_evaluation_s(page, trained_and_data):
    trained, (_, part, line) = trained_and_data
    found = trained.evaluate(part.images, part.labels)
    html = page.read_text(encoding="utf-8")
    plain = html.replace("\u00a0", " ")
    assert f"<h1>digits.safetensors: {100 * found.accuracy:.2f} % right</h1>" in plain
    low, high = found.interval
    assert f"95 % interval {100 * low:.2f} % to {100 * high:.2f} %" in plain
    for value in (
        f"{100 * found.top2:.2f} %",
        f"{100 * found.macro_f1:.2f} %",
        f"{found.loss:.4f}",
        f"{100 * found.ece:.2f} %",
    ):
        assert f"<dd>{value} " in plain, value
    classes, aside, facts = Tables(html).tables
    assert classes[1:] == [
        [str(c), *(f"{100 * x[c]:.1f} %" for x in (found.precision, found.recall, found.f1)), str(found.support[c])]
        for c in range(10)
    ]
    assert [row[1] for row in aside[1:]] == [f"{100 * found.accuracy_at(s):.2f} %" for s in (0, 0.01, 0.02, 0.03, 0.05)]
    told = dict(facts)
    held = trained.meta["training"]["held_out_curve"]
    assert f"held-out images at the end: loss {held['loss'][-1]:.3g}, right {100 * held['accuracy'][-1]:.2f} %" in plain
    assert told["Weights"] == trained.digest
    assert told["Recipe"] == "fast: 6 epochs, 2,200 images, batches of 64, seed 0"
    assert told["Trained on"] == trained.meta["training"]["data"]["line"]
    wrong = found.images - found.correct
    assert html.count("taken for <b>") == min(wrong, 24)


def test_the_page_is_small_and_names_no_other_place(page, nasty_page):
    for path in (page, nasty_page):
        content = path.read_text(encoding="utf-8")
        assert len(content) < 1_500_000
        assert not re.findall(r"[a-z]+://|\bsrc=\"(?!data:)|<script", content)


def test_a_model_without_record_and_a_class_without_images(nasty_page):
    html = nasty_page.read_text(encoding="utf-8")
    assert "says nothing about it" in html
    assert "holds no calibration" in html
    assert Tables(html).tables[0][10][2:] == ["no images", "–", "0"]


def test_no_mistakes_and_damaged_records(tmp_path):
    lenet.seed(2)
    trained = Trained(lenet.LeNet(), (1, 28, 28), list("0123456789"), 127.5, 127.5)
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28), np.uint8)
    labels = trained.probabilities(images).argmax(axis=1)
    for curve in (
        None,
        [],
        {"steps": [1], "loss": ["x"], "accuracy": [1]},
        {"steps": [1, 2], "loss": [1], "accuracy": [1]},
    ):
        trained.meta = {"training": {"curve": curve, "held_out_curve": curve, "recipe": 3, "seed": "<b>"}}
        report.write(tmp_path / "r.html", trained, images, labels, line="")
        html = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert "no mistake on these images" in html
        assert "Training curve" not in html
    whole = {"steps": [1, 2], "loss": [2.0, 1.0], "accuracy": [0.1, 0.9]}
    trained.meta = {"training": {"curve": whole, "held_out_curve": {"steps": [1], "loss": [], "accuracy": [1]}}}
    report.write(tmp_path / "r.html", trained, images, labels, line="")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Training curve" in html
    assert "held-out" not in html


def test_written_whole_or_not_at_all(page, trained_and_data, tmp_path):
    trained, (_, part, line) = trained_and_data
    path = tmp_path / "r.html"
    path.write_text("before")
    with pytest.raises(ValueError, match="one for each of 500 images"):
        report.write(path, trained, part.images, part.labels[:3], line=line)
    with pytest.raises(ValueError, match=r"of shape \[1, 20, 20\]|\[500, 1, 20, 20\]"):
        report.write(path, trained, np.ascontiguousarray(part.images[:, :, :20, :20]), part.labels, line=line)
    with pytest.raises(IsADirectoryError, match="expected a file name"):
        report.write(tmp_path, trained, part.images, part.labels, line=line)
    with pytest.raises(OSError, match="a file where a folder should be"):
        report.write(path / "r.html", trained, part.images, part.labels, line=line)
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]
    assert path.read_text() == "before"
    report.write(path, trained, part.images, part.labels, line=line)
    assert path.read_bytes() == page.read_bytes()


def test_large_pictures_are_made_small():
    image = np.random.default_rng(0).integers(0, 256, (300, 200, 3), np.uint8)
    html = _figures.picture(image, 'a "b"')
    assert 'alt="a &quot;b&quot;"' in html
    assert len(html) < 60_000
    assert 'height="112"' in html
    assert Image.fromarray(image).size == (200, 300)


def test_text_is_escaped_and_printable_with_its_unbreakable_spaces():
    assert _html.text("<9\u00a0%\x07\udcff") == "&lt;9\u00a0%??"


def test_probabilities_are_never_certain():
    shown = [_html.sure(p) for p in (0.0, 0.0123, 1.0)]
    assert shown == ["&lt;\u00a00.1\u00a0%", "1.2\u00a0%", "&gt;\u00a099.9\u00a0%"]


# ---- in a browser ------------------------------------------------------------------------------------------------------

LOOK = """() => {
  const box = e => e.getBoundingClientRect();
  const cuts = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const all = [...document.querySelectorAll('body *')], figures = [...document.querySelectorAll('figure')];
  const problems = [];
  if (document.documentElement.scrollWidth > innerWidth) problems.push('wider than the screen');
  for (const e of all) {
    const style = getComputedStyle(e);
    if (!e.closest('svg') && style.overflowX === 'hidden' && e.scrollWidth > e.clientWidth) problems.push('cut: ' + e.outerHTML);
    const r = box(e);
    if (!e.closest('.scroll, svg') && r.width && r.right > innerWidth + 1) problems.push('beyond: ' + e.outerHTML);
  }
  figures.forEach((a, i) => figures.slice(i + 1).forEach(b => { if (cuts(box(a), box(b))) problems.push('figures overlap'); }));
  for (const svg of document.querySelectorAll('svg')) {
    const texts = [...svg.querySelectorAll('text')], r = box(svg);
    for (const t of texts) { const q = box(t);
      if (q.left < r.left - 1 || q.right > r.right + 1 || q.top < r.top - 1 || q.bottom > r.bottom + 1)
        problems.push('text leaves its figure: ' + t.textContent); }
    texts.forEach((a, i) => texts.slice(i + 1).forEach(b => {
      const p = box(a), q = box(b);
      if (Math.min(p.right, q.right) - Math.max(p.left, q.left) > 2 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 5)
        problems.push('texts overlap: ' + a.textContent + ' | ' + b.textContent); }));
    if (svg.getAttribute('role') !== 'img' || !svg.getAttribute('aria-label')) problems.push('svg without alternative');
  }
  for (const i of document.images) {
    if (!i.alt) problems.push('img without alt');
    if (!i.naturalWidth) problems.push('img not shown');
    if (i.width % i.naturalWidth) problems.push('pixels of unequal size');
  }
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  if (new Set(ids).size !== ids.length) problems.push('an id twice');
  const levels = [...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1]);
  levels.forEach((l, i) => { if (i ? l > levels[i - 1] + 1 : l !== 1) problems.push('heading out of order'); });
  for (const a of document.links) if (!document.getElementById(a.hash.slice(1))) problems.push('link to nowhere');
  const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const contrast = (a, b) => { const [p, q] = [light(a), light(b)].sort((x, y) => y - x); return (p + .05) / (q + .05); };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3) return c; } return [255, 255, 255]; };
  for (const e of all) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e), ink = e.tagName === 'text' ? style.fill : style.color;
    if (contrast(rgb(ink).slice(0, 3), ground(e)) < 4.5) problems.push('faint: ' + e.outerHTML);
  }
  // the confusion matrix's cells: their colour lies over the page, numbers over both
  for (const cell of document.querySelectorAll('[id^="confusion-PatchCollection"] path, [id^="confusion-PatchCollection"] use')) {
    const style = getComputedStyle(cell), over = ground(cell), alpha = +style.fillOpacity * +style.opacity;
    const mixed = rgb(style.fill).slice(0, 3).map((v, i) => v * alpha + over[i] * (1 - alpha));
    const ink = rgb(getComputedStyle(document.body).color);
    if (contrast(ink, mixed) < 4.5) problems.push('faint number on ' + mixed);
  }
  return [...new Set(problems)].slice(0, 10);
}"""


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
@pytest.mark.parametrize("which", ["page", "nasty_page"])
def test_nothing_is_cut_or_faint_or_leaves_the_file(which, width, height, theme, chromium, request):
    path = request.getfixturevalue(which)
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    left, said = [], []

    def route(asked):
        if asked.request.url == path.as_uri():
            return asked.continue_()
        left.append(asked.request.url)
        return asked.abort()

    context.route("**/*", route)
    view = context.new_page()
    view.on("console", lambda line: said.append(line.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("dialog", lambda dialog: said.append(dialog.message))
    view.goto(path.as_uri())
    assert view.evaluate(LOOK) == []
    dark = view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 23, 28)"
    assert dark == (theme == "dark")
    context.close()
    assert [url for url in left if not url.startswith("data:")] == []
    assert said == []


@pytest.mark.parametrize("width", [320, 360, 390, 430])
def test_three_mistakes_stand_in_a_row_on_a_phone(nasty_page, chromium, width):
    view = chromium.new_page(viewport={"width": width, "height": 740})
    view.goto(nasty_page.as_uri())
    tops = view.evaluate("[...document.querySelectorAll('#worst li')].map(e => e.getBoundingClientRect().top)")
    assert len(tops) == 24
    assert [tops.count(top) for top in sorted(set(tops))] == [3] * 8
    view.close()


def test_names_are_shown_as_they_are(nasty_page, chromium):
    view = chromium.new_page()
    view.goto(nasty_page.as_uri())
    assert view.evaluate("document.scripts.length") == 0
    names = view.evaluate("[...document.querySelectorAll('#errors tbody th')].map(e => e.textContent)")
    assert names[:3] == NASTY[:3]
    assert names[3] == "b?ell"
    assert names[4:7] == NASTY[4:7]
    ticks = view.evaluate("[...document.querySelectorAll('#errors svg text')].map(e => e.textContent)")
    assert "#0072b2" in ticks
    assert 'id="x' in ticks
    assert "from <i>nowhere</i> & ?" in view.inner_text("header")
    view.close()
