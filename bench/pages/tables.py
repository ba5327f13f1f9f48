"""The page benchmark's tables in Markdown, from what ``python -m bench.pages`` stored."""

from __future__ import annotations

from typing import Any

from bench.pages.generator import EMPTY, LEVELS

READERS = {
    "lenet": "lenet.reading",
    "tesseract": "tesseract",
    "rapidocr": "RapidOCR",
    "opencv": "OpenCV's sample, rebuilt",
}


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


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
    rows = ["| the same images | read right, % |", "|---|---|"]
    for name, one in result["singles"].items():
        rows.append(f"| {name.replace('_', ' ')} | {100 * one['right']:.2f} ± {100 * one['se']:.2f} |")
    return "\n".join(rows)


def rejection(result: dict[str, Any]) -> str:
    rows = ["| what is no digit | AUROC | called a digit, % |", "|---|---|---|"]
    for kind, one in result["rejection"].items():
        if kind != "digits":
            rows.append(f"| {kind} | {one['auroc']:.4f} | {percent(one['called_digits'])} |")
    return "\n".join(
        [*rows, "", f"Of as many digits {percent(result['rejection']['digits']['rejected'])} % were rejected."]
    )


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
