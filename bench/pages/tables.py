"""The page benchmark's tables in Markdown, from what ``python -m bench.pages`` stored and from what the pictures showed.

Each function takes a stored result; ``bench.tables`` says on which page its text stands.
"""

from __future__ import annotations

import json
from typing import Any

from bench.pages.generator import EMPTY, LEVELS

SINGLES = {
    "plain": "as MNIST has them",
    "shifted": "shifted by up to 8 pixels, on 44 × 44",
    "shifted_inside": "shifted by up to 8 pixels, within 28 × 28",
    "half": "half the size",
    "twice": "twice the size",
    "fivefold": "five times the size",
    "third": "0.3 of the size: 8 × 8 pixels",
    "filling": "filling the frame",
    "rotated": "turned by up to 15°",
    "grey_paper": "grey paper with a gradient",
    "coloured": "coloured ink on coloured paper",
    "equal_lightness": "the same, both equally light",
    "dark_border": "a dark border around the paper",
    "alpha_dark": "PNG, black ink on nothing",
    "alpha_light": "PNG, white ink on nothing",
    "png16": "PNG of 16 bits",
    "gif": "GIF of 16 colours",
    "exif_jpeg": "JPEG turned by its EXIF mark",
}

READERS = {
    "lenet": "lenet.reading",
    "tesseract": "tesseract",
    "rapidocr": "RapidOCR",
    "opencv": "OpenCV's sample, rebuilt",
}


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def circumstances(result: dict[str, Any]) -> str:
    """On what, with which versions, where and when."""
    versions = [f"{READERS.get(name, name)} {version}" for name, version in result["versions"].items()]
    said = [f"{one}: {reason}" for one, reason in result["absent"].items()]
    return (
        f"Pages of the {result['split']} split, seed {result['seed']}; {', '.join(versions)}; "
        f"{result['machine']}, {result['cores']} cores, {result['date']}, source {result['source']}."
        + (f" Left out: {'; '.join(said)}." if said else "")
    )


def measured(result: dict[str, Any]) -> str:
    """``pages`` and the circumstances below it."""
    text = pages(result) + "\n\n± is one standard error, of 1,000 resamples of the pages. " + circumstances(result)
    if touching := result.get("touching"):
        text += f" On the touching level {touching['touching']:,} of {touching['neighbours']:,} neighbours in a number touch."
    if modes := result.get("modes"):
        chosen = ", ".join(f"{level} {one['mode']}" for level, one in modes.items())
        text += f" tesseract's page modes: {chosen}."
    return text


