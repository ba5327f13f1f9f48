"""Translated pages: their code is the English page's, comments aside, and their tables have every word in the language."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench import tables, translations

DOCS = tables.ROOT / "docs"
PAGES = [page for page in tables.pages() if tables.language_of(page)]


def code(page: Path) -> list[str]:
    """A page's shell and Python lines, without comments and empty lines."""
    blocks = re.findall(r"^```(?:sh|python)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [plain for line in "".join(blocks).splitlines() if (plain := re.sub(r"\s*# .*", "", line).rstrip())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_code_is_that_of_the_english_page(page: Path) -> None:
    english = {*code(DOCS / page.name), *code(tables.ROOT / "README.md")}
    assert [line for line in code(page) if line not in english] == []
    assert len(code(page)) > 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_each_leads_to_the_english_page(page: Path) -> None:
    assert f"(../{page.name})" in page.read_text(encoding="utf-8").partition("\n## ")[0]


def test_cells_and_numbers() -> None:
    table = (
        "| kind | digits right, % |\n|---|---|\n| forms | 1,234.5 ± 0.1 |\n| nothing to read | 2 false |\n\n± is one."
    )
    assert translations.translated(table, "de") == (
        "| Art | richtige Ziffern, % |\n|---|---|\n| Formulare | 1.234,5 ± 0,1 |\n| nichts zu lesen | 2 falsche |"
    )
    assert "| 表单 | 1,234.5 ± 0.1 |" in translations.translated(table, "zh")
    assert translations.translated("the tutorial, real Paddle 3.3.1", "de") == "das Tutorial, echtes Paddle 3.3.1"
    assert translations.translated("```console\n$ lenet read a.jpg\n```", "de") == "```console\n$ lenet read a.jpg\n```"


def test_a_word_without_a_translation_is_named() -> None:
    with pytest.raises(KeyError, match="no translation of 'napkins'"):
        translations.translated("| kind |\n|---|\n| napkins |", "de")
    with pytest.raises(KeyError, match="fr: expected one of zh, de"):
        translations.translated("| kind |", "fr")


def test_no_word_is_translated_that_no_table_has() -> None:
    texts = [
        tables.TABLES[name]() for page in PAGES for name in re.findall(r"<!-- table:(\w+)", page.read_text("utf-8"))
    ]
    cells = {cell.strip() for text in texts for line in text.splitlines() for cell in line.strip("|").split("|")}
    assert [word for word in translations.GLOSSARY if word not in cells] == []
