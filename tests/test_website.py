"""The documentation site: every public name has its place in the reference, and a browser finds the built pages in order.

The build is strict by itself (website/__main__): a link that leads nowhere, a page in no menu or a file from elsewhere fails it.
"""

from __future__ import annotations

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # website is not part of the installed package

from website import reference, stage

ROOT = stage.ROOT
PAGES = [
    "index",
    "reading",
    "from-pytorch",
    "gallery",
    "examples/tutorial",
    "reference/lenet.nn",
    "zh/index",
    "de/reading",
]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


def test_every_public_name_has_a_heading(pages: dict[str, str]) -> None:
    anchors = {anchor for text in pages.values() for anchor in re.findall(r"^##+ .* \{ #(\S+) \}$", text, re.MULTILINE)}
    values = " ".join(text.partition("## Values")[2] for text in pages.values())
    for dotted in reference.public_modules():
        of = reference.module(dotted)
        for name in reference.names(of):
            full = f"{dotted}.{name}"
            assert full in anchors if callable(getattr(of, name)) else f"`{full}`" in values, full


def test_an_entry_is_signature_and_docstring(pages: dict[str, str]) -> None:
    entry = pages["lenet.nn.md"].partition("{ #lenet.nn.Linear }")[2].partition("\n## ")[0]
    assert "lenet.nn.Linear(in_features, out_features, weight_attr=None, bias_attr=None, name=None)" in entry
    assert "The weight is the transpose of PyTorch's." in entry
    assert "The same as [`Conv2D`](#lenet.nn.Conv2D)." in pages["lenet.nn.md"]


def test_docstrings_are_taken_as_they_read() -> None:
    assert reference._markdown("x [N, *shape] <= ``a*b``, 1") == r"x \[N, \*shape\] &lt;= ``a*b``, 1"
    assert (
        reference._markdown("See:\n\n    code(x)\n\n# no heading") == "See:\n\n```text\ncode(x)\n```\n\n\\# no heading"
    )


def test_links_out_of_docs_lead_to_pages(tmp_path: Path) -> None:
    stage.stage(tmp_path / "pages")
    index = (tmp_path / "pages" / "index.md").read_text(encoding="utf-8")
    assert "(source/examples/better_than_the_tutorial.py.md)" in index
    assert "(examples/tutorial.md)" in index
    assert (tmp_path / "pages" / "source" / "examples" / "better_than_the_tutorial.py.md").exists()
    tutorial = (tmp_path / "pages" / "examples" / "tutorial.md").read_text(encoding="utf-8")
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", tutorial):
        assert (tmp_path / "pages" / "examples" / picture).exists()
    assert "](../bench/peers)" not in (tmp_path / "pages" / "speed.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[str, None, None]:
    """The address of the site, built and served."""
    pytest.importorskip("zensical", reason="pip install '.[docs]'")
    out = tmp_path_factory.mktemp("site")
    where = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "website", "--out", str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=where)
    assert ran.returncode == 0, ran.stderr
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(out))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_and_fetch_nothing_from_elsewhere(site: str, chromium: Any, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    asked, faults = set(), []
    page.on("request", lambda request: asked.add(request.url))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    for name in PAGES:
        page.goto(f"{site}{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)"), name
    assert {url for url in asked if not url.startswith((site, "data:", "blob:"))} == set()
    assert faults == []
    page.close()


def test_a_language_is_named(site: str, chromium: Any) -> None:
    page = chromium.new_page()
    found = {}
    for name in ("index", "zh/index", "de/reading"):
        page.goto(f"{site}{name}.html")
        found[name] = page.get_attribute("html", "lang")
    page.close()
    assert found == {"index": "en", "zh/index": "zh-Hans", "de/reading": "de"}


@pytest.mark.parametrize(
    ("words", "found"), [("cross_entropy", "#lenet.nn.functional.cross_entropy"), ("识别手写", "zh/reading.html")]
)
def test_the_search_finds(site: str, chromium: Any, words: str, found: str) -> None:
    page = chromium.new_page()
    page.goto(f"{site}index.html")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.wait_for_function("document.activeElement?.shadowRoot?.activeElement?.tagName === 'INPUT'")
    page.keyboard.type(words)
    page.locator(f"a[href*='{found}']").locator("visible=true").first.wait_for(timeout=60_000)
    page.close()
