"""Kinds of lines: an amount, numbers, cells, words, nothing; with the rules, the lines and the other side around them.

How often each comes stands in KINDS. Paper and light are ``paper``'s business. Read by ``lines``.
"""

from __future__ import annotations

import numpy as np

from lenet.reading.world.hands import Hand, Sources
from lenet.reading.world.writing import HIGH, INNER, LETTERS, MARGIN, OTHER, WIDE, Mark, Writing

__all__ = ["KINDS", "write"]

Rng = np.random.Generator

KINDS = {"amount": 0.34, "numbers": 0.25, "cells": 0.14, "words": 0.2, "nothing": 0.07}


def write(sources: Sources, rng: Rng, kind: str | None = None) -> tuple[Writing, int]:
    """One line, and how many of its columns are used. kind: one of KINDS, or by chance."""
    line = Writing(sources, rng)
    kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
    {"amount": _amount, "numbers": _numbers, "cells": _cells, "words": _words, "nothing": _nothing}[kind](line)
    _surroundings(line, kind)
    end = line.x + (rng.uniform(4, 40) if rng.random() < 0.4 else rng.uniform(1, 8))
    return line, int(np.clip(end, 60, WIDE))


def _amount(line: Writing) -> None:
    """One number with what is put before and behind it so that nobody adds a digit."""
    rng, h = line.rng, line.height
    if rng.random() < 0.14:
        line.other("text")  # no strokes side by side: they may be ones
        line.x += 3 + rng.uniform(0, 0.35) * h
    line.number(int(rng.integers(1, 9)) if rng.random() < 0.4 else int(rng.integers(3, 7)), line.between(), True)
    how = rng.random()
    if how < 0.12:
        line.point(rng.random() < 0.3)
        line.x += rng.uniform(0, 0.1) * h
    if how < 0.35:
        line.x += rng.uniform(0, 0.35) * h
        y, wide, rise = line.level(line.x) + rng.uniform(-0.2, 0.35) * h, h * rng.uniform(0.2, 1.1), rng.normal(0, 2)
        for k in range(int(rng.choice([1, 1, 1, 2, 2, 3]))):
            line.stroke([(line.x, y + k * 0.18 * h), (line.x + wide, y + k * 0.18 * h + rise)], line.hand.stroke, None)
            line.marks.append(Mark(OTHER, (line.x, y, line.x + wide, y + 1)))
        line.x += wide + 3
    elif how < 0.45:
        line.x += rng.uniform(0.05, 0.3) * h
        line.other()


def _numbers(line: Writing) -> None:
    """Numbers beside each other, now and then with a word or a sign among them."""
    rng, h = line.rng, line.height
    apart = line.between()
    while line.left > 1.5 * h:
        how = rng.random()
        if how < 0.08:
            line.other()
        elif how < 0.14:
            line.words(1)
        else:
            if rng.random() < 0.12:
                line.minus()
                line.x += rng.uniform(0.05, 0.3) * h
            if rng.random() < 0.06:
                line.around(behind=False)
                line.x += rng.uniform(0.1, 0.5) * h
            line.number(int(rng.integers(1, 8)), apart, True)
            if rng.random() < 0.12:
                line.x += rng.uniform(0.05, 0.4) * h
                line.around(behind=True)
        line.x += h * rng.uniform(0.4, 1.6)
        if rng.random() < 0.25:
            return


