"""How right a reading of a page is: edit distance a line, digits found and false, rejection, risk and coverage.

A reading is a list of pieces, {"text", "box"}: words, numbers or lines, as small as its reader has them. **Which line a
piece belongs to**: its box's centre goes back to the upright sheet by the truth's matrix; around it stands an interval as
high as the piece, a digit's height at most; the line whose own interval it overlaps most has it. A piece that overlaps none
belongs to no line: all its digits are false. A line's pieces are read from left to right. So nobody is punished for cutting
a line in two, or for a page that lies askew.

A line's text may leave a choice, as printed row numbers that may be read or not (``choices``); the rest of a line is as strict.

**Digits right** is 1 - (edit distance + digits outside lines) / digits, over digits alone; it may be below zero.
**Text right** is the same over the text of the lines that leave no choice, with its gaps, points, commas and minus signs, and
with slashes where the truth has any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.pages import choices
from lenet.evaluation.rejection import from_confidence

Array = np.ndarray[Any, Any]
Piece = dict[str, Any]
Truth = dict[str, Any]


class Edits(NamedTuple):
    """How a truth becomes what was read, with as few edits and then as many hits as can be."""

    hits: int
    changed: int
    missed: int
    extra: int

    @property
    def distance(self) -> int:
        return self.changed + self.missed + self.extra


def edits(truth: str, read: str) -> Edits:
    """Levenshtein's distance by its kinds. Every entry of a row is (distance, -hits, changed, missed, extra)."""
    row = [(j, 0, 0, 0, j) for j in range(len(read) + 1)]
    for i, wanted in enumerate(truth, 1):
        above, row = row, [(i, 0, 0, i, 0)]
        for j, seen in enumerate(read, 1):
            d, h, c, m, e = above[j - 1]
            both = (d, h - 1, c, m, e) if wanted == seen else (d + 1, h, c + 1, m, e)
            d, h, c, m, e = above[j]
            lost = (d + 1, h, c, m + 1, e)
            d, h, c, m, e = row[j - 1]
            row.append(min(both, lost, (d + 1, h, c, m, e + 1)))
    _, hits, changed, missed, extra = row[-1]
    return Edits(-hits, changed, missed, extra)


def line_edits(truth: str, read: str) -> Edits:
    """``edits`` over the digits of a line; digits in round brackets may be read or left out (``choices``)."""
    if not leaves_choice(truth):
        return edits(digits(truth), digits(read))
    found = choices.aligned(choices.parsed(truth.replace(".", " ")), digits(read))
    return Edits(found.hits, found.wrong, found.missing, found.false)


def leaves_choice(truth: str) -> bool:
    """Whether a line holds digits that may be left out. A point in it is a point here: no page is drawn with unknown digits."""
    return "(" in truth


def digits(text: str) -> str:
    """The digits 0 to 9 of a text: what else a reader wrote is dropped."""
    return re.sub(r"[^0-9]", "", text)


def wanted(truth: str) -> str:
    """The digits of a line's truth that must be read."""
    return digits(re.sub(r"\([^)]*\)", "", truth))


def tidy(text: str, more: str = "") -> str:
    """Digits, points, commas, minus signs, ``more`` signs and single gaps."""
    return re.sub(r" +", " ", re.sub(rf"[^0-9.,\- {re.escape(more)}]", "", text)).strip()


def upright(box: Sequence[float], inverse: Array) -> tuple[float, float]:
    """Where a box's centre is on the upright sheet."""
    x0, y0, x1, y1 = box
    x, y, w = inverse @ np.array([(x0 + x1) / 2, (y0 + y1) / 2, 1.0])
    return float(x / w), float(y / w)


def by_line(truth: Truth, pieces: Sequence[Piece]) -> tuple[list[str], list[str]]:
    """What was read for each line of the truth, and the texts that belong to none."""
    inverse = np.linalg.inv(np.array(truth["matrix"], np.float64))
    scale = 1 / np.sqrt(abs(np.linalg.det(np.array(truth["matrix"])[:2, :2])))
    intervals = np.array([[line["straight"][1], line["straight"][3]] for line in truth["lines"]], np.float64).reshape(
        -1, 2
    )
    found: list[list[tuple[float, str]]] = [[] for _ in truth["lines"]]
    outside = []
    for piece in pieces:
        x, y = upright(piece["box"], inverse)
        half = min((piece["box"][3] - piece["box"][1]) * scale, truth["size"] or np.inf) / 2
        overlap = np.minimum(intervals[:, 1], y + half) - np.maximum(intervals[:, 0], y - half)
        if len(overlap) and overlap.max() > 0:
            found[int(overlap.argmax())].append((x, piece["text"]))
        else:
            outside.append(piece["text"])
    return [" ".join(text for _, text in sorted(line)) for line in found], outside


