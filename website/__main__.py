"""Builds the site: ``python -m website``. Needs ``pip install '.[docs]'`` and lenet itself, whose docstrings it reads.

    --out FOLDER      where the site goes, build/site if left out

The pages are laid out as plain Markdown in build/pages first (stage.py), so that any generator which reads mkdocs.yml can take
them from there. A warning is an error: a link that leads nowhere, a page that stands in no menu, a file that a browser would
have to fetch from elsewhere.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from website.stage import ROOT, stage

PAGES = ROOT / "build" / "pages"
LANGUAGES = {"zh": "zh-Hans", "de": "de"}  # folder: what its pages say of their language

_FETCHED = re.compile(
    r'<(?:script|img|iframe|source|link rel="(?:stylesheet|preconnect)")[^>]*?(?:src|href)="(?:https?:)?//[^"]*"'
)


def fail(text: str) -> None:
    """Ends with one sentence and exit code 1."""
    sys.exit(f"The site: {text}")


def not_in_menu() -> list[str]:
    """The staged pages that mkdocs.yml's menu leaves out, and what it names that isn't there."""
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    named = set(re.findall(r"(\S+\.md)$", menu, re.MULTILINE))
    there = {str(path.relative_to(PAGES)) for path in PAGES.rglob("*.md")}
    return sorted((there ^ named) - {path for path in there if path.startswith("source/")})


def finish(site: Path) -> list[str]:
    """Names each translated page's language; gives what a browser would fetch from elsewhere."""
    wrong = []
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        language = LANGUAGES.get(page.relative_to(site).parts[0])
        if language:
            page.write_text(text.replace('<html lang="en"', f'<html lang="{language}"', 1), encoding="utf-8")
        wrong += [f"{page.relative_to(site)}: {found}" for found in _FETCHED.findall(text)]
    for sheet in site.rglob("*.css"):
        wrong += [
            f"{sheet.name}: {found}" for found in re.findall(r"url\((?:https?:)?//[^)]*\)", sheet.read_text("utf-8"))
        ]
    return wrong


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m website", description="Builds the documentation site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", metavar="FOLDER")
    out: Path = parser.parse_args().out
    stage(PAGES)
    if astray := not_in_menu():
        fail(f"mkdocs.yml's menu and the pages differ: {', '.join(astray)}.")
    built = ROOT / "build" / "site"
    shutil.rmtree(built, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        fail(f"zensical said:\n{ran.stdout}{ran.stderr}")
    if elsewhere := finish(built):
        fail("fetched from elsewhere:\n" + "\n".join(elsewhere))
    if out.resolve() != built:
        shutil.copytree(built, out, dirs_exist_ok=True)
    size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    print(f"{len(list(built.rglob('*.html')))} pages, {size / 1e6:.1f} MB: {out}")


if __name__ == "__main__":
    main()
