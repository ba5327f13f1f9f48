"""Transforms as functions, in the place where Paddle has them: ``paddle.vision.transforms.functional``."""

from lenet.vision.transforms.colour import adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation
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
from lenet.vision.transforms.perspective import perspective

__all__ = [
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