class PageScore(NamedTuple):
    """length: digits of the truth; edits over digits, false digits outside lines among the extra. text: over tidy texts."""

    length: int
    edits: Edits
    text_length: int
    text_distance: int


def page(truth: Truth, pieces: Sequence[Piece]) -> PageScore:
    """One page's score; without lines in the truth, extra is the number of false digits."""
    read, outside = by_line(truth, pieces)
    total = np.zeros(4, int)
    text_distance = text_length = 0
    more = truth.get("signs", "")
    for line, text in zip(truth["lines"], read, strict=True):
        total += np.array(line_edits(line["text"], text))
        if not leaves_choice(line["text"]):
            text_distance += edits(tidy(line["text"], more), tidy(text, more)).distance
            text_length += len(tidy(line["text"], more))
    loose = len(digits("".join(outside)))
    total[3] += loose
    length = sum(len(wanted(line["text"])) for line in truth["lines"])
    return PageScore(length, Edits(*total.tolist()), text_length, text_distance + loose)


def level(scores: Sequence[PageScore], seed: int = 0) -> dict[str, float]:
    """All pages of a level together; the standard error is that of 1,000 resamples of pages. nan where nothing is to read."""
    lengths = np.array([s.length for s in scores], np.float64)
    wrong = np.array([s.edits.distance for s in scores], np.float64)
    false = sum(s.edits.changed + s.edits.extra for s in scores)
    out = {"pages": len(scores), "digits": int(lengths.sum()), "false": int(false)}
    if not lengths.sum():
        return out
    drawn = np.random.default_rng(seed).integers(0, len(scores), (1000, len(scores)))
    samples = 1 - wrong[drawn].sum(1) / np.maximum(1, lengths[drawn].sum(1))
    text = sum(s.text_distance for s in scores) / max(1, sum(s.text_length for s in scores))
    return {
        **out,
        "right": float(1 - wrong.sum() / lengths.sum()),
        "se": float(samples.std(ddof=1)),
        "found": float(sum(s.edits.hits for s in scores) / lengths.sum()),
        "text_right": float(1 - text),
    }


def matched(truth: Truth, read: Sequence[dict[str, Any]]) -> tuple[list[float], list[bool]]:
    """Confidence, and whether right, of each digit read: right if its centre lies in the box of a truth digit of its label.

    read: {"label", "confidence", "box"} each. A digit of the truth answers for one digit read, the surest. One in print that
    may be left out is nobody's.
    """
    boxes = np.array([d["box"] for line in truth["lines"] for d in line["digits"]], np.float64).reshape(-1, 4)
    labels = [d["label"] for line in truth["lines"] for d in line["digits"]]
    taken: set[int] = set()
    confidence, right = [], []
    for one in sorted(read, key=lambda d: -d["confidence"]):
        x, y = (one["box"][0] + one["box"][2]) / 2, (one["box"][1] + one["box"][3]) / 2
        if any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in truth.get("optional", ())):
            continue
        inside = np.flatnonzero((boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3]))
        free = [int(i) for i in inside if int(i) not in taken and labels[i] == one["label"]]
        taken.update(free[:1])
        confidence.append(float(one["confidence"]))
        right.append(bool(free))
    return confidence, right


def auroc(positive: Sequence[float] | Array, negative: Sequence[float] | Array) -> float:
    """How often a positive scores above a negative, ties counted half: the area under the ROC curve."""
    a, b = np.asarray(positive, np.float64), np.sort(np.asarray(negative, np.float64))
    if not len(a) or not len(b):
        raise ValueError("auroc needs scores of both kinds")
    below = np.searchsorted(b, a, "left") + np.searchsorted(b, a, "right")
    return float(below.sum() / (2 * len(a) * len(b)))


def risk_coverage(confidence: Sequence[float], right: Sequence[bool]) -> dict[str, Any]:
    """The share of wrong answers among the surest 100, 99, 98, 95 and 90 %, and its mean over all shares."""
    if not len(confidence):
        raise ValueError("risk_coverage needs at least one answer")
    curve = from_confidence(np.array(confidence), np.array(right, bool))
    shares = {f"{1 - r:.2f}": 1 - float(curve.accuracy[curve.at(r)]) for r in (0, 0.01, 0.02, 0.05, 0.1)}
    return {"area": 1 - float(curve.accuracy.mean()), "risk": shares}
