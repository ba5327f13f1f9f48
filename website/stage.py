"""Lays the site's pages out in one folder, as Markdown: docs/ as it is, notebooks, the reference, and files that pages link to.

docs/ is read on GitHub too, where a page may link to a program in examples/. Here such a file becomes a page of its own, under
source/; a link to a folder becomes its plain text. Read by __main__.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from website.notebooks import page as notebook_page
from website.reference import pages as reference_pages

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
CODE = {".py": "python", ".h": "cpp", ".cpp": "cpp"}

_LINK = re.compile(r"(?P<text>\[(?:[^\]\\]|\\.)*\])\((?P<target>[^)\s]+)\)")
_FENCED = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)


def stage(pages: Path) -> None:
    """Writes every page and picture of the site into a folder, which is emptied first."""
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(DOCS, pages)
    shutil.copy(ROOT / "website" / "style.css", pages / "style.css")
    linked: set[Path] = set()
    for path in sorted(DOCS.rglob("*.md")):
        text = _details(_with_links(path.read_text(encoding="utf-8"), path, linked))
        (pages / path.relative_to(DOCS)).write_text(text, encoding="utf-8")
    for path in sorted((ROOT / "examples").glob("*.ipynb")):
        _write(pages / _home(path), notebook_page(path, pages / "images"))
    for path in sorted(linked):
        if path.suffix in CODE:
            code = path.read_text(encoding="utf-8").rstrip()
            _write(pages / _home(path), f"# {path.relative_to(ROOT)}\n\n```{CODE[path.suffix]}\n{code}\n```\n")
    for name, text in reference_pages().items():
        _write(pages / "reference" / name, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _home(path: Path) -> Path:
    """Where a file outside docs/ stands as a page."""
    inside = path.relative_to(ROOT)
    if path.suffix == ".ipynb":
        return inside.with_suffix(".md")
    return Path("source") / f"{inside}.md"


def _with_links(text: str, page: Path, linked: set[Path]) -> str:
    """A page whose links out of docs/ lead to pages of the site; what they lead to is added to ``linked``."""

    def one(match: re.Match[str]) -> str:
        name, _, anchor = match["target"].partition("#")
        if not name or re.match(r"[a-z][a-z0-9+.-]*:", name):
            return match[0]
        target = (page.parent / name).resolve()
        if target.is_relative_to(DOCS):
            return match[0]
        if target.suffix not in (*CODE, ".ipynb"):
            return match["text"][1:-1]
        linked.add(target)
        home = os.path.relpath(DOCS / _home(target), page.parent)
        return f"{match['text']}({home}{'#' if anchor else ''}{anchor})"

    parts = _FENCED.split(text)
    return "".join(part if part.startswith("```") else _LINK.sub(one, part) for part in parts)


def _details(text: str) -> str:
    """What is folded away is Markdown to GitHub; here it must be said."""
    return text.replace("<details>", '<details markdown="1">')
