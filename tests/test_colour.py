"""Colour transforms and RandomResizedCrop beside real Paddle, live: the same seeds, the same Pillow images."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.vision import transforms as T

PIXELS = np.random.RandomState(0).randint(0, 256, (23, 31, 3), np.uint8)
CASES = [
    "ColorJitter(0.4, 0.4, 0.4, 0.2)",
    "ColorJitter(brightness=(0.2, 1.5), hue=(-0.3, 0.1))",
    "ColorJitter()",
    "BrightnessTransform(0.5)",
    "ContrastTransform(0.5)",
    "SaturationTransform(0.5)",
    "HueTransform(0.4)",
    "RandomResizedCrop(16)",
    "RandomResizedCrop((12, 20), (0.3, 0.9), (0.5, 2.0))",
    "RandomResizedCrop(9, (1.0, 1.0), (3.0, 4.0))",
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_transform_gives_paddles_images(paddle: ModuleType, case: str, mode: str) -> None:
    image, found = Image.fromarray(PIXELS).convert(mode), []
    for module in (T, paddle.vision.transforms):
        random.seed(5)
        np.random.seed(5)
        transform = eval(f"t.{case}", {"t": module})
        found.append([np.asarray(transform(image)) for _ in range(8)])
    for ours, theirs in zip(*found, strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["adjust_brightness", "adjust_contrast", "adjust_saturation"])
@pytest.mark.parametrize("factor", [0.0, 0.6, 1.7])
def test_arrays_and_tensors_agree_with_pillow(name: str, factor: float) -> None:
    adjust = getattr(T, name)
    pillow = np.asarray(adjust(Image.fromarray(PIXELS), factor))
    assert np.array_equal(adjust(PIXELS, factor), pillow)
    tensor = adjust(T.to_tensor(PIXELS), factor).numpy().transpose(1, 2, 0) * 255
    assert np.abs(tensor - pillow).max() < 3  # Pillow rounds, and rounds its grey


def test_hue_of_arrays_and_tensors() -> None:
    pillow = np.asarray(T.adjust_hue(Image.fromarray(PIXELS), 0.2))
    assert np.array_equal(T.adjust_hue(PIXELS, 0.2), pillow)
    assert np.allclose(T.adjust_hue(T.to_tensor(PIXELS), 0.2).numpy().transpose(1, 2, 0) * 255, pillow, atol=1e-3)
    grey = lenet.zeros([1, 4, 4])
    assert T.adjust_hue(grey, 0.2) is grey


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: T.adjust_hue(PIXELS, 0.7),
            ValueError,
            r"adjust_hue\(hue_factor\): got float 0.7, expected a number from -0.5",
        ),
        (lambda: T.adjust_contrast(PIXELS, -1), ValueError, r"adjust_contrast\(contrast_factor\)"),
        (lambda: T.adjust_brightness(PIXELS * 1.0, 1.0), TypeError, "adjust_brightness: got .*float64.*uint8"),
        (lambda: T.ColorJitter(hue=0.6), ValueError, r"HueTransform\(hue\): got 0.6"),
        (lambda: T.ColorJitter("a"), TypeError, r"BrightnessTransform\(brightness\)"),
        (lambda: T.RandomResizedCrop(3, scale=(0.9, 0.1)), ValueError, r"RandomResizedCrop\(scale\): got \(0.9, 0.1\)"),
    ],
)
def test_a_mistake_is_named(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
