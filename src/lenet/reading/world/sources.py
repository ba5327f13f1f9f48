"""What hands take their digits and letters from: MNIST's training images, pens' traces, fonts of writing and of print.

Held out for choosing are the 5,000 of MNIST's images that every recipe holds out, fourteen writers' traces and a few fonts;
what the benchmark scores on is in neither part. Read by ``training``.
"""

from __future__ import annotations

import os

import numpy as np

from lenet.messages.check import message
from lenet.reading.weights import training as reader
from lenet.reading.weights.traces import load_traces
from lenet.reading.world.hands import Sources, face_of
from lenet.train.data import load, split

__all__ = ["HELD_PRINT", "PRINT", "font_paths", "load_sources"]

_PRINT = "fonts-liberation", "fonts-dejavu-core", "fonts-urw-base35"  # of the reader's fonts, these are replaced here
_STYLES = "Regular", "Bold", "Italic", "BoldItalic"
PRINT = {
    "fonts-liberation": [
        f"truetype/liberation/Liberation{family}-{style}.ttf"
        for family in ("Sans", "Serif", "Mono", "SansNarrow")
        for style in _STYLES
    ],
    "fonts-dejavu-core": [
        f"truetype/dejavu/DejaVu{face}.ttf"
        for face in ("Sans", "Sans-Bold", "Serif", "Serif-Bold", "SansMono", "SansMono-Bold")
    ],
    "fonts-dejavu-extra": [f"truetype/dejavu/DejaVu{face}.ttf" for face in ("Sans-Oblique", "Serif-Italic")],
}
HELD_PRINT = {
    "fonts-dejavu-extra": [f"truetype/dejavu/DejaVu{face}.ttf" for face in ("SansCondensed", "SerifCondensed-Bold")]
}


def font_paths(held: bool) -> tuple[list[str], list[str]]:
    """The files of writing and of print; FileNotFoundError naming the packages to install."""
    writing = reader.HELD_FONTS if held else {name: files for name, files in reader.FONTS.items() if name not in _PRINT}
    found = []
    for fonts in (writing, HELD_PRINT if held else PRINT):
        paths = [f"{reader.FOLDER}/{file}" for files in fonts.values() for file in files]
        missing = [
            name for name, files in fonts.items() if not all(os.path.isfile(f"{reader.FOLDER}/{f}") for f in files)
        ]
        if missing:
            raise FileNotFoundError(message("fonts", "none of some", "all", f"Type apt install {' '.join(missing)}"))
        found.append(paths)
    return found[0], found[1]


def load_sources(held: bool = False, data: str | None = None, pens: str | None = None) -> Sources:
    """What is learned from, or what is held out from it. data: the folder of MNIST's files; pens: the file of the traces."""
    digits = load("mnist", data).train
    chosen = split(digits.labels, reader.HELD)[held]
    images, labels = np.ascontiguousarray(digits.images[chosen, 0]), digits.labels[chosen]
    traces = load_traces(held, pens)
    writing, printed = font_paths(held)
    faces = [face for path in writing if (face := face_of(path, False)) is not None]
    faces += [face for path in printed if (face := face_of(path, True)) is not None]
    return Sources(
        tuple(images[labels == digit] for digit in range(10)),
        traces,
        tuple(np.flatnonzero(traces.labels == digit) for digit in range(10)),
        tuple(faces),
    )
