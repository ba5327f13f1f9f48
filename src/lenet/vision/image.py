"""Which kind of image the data sets hand out, and the loading of one image file, under Paddle's names.

``pil`` gives Pillow images, ``cv2`` numpy arrays in OpenCV's layout; OpenCV itself is never needed. Read by
``vision.datasets``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from lenet.data.pixels import weighed
from lenet.messages.check import choice, message

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = ["get_image_backend", "image_load", "open_image", "set_image_backend"]

BACKENDS = ("pil", "cv2")
MOST_PIXELS = 100_000_000  # of an 8-bit image; see ``data.pixels``

_backend = "pil"


def set_image_backend(backend: str) -> None:
    """Make ``"pil"`` (Pillow images) or ``"cv2"`` (numpy arrays) the default of the data sets. ValueError otherwise.

    ``"tensor"`` is taken, too, for programs whose transforms work on tensors; data sets then want a backend of their own.
    """
    global _backend
    _backend = choice("backend", backend, (*BACKENDS, "tensor"))


def get_image_backend() -> str:
    """The default kind of image: ``"pil"`` unless ``set_image_backend`` chose another."""
    return _backend


def image_load(path: str | os.PathLike[str], backend: str | None = None) -> Image | NDArray[np.uint8]:
    """One image file: a Pillow image, or with ``"cv2"`` uint8 [H, W, 3] in the order blue, green, red.

    ``backend`` None means ``get_image_backend()``. FileNotFoundError if there is no file; OSError naming the file if
    it holds no image that Pillow can read.
    """
    kind = _backend if backend is None else choice("backend", backend, BACKENDS)
    image = open_image(path)
    if kind == "pil":
        return image
    blue_first: NDArray[np.uint8] = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
    return blue_first


def open_image(path: str | os.PathLike[str]) -> Image:
    """A Pillow image with its pixels read, so that damage shows here and with the file's name in the error.

    OSError for damage; ValueError for more pixels than memory should be spent on, seen before they are decoded.
    """
    from PIL import Image, UnidentifiedImageError

    name = os.fspath(path)
    with open(name, "rb") as file:
        try:
            image = Image.open(file)
            _check_size(image, name)
            image.load()
        except UnidentifiedImageError:
            text = message("image file", name, "an image that Pillow can read", "Remove the file or mend it.")
            raise UnidentifiedImageError(text) from None
        except _TooLarge:
            raise
        except Image.DecompressionBombError:
            raise _TooLarge(_size_text(name, f"over {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels")) from None
        except (OSError, SyntaxError, ValueError) as error:
            given = f"{name}, which is damaged ({error})"
            raise OSError(message("image file", given, "a complete image", "Remove the file or mend it.")) from error
    return image


class _TooLarge(ValueError):
    """An image that would take too much memory."""


def _check_size(image: Image, name: str) -> None:
    if weighed(image) > MOST_PIXELS:
        raise _TooLarge(_size_text(name, f"{image.width:,} x {image.height:,} pixels"))


def _size_text(name: str, given: str) -> str:
    return message(f"image file {name}", given, f"at most {MOST_PIXELS:,}, of some formats fewer", "Make it smaller")