def pages(result: dict[str, Any]) -> str:
    """Digits right by level and reader, with the standard error; then false digits on pages that hold none."""
    readers = [name for name in READERS if name in result["readers"]]
    levels = [level for level in LEVELS if level in result["levels"]]
    rows = [
        "| level | digits | " + " | ".join(READERS[name] for name in readers) + " |",
        "|---" * (2 + len(readers)) + "|",
    ]
    for level in levels:
        found = [result["levels"][level].get(name) for name in readers]
        cells = ["–" if one is None else f"{percent(one['right'])} ± {percent(one['se'])}" for one in found]
        digits = next(one["digits"] for one in found if one is not None)
        rows.append(f"| {level} | {digits} | " + " | ".join(cells) + " |")
    for level in (level for level in EMPTY if level in result["levels"]):
        found = [result["levels"][level].get(name) for name in readers]
        count = next(one["pages"] for one in found if one is not None)
        cells = ["–" if one is None else str(one["false"]) for one in found]
        rows.append(f"| {level}: false digits on {count} pages | 0 | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def singles(result: dict[str, Any]) -> str:
    """The same images in many ways, how many are read right; a rejected one is wrong."""
    counts = sorted({one["n"] for one in result["singles"].values()})
    rows = [f"| the same {counts[-1]:,} images | read right, % |", "|---|---|"]
    for name, one in result["singles"].items():
        shown = f"{100 * one['right']:.2f} ± {100 * one['se']:.2f}"
        rows.append(f"| {SINGLES.get(name, name.replace('_', ' '))} | {shown} |")
    return "\n".join(rows)


def rejection(result: dict[str, Any]) -> str:
    """How well digits are told from each kind of what is none, and how much of it is called a digit."""
    rows = ["| what is no digit | AUROC | called a digit, % |", "|---|---|---|"]
    for kind, one in result["rejection"].items():
        if kind != "digits":
            rows.append(f"| {kind} | {one['auroc']:.4f} | {percent(one['called_digits'])} |")
    return "\n".join(
        [*rows, "", f"Of as many digits {percent(result['rejection']['digits']['rejected'])} % were rejected."]
    )


HANDS = {
    "traces": "pen traces of 14 writers (UCI pendigits)",
    "schools": "forms of other schools, as drawn to learn from",
    "blocks16": "MNIST as blocks of black and white, 16 × 16",
    "blocks8": "the same, 8 × 8",
    "cuts": "MNIST badly cut",
    "fonts": "digits of two held-out fonts",
    "optdigits": "**optdigits' test part**, 8 × 8 (UCI)",
}


def hands(result: dict[str, Any]) -> str:
    """Other hands by set: right, and how far confidence is from it, beside what a former reader did."""
    head = "| | images | right, % | right formerly | calibration error, % | formerly |"
    rows = [head, "|---" * 6 + "|"]
    for name, one in result["sets"].items():
        before = result["before"].get(name)
        old = ["–", "–"] if before is None else [f"{100 * before['right']:.2f}", f"{100 * before['ece']:.1f}"]
        right = f"{100 * one['right']:.2f} ± {100 * one['se']:.2f}"
        rows.append(f"| {HANDS[name]} | {one['n']:,} | {right} | {old[0]} | {100 * one['ece']:.1f} | {old[1]} |")
    return "\n".join(rows)


def risk(result: dict[str, Any]) -> str:
    """Wrong answers among the surest part of the digits read, by level."""
    shares = ("1.00", "0.99", "0.98", "0.95", "0.90")
    rows = [
        "| level | " + " | ".join(f"surest {float(s):.0%}" for s in shares) + " |",
        "|---" * (1 + len(shares)) + "|",
    ]
    for level, one in result["risk"].items():
        rows.append(f"| {level} | " + " | ".join(f"{100 * one['risk'][s]:.2f} %" for s in shares) + " |")
    return "\n".join(rows)


def speed(result: dict[str, Any]) -> str:
    one = result["speed"]
    return (
        f"A photo of 12 megapixels with {one['digits']} digits read: {one['page_s']:.2f} s, {one['mb']:.0f} MB in all. "
        f"One image of 28 × 28: {one['image_ms']:.2f} ms; {one['images_a_second']:,.0f} a second together."
    )


# ---- what bench.pages.pictures stored


def example(result: dict[str, Any]) -> str:
    """What ``lenet read`` printed of the example, and its JSON, a digit a line."""
    one = result["example"]
    written = one["written"].split("\n")
    printed = one["printed"].rstrip("\n").split("\n")
    wrong = [f"`{a}` read as `{b}`" for a, b in zip(written, printed, strict=False) if a != b]
    judged = (
        f"Not all of it is right: {'; '.join(wrong)}."
        if wrong or len(written) != len(printed)
        else "All of it is right."
    )
    picture = "![The example with a box and a label around each digit](images/reading-example-read.webp)"
    return "\n".join(
        [
            "", "```console", "$ lenet read reading-example.jpg --annotate out.png", *printed, "```", "", picture, "",
            f"{judged} The `?` stands for the crossed-out digit.", "",
            "<details><summary>The same with <code>--json</code></summary>", "", "```json", by_digit(one["json"]), "```",
            "", "</details>",
        ]
    )  # fmt: skip


def printed(result: dict[str, Any]) -> str:
    """What ``lenet read`` printed of the example, and nothing else."""
    return "\n".join(["", "```console", "$ lenet read photo.jpg", result["example"]["printed"].rstrip("\n"), "```", ""])


def by_digit(value: Any, indent: int = 0) -> str:
    """JSON in which whatever holds no list of objects stands on one line."""
    pad = " " * indent
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return "[\n" + ",\n".join(f"{pad} {by_digit(one, indent + 1)}" for one in value) + f"\n{pad}]"
    if isinstance(value, dict) and any(
        isinstance(one, list) and one and isinstance(one[0], dict) for one in value.values()
    ):
        parts = [f"{json.dumps(key)}: {by_digit(one, indent + 1)}" for key, one in value.items()]
        return "{" + f",\n{pad} ".join(parts) + "}"
    return json.dumps(value, ensure_ascii=False)


def failures(result: dict[str, Any]) -> str:
    """Mistakes on the validation pages that the picture of mistakes is made of."""
    rows = ["| level | pages | digits | misread | rejected | missed | extra |", "|---|---|---|---|---|---|---|"]
    for level, one in result["failures"].items():
        cells = [one[key] for key in ("pages", "digits", "misread", "rejected", "missed", "extra")]
        rows.append(f"| {level} | " + " | ".join(f"{cell:,}" for cell in cells) + " |")
    return "\n".join(rows)


def sudoku(result: dict[str, Any]) -> str:
    one = result["sudoku"]
    if one is None:
        return "Not read: Debian's `opencv-doc` was missing."
    return (
        f"Of its {one['digits']} printed digits {one['right']} are read right and {one['wrong']} wrong; {one['empty']} are "
        f"read in empty cells, and {one['outside']} in the print around the grid."
    )


# ---- what the packaged file says of itself


def weights(training: dict[str, Any], size: int) -> str:
    """training: the metadata of ``reader.safetensors``; size: of the file, bytes."""
    recipe, samples, held = training["recipe"], training["samples"], training["held_out"]
    kinds, plain = (
        ", ".join(f"{kind} {share:g}" for kind, share in sorted(samples[some].items(), key=lambda one: -one[1]))
        for some in ("kinds", "plain")
    )
    hashes = ", ".join(f"{name} `{one['train-images'][:8]}…`" for name, one in training["data"].items())
    where = training["machine"]
    rows = [
        ("file", f"{size / 1000:.0f} kB, weights `{training['weights'][:8]}…`"),
        ("samples", f"{samples['count']:,}, generator {samples['generator']}, seed {training['seed']}"),
        (f"parts of 100 of the first {samples['mixed']:,}", kinds),
        ("of the rest", plain),
        ("training images", hashes),
        ("pen traces", f"{training['traces']['source']}, `{training['traces']['sha256'][:8]}…`"),
        ("fonts, held-out ones too", ", ".join(name.rsplit(".", 1)[0] for name in training["fonts"])),
        (
            "recipe",
            f"{recipe['epochs']} epochs, batch {recipe['batch_size']}, rate {recipe['rate']:g}, smoothing "
            f"{recipe['smoothing']:g}, average {recipe['average']:g}",
        ),
        (
            "held-out samples",
            f"{100 * held['accuracy']:.2f} ± {100 * held['standard_error']:.2f} % of {held['images']:,} right",
        ),
        ("rejected above", f"{training['threshold']:.3f} of no digit"),
        ("made on", f"{where['cpu']}, {where['threads']} threads, level {where['level']}"),
    ]
    return "\n".join(["| the packaged weights | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])
