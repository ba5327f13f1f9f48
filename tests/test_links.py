"""Every link in README, docs and their neighbours leads to a file, and to a heading in it where it names one.

Links into the internet are not followed: a test needs no network. Pictures are links too.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINKS = re.compile(r"\]\(\s*<?([^)\s>]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)|(?:src|href)=\"([^\"]+)\"", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ANCHOR = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")


def links(text: str) -> list[str]:
    """The targets of a page's links, those in code left out."""
    plain = _CODE.sub("", _FENCED.sub("", text))
    return [next(filter(None, found)) for found in _LINKS.findall(plain)]


def anchors(text: str) -> set[str]:
    """What may stand after # in a link to the page: its headings as GitHub names them, and its own anchors."""
    plain = _FENCED.sub("", text)
    found, names = set(_ANCHOR.findall(plain)), []
    for heading in _HEADING.findall(plain):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.replace("*", "").lower()).replace(" ", "-")
        names.append(name)
        found.add(name if names.count(name) == 1 else f"{name}-{names.count(name) - 1}")
    return found


def tree_of(page: Path) -> Path:
    """The folder that README stands in, which no link may leave."""
    return page.parent if "docs" not in page.parts else next(p for p in page.parents if p.name == "docs").parent


def astray(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    wrong = []
    for target in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        inside = file.resolve().is_relative_to(tree_of(page))
        leads = inside and file.exists()
        if leads and anchor:
            leads = file.suffix == ".md" and anchor in anchors(file.read_text(encoding="utf-8"))
        if not leads:
            wrong.append(target)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert astray(page) == []


def test_every_page_of_docs_is_linked_from_another() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in links(page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:|#", target)
    }
    assert [page.name for page in PAGES if (ROOT / "docs") in page.parents and page.resolve() not in linked] == []


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Über *uns*\n\n## `a` & b\n\n## `a` & b\n\n```sh\n# no heading\n```\n")
    page = tmp_path / "docs" / "page.md"
    good = [
        "../README.md",
        "../README.md#über-uns",
        "../README.md#a--b",
        "../README.md#a--b-1",
        "#mine",
        "https://a.b/c#d",
    ]
    bad = ["nowhere.md", "../README.md#no-heading", "../README.md#a--b-2", "#yours", "../../outside.md"]
    text = "# Mine\n\n" + "\n".join(f"[see]({target}) `[not]({target}x)`" for target in good + bad)
    page.write_text(f'{text}\n![a picture](gone.png "title")\n\n[one]: also-gone.md\n<img src="missing.svg">\n')
    assert astray(page) == [*bad, "gone.png", "also-gone.md", "missing.svg"]
