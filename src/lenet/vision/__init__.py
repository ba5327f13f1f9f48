"""Images: data sets, transforms, networks, and the backend that decides what an image is, under Paddle's names.

As in Paddle, ``vision.MNIST``, ``vision.ToTensor`` and ``vision.LeNet`` are short for the same names one level down.
"""

from __future__ import annotations

from lenet.vision import datasets, models, transforms
from lenet.vision.datasets import MNIST, DatasetFolder, FashionMNIST, ImageFolder
from lenet.vision.image import get_image_backend, image_load, set_image_backend
from lenet.vision.models import LeNet
from lenet.vision.transforms import (
    BaseTransform,
    CenterCrop,
    Compose,
    Grayscale,
    Normalize,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
    ToTensor,
    Transpose,
    center_crop,
    crop,
    hflip,
    normalize,
    pad,
    resize,
    rotate,
    to_grayscale,
    to_tensor,
    vflip,
)

__all__ = [
    "MNIST",
    "BaseTransform",
    "CenterCrop",
    "Compose",
    "DatasetFolder",
    "FashionMNIST",
    "Grayscale",
    "ImageFolder",
    "LeNet",
    "Normalize",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "ToTensor",
    "Transpose",
    "center_crop",
    "crop",
    "datasets",
    "get_image_backend",
    "hflip",
    "image_load",
    "models",
    "normalize",
    "pad",
    "resize",
    "rotate",
    "set_image_backend",
    "to_grayscale",
    "to_tensor",
    "transforms",
    "vflip",
]
