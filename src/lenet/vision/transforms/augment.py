"""``Augment``: images moved, turned, sized and slanted at random, in a way that the engine can do while it loads a batch.

The name is ours. The random numbers are ``data.counter``'s, keyed by seed, epoch and sample, so that the plan of ``Model.fit``,
``ds[i]`` and a loop of one's own see the same image. The geometry is ``data.augment``'s. Read by ``vision.datasets``, ``model``
and users.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import to_tensor
from lenet.data import augment as _augment
from lenet.data.augment import Augmentation
from lenet.messages.check import describe, message, positive_int
from lenet.vision.transforms import geometry as F
from lenet.vision.transforms.plain import BaseTransform

__all__ = ["Augment"]

_MODES = ("L", "RGB", "RGBA", "F")


class Augment(BaseTransform):
    """The image moved at random, anew in each epoch; put it first: ``Compose([Augment(shift=1), Normalize([127.5], [127.5])])``.

    shift: pixels each way, to 1000; whole pixels where nothing else is asked for. rotate: degrees each way, to 180. scale:
    of height and width, each on its own, to 0.9: 0.1 is 90 % to 110 %. shear: columns a row, to 10. All are uniform, and 0
    does nothing. Between pixels values are bilinear; outside the image they are 0, so it belongs before
    ``Normalize``. seed: another seed, other images.

    As the transform or the first step of a ``Compose``, on ``MNIST`` and every ``ArrayDataset``, sample i of epoch e is a
    function of (seed, e, i), whether it is read by ``ds[i]``, a DataLoader or ``Model.fit``, which keeps its plan where
    what follows is ``Normalize`` or ``ToTensor``. Called elsewhere, it takes its calls for samples 0, 1, 2, … and keeps the
    image's kind and dtype: whole numbers are rounded.

    The epoch is that of ``fit``. A DataLoader goes one on with each pass; ``set_epoch`` says where. ``evaluate`` and
    ``predict`` on a data set with an ``Augment`` augment too, as with Paddle's random transforms: give the test images a
    transform without one. Images as ``functional`` takes them; Pillow's of mode L, RGB, RGBA and F, TypeError for others.
    """

    def __init__(
        self, shift: float = 0.0, rotate: float = 0.0, scale: float = 0.0, shear: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__()
        self.how = Augmentation(
            _amount("shift", shift, 1000),
            _amount("rotate", rotate, 180),
            _amount("scale", scale, 0.9),
            _amount("shear", shear, 10),
        )
        self.seed = positive_int("Augment(seed)", seed, least=0)
        self.epoch = self._following = 0
        self._sample = 0  # of the next call

    def __repr__(self) -> str:
        given = [f"{name}={value:g}" for name, value in self.how._asdict().items() if value]
        return f"Augment({', '.join([*given, f'seed={self.seed}'])})"

    def set_epoch(self, epoch: int) -> None:
        """This epoch from now on and in the next pass; each later pass of a DataLoader goes one on."""
        self.epoch = self._following = positive_int("Augment.set_epoch(epoch)", epoch, least=0)

    def _new_pass(self) -> None:
        self.epoch, self._following, self._sample = self._following, self._following + 1, 0

    def _matrices(self, samples: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.float32] | None:
        """float32 [n, 2, 3], or None for nothing to do. size: height and width."""
        return _augment.matrices(self.how, size, self.seed, self.epoch, samples)

    def _moved(self, images: NDArray[np.float32], samples: NDArray[np.int64], outside: float) -> NDArray[np.float32]:
        """Images float32 [n, H, W], one a sample, moved."""
        m = self._matrices(samples, (images.shape[1], images.shape[2]))
        return images if m is None else _augment.warped(images, m, outside)

    def _apply_image(self, image: Any) -> Any:
        kind = F.kind_of(image)
        if kind == "pil" and image.mode not in _MODES:
            fix = "Convert it first: image.convert('L')"
            raise TypeError(message("Augment", f"a Pillow image of mode {image.mode}", f"one of {_MODES}", fix))
        array = np.asarray(image)
        channels_last = kind != "tensor" and array.ndim == 3
        planes = np.moveaxis(array, 2, 0) if channels_last else array
        flat = planes.reshape(-1, *planes.shape[-2:]).astype(np.float32)
        moved = self._moved(flat, np.full(len(flat), self._sample), 0.0).reshape(planes.shape)
        self._sample += 1
        if array.dtype.kind in "iu":
            moved = np.rint(moved)
        moved = np.ascontiguousarray(np.moveaxis(moved, 0, 2) if channels_last else moved).astype(array.dtype)
        if kind == "tensor":
            return to_tensor(moved)
        if kind == "array":
            return moved
        from PIL import Image

        return Image.fromarray(moved)


def _amount(name: str, value: Any, most: float) -> float:
    """``value`` as a float of 0 to ``most``, as far as the engine goes; TypeError for what is no number."""
    expected = f"a number from 0 to {most}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(message(f"Augment({name})", describe(value), expected))
    if not 0 <= float(value) <= most:
        raise ValueError(message(f"Augment({name})", value, expected))
    return float(value)
