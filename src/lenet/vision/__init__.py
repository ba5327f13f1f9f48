"""Images: data sets, transforms and the backend that decides what an image is, under Paddle's names."""

from __future__ import annotations

from lenet.vision import datasets, models, transforms
from lenet.vision.image import get_image_backend, image_load, set_image_backend

__all__ = ["datasets", "get_image_backend", "image_load", "models", "set_image_backend", "transforms"]
