"""``MixUp``: a batch of images blended in pairs, their labels too. The name is ours; Paddle has none.

Source: Zhang, Cisse, Dauphin and Lopez-Paz 2018, "mixup: Beyond empirical risk minimization". Read by users.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd.tensor import Tensor, dense
from lenet.io.collate import default_collate
from lenet.messages.check import describe, message, positive_int

__all__ = ["MixUp"]


class MixUp:
    """The ``collate_fn`` of a DataLoader: each image becomes λ of itself and 1 - λ of another of its batch.

    classes: how many there are. alpha: λ is drawn for each batch from the beta distribution Beta(alpha, alpha); the smaller, the
    closer to 0 or 1. seed: another seed, other pairs; every pass draws anew.

    Samples are (image, label), float images, labels from 0; batches are images [N, …] and shares of the classes float32
    [N, classes], which ``CrossEntropyLoss(soft_label=True)`` takes. TypeError for other samples, ValueError for a label
    beyond classes.
    """

    def __init__(self, classes: int, alpha: float = 0.2, seed: int = 0) -> None:
        self.classes = positive_int("MixUp(classes)", classes, least=2)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not 0 < alpha < 1e6:
            raise ValueError(message("MixUp(alpha)", describe(alpha), "a number above 0, such as 0.2"))
        self.alpha = float(alpha)
        self._random = np.random.RandomState(positive_int("MixUp(seed)", seed, least=0))

    def __call__(self, samples: list[Any]) -> list[Tensor]:
        batch = default_collate(samples)
        expected = "samples (image, label) with float images and whole labels"
        if not isinstance(batch, (list, tuple)) or len(batch) != 2:
            raise TypeError(message("MixUp", f"samples of {describe(samples[0])}", expected))
        images, labels = (field.data_array() if isinstance(field, Tensor) else np.asarray(field) for field in batch)
        if images.dtype.kind != "f" or labels.dtype.kind not in "iu":
            raise TypeError(message("MixUp", f"samples of {images.dtype} and {labels.dtype}", expected))
        labels = labels.reshape(len(images), -1)[:, 0]
        if len(labels) and not 0 <= labels.min() <= labels.max() < self.classes:
            raise ValueError(message("MixUp", f"label {labels.max()}", f"labels from 0 to {self.classes - 1}"))
        shares = np.eye(self.classes, dtype=np.float32)[labels]
        part = images.dtype.type(self._random.beta(self.alpha, self.alpha))
        other = self._random.permutation(len(images))
        mixed = part * images + (1 - part) * images[other]
        return [dense(mixed), dense(np.float32(part) * shares + np.float32(1 - part) * shares[other])]

    def __repr__(self) -> str:
        return f"MixUp(classes={self.classes}, alpha={self.alpha:g})"
