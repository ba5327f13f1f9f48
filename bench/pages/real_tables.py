"""Tables in Markdown of what is read on real pictures and on drawings of what people photograph, and where these came from.

Each function takes stored results, or None for one that isn't there; ``bench.tables`` says on which page its text stands.
"""

from __future__ import annotations

import collections
import statistics
from collections.abc import Sequence
from typing import Any

from bench.pages import everyday, generator
from bench.pages.tables import READERS, circumstances, percent

Result = dict[str, Any]
KINDS = {  # what stands on such pictures; the drawn level that is most like them
    "number": ("numbers on paper", "lit"),
    "strip": ("strips cut around a number", None),
    "single": ("one digit", None),
    "amount": ("amounts of cheques, on patterned paper", "patterned"),
    "form": ("forms", "forms"),
    "table": ("class lists with marks", "lists"),
    "sudoku": ("sudokus, partly filled in by hand", "ruled"),
    "sudoku-printed": ("sudokus, printed alone", None),
    "scattered": ("numbers all over a sheet", "desk"),
    "nothing": ("nothing to read", "surface"),
}
ABOUT = {
    "forms": "printed forms: combs, boxes, dates, check boxes, letters in some cells",
    "lists": "class lists: 20 to 30 printed names, marks of one to three digits",
    "bands": "tables with a grey head row, stripes, a highlighter, a block of colour",
    "patterned": "amounts cut out of cheques: patterned paper, points, `=`, `#`, `*`, touching digits",
    "desk": "a sheet on a desk, with shadows and another sheet",
    "stains": "rings, blots, creases, holes, the other side showing through",
    "sideways": "clean, lit and ruled pages turned by 90, 180 or 270 degrees",
    "signs": "dates and telephone numbers with hyphens, slashes and points",
    "unfilled": "forms that nobody filled in",
    "printed": "pages of printed text",
    "surface": "a desk, with an empty sheet or without",
    "pattern": "patterned paper alone",
}
BEFORE = "lenet.reading before"  # it was mended for such pictures
LARGE = {
    "huge": "black and white, up to 3,000 pixels",
    "photographed": "a pen on grey paper in uneven light, up to 3,000 pixels",
    "canvas": "a drawing program's canvas, thick strokes, 280 to 600 pixels",
    "framed": "inside a drawn box, 100 to 900 pixels",
    "large_coloured": "coloured ink on coloured paper, up to 3,000 pixels",
}


def cell(one: Result | None) -> str:
    """Digits right with the standard error; false digits where there is nothing to read."""
    if one is None:
        return "–"
    return f"{percent(one['right'])} ± {percent(one['se'])}" if "right" in one else f"{one['false']} false"


def head(titles: Sequence[str]) -> list[str]:
    return ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]


def mean(result: Result | None, levels: Sequence[str], reader: str) -> str:
    """Of a reader's digits right over levels, each counted alike."""
    if result is None or any(reader not in result["levels"].get(level, {}) for level in levels):
        return "–"
    return percent(statistics.mean(result["levels"][level][reader]["right"] for level in levels))


def summary(pages: Result | None, drawn: Result | None, real: Result | None) -> str:
    """A row a reader: digits right on real pictures, and the mean of each group of drawn levels."""
    found = [one for one in (pages, drawn, real) if one is not None]
    names = {name for one in found for name in one.get("readers", one.get("kinds", ()))}
    count = "352" if real is None else f"{real['kinds']['lenet']['all']['pictures']:,}"
    rows = head(
        ["digits right, %", f"{count} real pictures", "drawn: what people photograph", "drawn: numbers on paper"]
    )
    for name in (name for name in READERS if name in names):
        title = f"**{READERS[name]}**" if name == "lenet" else READERS[name]
        one = None if real is None else real["kinds"].get(name, {}).get("all")
        cells = [cell(one), mean(drawn, everyday.LEVELS, name), mean(pages, generator.LEVELS, name)]
        rows.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def real_pictures(real: Result, before: Result | None, levels: dict[str, Result]) -> str:
    """Digits right by kind. levels: what the readers did on each drawn level, for the level most like a kind."""
    kinds = real["kinds"]
    columns = [name for name in ("lenet", "tesseract", "rapidocr") if name in kinds]
    titles = ["kind", "pictures", "digits", *(READERS[name] for name in columns)]
    if before is not None:
        titles.insert(3, BEFORE)
    rows = head([*titles, "drawn alike", "lenet.reading there"])
    for kind in (*(kind for kind in KINDS if kind in kinds["lenet"]), "all"):
        title, alike = KINDS.get(kind, ("**all**", None))
        one = kinds["lenet"][kind]
        cells = [cell(kinds[name][kind]) for name in columns]
        if before is not None:
            cells.insert(0, cell(before["kinds"]["lenet"].get(kind)))
        there = levels.get(alike or "", {}).get("lenet")
        cells += [alike or "", "" if there is None else cell(there)]
        rows.append(f"| {title} | {one['pictures']} | {one['digits']} | " + " | ".join(cells) + " |")
    return "\n".join([*rows, "", below(real)])


