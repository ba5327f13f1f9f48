"""Fits the rule that gives a network of ten outputs an eleventh, "no digit": the two constants of ``reader.with_no_digit``.

    python -m bench.accuracy.no_digit_rule FAST.safetensors

Fitted on the 5,000 held-out images, as ``read_singles`` brings them to the network, and on as many pictures of what is no
digit (letters of the development fonts among them). Prints a slope and a middle; stores nothing.
"""

from __future__ import annotations

import argparse

import numpy as np
from bench.pages import rejects
from bench.pages.glyphs import mnist

from lenet.reading import read_singles
from lenet.train import Trained

OF_EACH_KIND = 2000  # pictures of no digit


def fit(model: str) -> tuple[float, float]:
    """Slope and middle of a logistic rule in the log odds of the likeliest class, by Newton's method; digits and what is
    none weigh the same."""
    network = Trained.load(model)
    digits = mnist("validation").images
    others = [picture for some in rejects.single("validation", OF_EACH_KIND).values() for picture in some]
    seen = [(page, i >= len(digits)) for i, page in enumerate(read_singles([*digits, *others])) if page.digits]
    forms, none = [page.digits[0].image for page, _ in seen], np.array([other for _, other in seen])
    best = np.clip(network.probabilities(np.stack(forms)).max(axis=1), 1e-7, 1 - 1e-7).astype(np.float64)
    x = np.stack([np.ones(len(best)), np.log(best) - np.log1p(-best)], axis=1)
    weight = np.where(none, 0.5 / none.sum(), 0.5 / (~none).sum())
    at = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ at))
        at += np.linalg.solve((x * (weight * p * (1 - p))[:, None]).T @ x, x.T @ (weight * (none - p)))
    return float(-at[1]), float(-at[0] / at[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a model file of ten outputs")
    slope, middle = fit(parser.parse_args().model)
    print(f"slope {slope:.3f}, middle {middle:.3f}")


if __name__ == "__main__":
    main()
