"""Drawn lines of held-out writers and fonts: how the packaged line network reads them, by kind; and a picture of them.

    python -m bench.pages.strips                    500 lines, digits right by kind
    python -m bench.pages.strips --picture FILE     also draws some, with what stands at each column below

Each line is read as it is in one size: this measures the network, not the reader, and tells one training from another. The
lines are harder than real ones. The traces are wanted as for training (``lenet.reading.weights.traces``).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from bench.pages.glyphs import Array
from bench.pages.score import edits
from lenet.reading.lines.columns import Columns
from lenet.reading.lines.decode import decode, text_of
from lenet.reading.weights.reader import PACKAGED_LINES
from lenet.reading.world.lines import Strip, draw_strip, labels_of
from lenet.reading.world.scenes import KINDS
from lenet.reading.world.sources import load_sources
from lenet.reading.world.writing import GAP, OTHER
from lenet.train.trained import Trained

SEED = 20
SHOWN, WIDE = 14, 640  # lines of each of two columns of the picture, and how wide one is
COLOURS = {"digit": (0, 158, 115), "sign": (204, 121, 167), "other": (213, 94, 0), "unclear": (120, 120, 120)}


def drawn(count: int, seed: int = SEED) -> list[tuple[str, Strip]]:
    """So many lines, the kinds in turn."""
    sources, kinds = load_sources(held=True), list(KINDS)
    rng = np.random.default_rng(seed)
    return [(kind, draw_strip(sources, rng, kind)) for kind in (kinds[k % len(kinds)] for k in range(count))]


def truth(strip: Strip) -> str:
    """The digits whose middles are on the strip, from left to right."""
    digits = [((m.box[0] + m.box[2]) / 2, m.label) for m in strip.marks if m.label < 10]
    return "".join(str(label) for x, label in sorted(digits) if 1 < x < strip.image.shape[1] - 1)


def scored(lines: list[tuple[str, Strip]]) -> dict[str, tuple[int, int]]:
    """For each kind the digits there are, and the edits it takes from what is read to them."""
    columns = Columns(Trained.load(PACKAGED_LINES))
    found = dict.fromkeys(KINDS, (0, 0))
    for (kind, strip), answers in zip(lines, columns([strip.image for _, strip in lines]), strict=True):
        want = truth(strip)
        found[kind] = found[kind][0] + len(want), found[kind][1] + edits(want, text_of(decode(answers))).distance
    return found


def picture(lines: list[tuple[str, Strip]]) -> Array:
    """Some of the lines, uint8 [H, W, 3], twice as large, each over a band of what stands at its columns."""
    shown = []
    for _, strip in lines[: 2 * SHOWN]:
        labels = labels_of(strip)
        names = np.select(
            [labels < 0, labels == GAP, labels == OTHER, labels < 10], ["unclear", "gap", "other", "digit"], "sign"
        )
        band = np.array([COLOURS.get(str(name), (255, 255, 255)) for name in names], np.uint8)
        one = np.concatenate([255 - np.repeat(strip.image[..., None], 3, axis=2), np.repeat(band[None], 4, axis=0)])
        large = cv2.resize(one[:, : WIDE // 2], None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        shown.append(
            cv2.copyMakeBorder(large, 2, 6, 0, WIDE - large.shape[1], cv2.BORDER_CONSTANT, value=(255, 255, 255))
        )
    return np.concatenate([np.concatenate(shown[:SHOWN]), np.concatenate(shown[SHOWN : 2 * SHOWN])], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    lines = drawn(max(given.lines, 2 * SHOWN))
    if given.picture is not None and not cv2.imwrite(str(given.picture), picture(lines)[..., ::-1]):
        raise OSError(f"{given.picture} can't be written")
    for kind, (digits, wrong) in scored(lines).items():
        print(
            f"{kind:10} {digits:5} digits, {wrong:4} edits"
            + (f": {100 * (1 - wrong / digits):.1f} % right" if digits else "")
        )


if __name__ == "__main__":
    main()