def below(real: Result) -> str:
    """What turning by hand gains, lines, mistakes by their sort, tesseract's modes, and the circumstances."""
    kinds, said = real["kinds"], []
    for name in (name for name in ("lenet", "tesseract", "rapidocr") if f"{name} turned" in kinds):
        said.append(f"{READERS[name]} {cell(kinds[f'{name} turned']['all'])}")
    one = kinds["lenet"]["all"]
    lines = ", ".join(
        f"{READERS[name]} {kinds[name]['all']['exact']}" for name in ("lenet", "tesseract", "rapidocr") if name in kinds
    )
    text = (
        f"± is one standard error, of 1,000 resamples of the pictures. With the pictures that lie on their side turned upright "
        f"by hand: {', '.join(said)}. Of {one['numbers']} numbers that stand alone or on a line, read without a fault: {lines}. "
        f"lenet.reading missed {one['missing']} digits, read {one['wrong']} wrong and {one['false']} that aren't there."
    )
    if real["modes"]:
        chosen = ", ".join(f"{KINDS[kind][0]} {mode}" for kind, mode in real["modes"].items())
        text += f" tesseract's page modes: {chosen}."
    versions = ", ".join(f"{READERS[name]} {version}" for name, version in real["versions"].items())
    seconds = f" {real['seconds']['all']:.2f} s of one core a picture." if real["seconds"] else ""
    missing = f" {len(real['missing'])} pictures were missing." if real["missing"] else ""
    return text + (
        f" {versions}; {real['machine']}, {real['cores']} cores, {real['date']}, source {real['source']}.{seconds}{missing}"
    )


def drawn_pages(result: Result, before: Result | None) -> str:
    """Digits right on each everyday level, the reader's before beside today's; false digits where nothing is to be read."""
    readers = [name for name in READERS if name in result["readers"]]
    titles = ["level", "what is drawn", "digits", *(READERS[name] for name in readers)]
    if before is not None:
        titles.insert(3, BEFORE)
    rows = head(titles)
    for level in (level for level in everyday.ALL if level in result["levels"]):
        found = result["levels"][level]
        cells = [cell(found.get(name)) for name in readers]
        if before is not None:
            cells.insert(0, cell(before["levels"].get(level, {}).get("lenet")))
        one = next(iter(found.values()))
        count = str(one["digits"]) if one["digits"] else f"0 on {one['pages']} pages"
        rows.append(f"| {level} | {ABOUT[level]} | {count} | " + " | ".join(cells) + " |")
    text = "± is one standard error, of 1,000 resamples of the pages. " + circumstances(result)
    signs = result["levels"].get("signs", {})
    if "lenet" in signs:
        text += f" With its hyphens, slashes, points and gaps, {percent(signs['lenet']['text_right'])} % of `signs` is right"
        others = [name for name in ("rapidocr",) if name in signs]
        text += "".join(f" ({READERS[name]}: {percent(signs[name]['text_right'])} %)" for name in others) + "."
    if modes := result.get("modes"):
        chosen = ", ".join(f"{level} {one['mode']}" for level, one in modes.items())
        text += f" tesseract's page modes: {chosen}."
    return "\n".join([*rows, "", text])


def large_singles(result: Result, before: Result | None) -> str:
    """Single digits of any size, how many are read right; a rejected one is wrong."""
    old = {} if before is None else before.get("singles", {})
    count = next(iter(result["singles"].values()))["n"]
    titles = [f"the first {count:,} test images", "read right, %"]
    if old:
        titles.insert(1, "before")
    rows = head(titles)
    for name, one in result["singles"].items():
        cells = [f"{100 * r['right']:.2f} ± {100 * r['se']:.2f}" for r in (old.get(name), one) if r]
        rows.append(f"| {LARGE.get(name, name)} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def sources(facts: Sequence[dict[str, Any]]) -> str:
    """Where the real pictures are, as ``real.json`` says."""
    by_source = collections.defaultdict(list)
    for fact in facts:
        by_source[fact["source"], fact["licence"]].append(fact)
    rows = head(["repository", "pictures", "of", "licence, as stated there"])
    for (source, licence), some in sorted(by_source.items(), key=lambda one: (-len(one[1]), one[0])):
        kinds = collections.Counter(KINDS[fact["kind"]][0] for fact in some)
        what = ", ".join(kinds)
        rows.append(f"| [{source}](https://github.com/{source}) | {len(some)} | {what} | {licence} |")
    altered = sum(fact["altered"] for fact in facts)
    note = (
        f"{len(facts)} pictures. On {altered} of them names and signatures were made unreadable first, and the hash is of that "
        "copy: the repository's own files can't be matched to these."
    )
    return "\n".join([*rows, "", note])