def _cells(line: Writing) -> None:
    """Digits in boxes, in a comb, or in a table's cells, some of which are empty."""
    rng, h = line.rng, line.height
    cell = h * rng.uniform(0.75, 2.2)
    thick, strong = rng.uniform(0.7, 2.6), int(rng.uniform(90, 255))
    inner = line.middle + rng.normal(0, 0.06) * h
    half = h * rng.uniform(0.5, 0.9)
    top, bottom = inner - half, inner + half
    comb, walls = rng.random() < 0.3, rng.random() < 0.85
    apart, x = line.between(), line.x + rng.uniform(0, 8)
    count = int(rng.integers(2, 10))
    apart_boxes = cell * rng.uniform(0.06, 0.3) if rng.random() < 0.3 else 0.0
    for _ in range(count):
        if x + cell > WIDE - 6:
            break
        if walls:
            up = top if not comb else bottom - 2 * half * rng.uniform(0.2, 0.5)
            line.stroke([(x, up), (x, bottom)], thick, None, line.rules)
            line.stroke([(x + cell, up), (x + cell, bottom)], thick, None, line.rules)
        ends = (x, x + cell)
        line.stroke([(ends[0], bottom), (ends[1], bottom)], thick, None, line.rules)
        if not comb:
            line.stroke([(ends[0], top), (ends[1], top)], thick, None, line.rules)
        how = rng.random()
        line.x = x + cell * rng.uniform(0.05, 0.3)
        if how < 0.72:
            n = 1 if cell < 1.3 * h or rng.random() < 0.6 else int(rng.integers(1, 4))
            for _ in range(n):
                if line.x > x + cell - 0.3 * h:
                    break
                line.digit(
                    int(rng.integers(10)),
                    h * float(np.clip(rng.normal(0.9, 0.1), 0.5, 1.2)),
                    inner + rng.normal(0, 0.05) * h,
                )
                line.x += h * max(apart, -0.05)
        elif how < 0.86:
            line.other("sign" if rng.random() < 0.6 else None)
        x += cell + apart_boxes
    line.x = x
    line.rules = (line.rules.astype(np.uint16) * strong // 255).astype(np.uint8)


def _words(line: Writing) -> None:
    """Words, and numbers among them, in the same hand or print."""
    rng, h = line.rng, line.height
    if rng.random() < 0.3:
        line.hand = Hand(line.sources, rng, h, "font")
    if rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 5))):
            line.scrawl(int(rng.integers(3, 12)))
            line.x += rng.uniform(0.15, 0.6) * h
    apart, often = line.between(), float(rng.choice([0.0, 0.2, 0.45]))
    for _ in range(int(rng.integers(1, 6))):
        if line.left < h:
            return
        if rng.random() >= often:
            line.words(int(rng.integers(1, 3)))
            continue
        line.number(int(rng.integers(1, 7)), apart, True)
        if rng.random() < 0.2:
            line.x += rng.uniform(0.05, 0.4) * h
            line.around(behind=True)
        line.x += h * rng.uniform(0.25, 0.7)


def _nothing(line: Writing) -> None:
    """Blank paper, scribbles, figures, ticks and crosses."""
    rng, h = line.rng, line.height
    if rng.random() < 0.3:
        line.x += rng.uniform(60, 200)
        return
    while line.left > 1.5 * h and rng.random() < 0.8:
        line.other(("scribble", "figure", "sign", "sign", "noise", "bar", "text")[int(rng.integers(7))])
        line.x += h * rng.uniform(0.2, 2)


def _surroundings(line: Writing, kind: str) -> None:
    """Base lines, sides of boxes, lines above and below, and what shows through from the other side."""
    rng, h, rules = line.rng, line.height, line.rules
    wide = float(WIDE)
    if kind != "cells" and rng.random() < 0.45:
        for _ in range(int(rng.integers(1, 3))):
            y = MARGIN + INNER * (rng.uniform(0.7, 1.0) if rng.random() < 0.7 else rng.uniform(0, 1))
            start = 0.0 if rng.random() < 0.8 else rng.uniform(0, 200)
            some = np.zeros_like(rules)
            line.stroke([(start, y), (wide, y + rng.normal(0, 0.012) * wide)], rng.uniform(0.6, 2.6), None, some)
            np.maximum(rules, (some * rng.uniform(0.3, 1)).astype(np.uint8), out=rules)
    if kind != "cells" and rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 3))):
            x = rng.uniform(0, 6) if rng.random() < 0.5 else rng.uniform(0, line.x + 6)
            near = any(m.label < 10 and m.box[0] - 2 < x < m.box[2] + 2 for m in line.marks)
            if not near:
                line.stroke([(x, 0), (x + rng.normal(0, 1.5), HIGH)], rng.uniform(0.6, 3), None, rules)
    if rng.random() < 0.25 and h < 0.85 * INNER:
        other = Hand(line.sources, rng, h, line.hand.kind)
        for side in ((-1,), (1,), (-1, 1))[int(rng.integers(3))]:
            x, off = rng.uniform(0, 30), rng.uniform(1.05, 1.5) * h
            while x < line.x and rng.random() < 0.9:
                if rng.random() < 0.7:
                    glyph = other.digit(int(rng.integers(10)), h * rng.uniform(0.8, 1))
                else:
                    glyph = line.hand.text(LETTERS[int(rng.integers(26))] * int(rng.integers(1, 3)), 0.8 * h)
                line.put(glyph, x, line.level(x) + side * off, None)
                x += (glyph.shape[1] if glyph.ndim == 2 else 0) + h * rng.uniform(0.05, 0.8)
