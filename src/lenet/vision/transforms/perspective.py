"""The image as if seen from another place: ``perspective`` and ``RandomPerspective``, under Paddle's names."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.messages.check import choice, message
from lenet.vision.transforms._planes import filter_named
from lenet.vision.transforms.geometry import size_of, warped
from lenet.vision.transforms.plain import BaseTransform

__all__ = ["RandomPerspective", "perspective"]

Points = Sequence[Sequence[float]]


def perspective(img: Any, startpoints: Points, endpoints: Points, interpolation: str = "nearest", fill: Any = 0) -> Any:
    """The image moved so that the four startpoints (x, y) come to lie on the endpoints.

    interpolation: nearest, bilinear or bicubic. fill: the value outside the image. ValueError for other numbers of points
    and for points of which three lie on a line.
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        given = f"{len(startpoints)} and {len(endpoints)} points"
        raise ValueError(message("perspective", given, "four and four, [x, y] each"))
    rows, wanted = [], []
    for (xs, ys), (xe, ye) in zip(startpoints, endpoints, strict=True):
        rows += [[xe, ye, 1, 0, 0, 0, -xs * xe, -xs * ye], [0, 0, 0, xe, ye, 1, -ys * xe, -ys * ye]]
        wanted += [xs, ys]
    try:
        numbers = np.linalg.solve(np.array(rows, np.float64), np.array(wanted, np.float64)).tolist()
    except np.linalg.LinAlgError:
        given = f"points {[list(p) for p in endpoints]}"
        raise ValueError(message("perspective(endpoints)", given, "no three on a line")) from None
    from PIL import Image

    how, method = filter_named(interpolation), Image.Transform.PERSPECTIVE
    return warped(img, lambda plane, value: plane.transform(plane.size, method, numbers, how, fillcolor=value), fill)


class RandomPerspective(BaseTransform):
    """With probability ``prob`` the image with its corners moved inwards, each by up to half of distortion_scale · a side.

    interpolation, fill: as ``perspective``. ValueError outside 0 to 1.
    """

    def __init__(
        self,
        prob: float = 0.5,
        distortion_scale: float = 0.5,
        interpolation: str = "nearest",
        fill: Any = 0,
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        for name, value in (("prob", prob), ("distortion_scale", distortion_scale)):
            if not 0 <= value <= 1:
                raise ValueError(message(f"RandomPerspective({name})", value, "a number from 0 to 1"))
        choice("RandomPerspective(interpolation)", interpolation, ("nearest", "bilinear", "bicubic"))
        self.prob, self.distortion_scale = prob, distortion_scale
        self.interpolation, self.fill = interpolation, fill

    def get_params(self, width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """The corners, from the upper left one clockwise, as they are and as they become."""
        across, down = int(distortion_scale * (width // 2)) + 1, int(distortion_scale * (height // 2)) + 1

        def corner(right: bool, bottom: bool) -> list[int]:
            x = random.uniform(width - across, width) if right else random.uniform(0, across)
            y = random.uniform(height - down, height) if bottom else random.uniform(0, down)
            return [int(x), int(y)]

        ends = [corner(False, False), corner(True, False), corner(True, True), corner(False, True)]
        return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], ends

    def _apply_image(self, image: Any) -> Any:
        if random.random() >= self.prob:
            return image
        width, height = size_of(image)
        points = self.get_params(width, height, self.distortion_scale)
        return perspective(image, *points, self.interpolation, self.fill)
