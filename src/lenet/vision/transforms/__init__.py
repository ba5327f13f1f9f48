"""Transforms under Paddle's names, as classes and as functions. Read by users and by ``vision.datasets``."""

from __future__ import annotations

from lenet.vision.transforms import functional as functional
from lenet.vision.transforms.augment import Augment
from lenet.vision.transforms.colour import (
    BrightnessTransform,
    ColorJitter,
    ContrastTransform,
    HueTransform,
    RandomResizedCrop,
    SaturationTransform,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)
from lenet.vision.transforms.geometry import (
    affine,
    center_crop,
    crop,
    erase,
    hflip,
    normalize,
    pad,
    resize,
    rotate,
    to_grayscale,
    to_tensor,
    vflip,
)
from lenet.vision.transforms.perspective import RandomPerspective
from lenet.vision.transforms.perspective import perspective as perspective
from lenet.vision.transforms.plain import (
    BaseTransform,
    CenterCrop,
    Compose,
    Grayscale,
    Normalize,
    Pad,
    Resize,
    ToTensor,
    Transpose,
)
from lenet.vision.transforms.random_transforms import (
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomRotation,
    RandomVerticalFlip,
)

__all__ = [
    "Augment",
    "BaseTransform",
    "BrightnessTransform",
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ContrastTransform",
    "Grayscale",
    "HueTransform",
    "Normalize",
    "Pad",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomPerspective",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "SaturationTransform",
    "ToTensor",
    "Transpose",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_hue",
    "adjust_saturation",
    "affine",
    "center_crop",
    "crop",
    "erase",
    "hflip",
    "normalize",
    "pad",
    "perspective",
    "resize",
    "rotate",
    "to_grayscale",
    "to_tensor",
    "vflip",
]
