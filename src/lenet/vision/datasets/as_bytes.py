"""Arrays of images as bytes [N, C, H, W], which is what recipes train on and model files answer to.

How the first arrays became bytes is kept, in the model file too, so that later ones are taken the same way. Read by ``train``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import brief, message
from lenet.vision.datasets.labelled import Layout, images_of, layout_of

__all__ = ["Form"]


class Form(NamedTuple):
    """How arrays of images become bytes [N, C, H, W]: their layout, and the values that become 0 and 255."""

    layout: Layout
    low: float
    high: float

    @classmethod
    def of(cls, what: str, images: Any, data_format: str | None = None, layout: Layout | None = None) -> Form:
        """As these images are. Whole numbers are bytes; floats reach from 0 or -1 to 1, to 255, or as far as they do."""
        layout = layout_of(what, images, data_format, squares=True) if layout is None else layout
        if layout.scaled:
            return cls(layout, 0.0, 255.0)
        x = images_of(what, images, layout)
        low, high = float(x.min(initial=0)), float(x.max(initial=0))
        if low >= 0 and high <= 1:
            return cls(layout, 0.0, 1.0)
        if low >= -1 and high <= 1:
            return cls(layout, -1.0, 1.0)
        if low >= 0 and 127 < high <= 255:
            return cls(layout, 0.0, 255.0)
        return cls(layout, min(low, 0.0), high if high > low else low + 1)

    def bytes_of(self, what: str, images: Any) -> NDArray[np.uint8]:
        """Such images as uint8 [N, C, H, W]; what is below ``low`` becomes 0, above ``high`` 255."""
        x = images_of(what, images, self.layout)
        if x.dtype == np.uint8:
            return np.ascontiguousarray(x)
        if not np.isfinite(x).all():
            raise ValueError(message(what, "a number that isn't finite", "finite numbers"))
        scaled = (np.asarray(x, np.float64) - self.low) * (255 / (self.high - self.low))
        return np.ascontiguousarray(np.rint(scaled).clip(0, 255).astype(np.uint8))

    @property
    def pixels(self) -> tuple[float, float]:
        """Mean and std by which a byte b becomes the float that was there: (b - mean) / std. Of bytes those of -1 to 1."""
        low, high = (-1.0, 1.0) if self.layout.scaled else (self.low, self.high)
        std = 255 / (high - low)
        return -low * std, std

    @property
    def said(self) -> str:
        """What a person should know of it; "" for bytes [N, C, H, W]."""
        parts = list(self.layout.said())
        if not self.layout.scaled:
            parts.append(f"floats from {self.low:g} to {self.high:g} become bytes 0 to 255")
        return "; ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """As a model file has it."""
        layout = {"scaled": self.layout.scaled, "last": self.layout.last, "side": self.layout.side}
        return layout | {"low": self.low, "high": self.high}

    @classmethod
    def of_json(cls, value: Any) -> Form:
        """The inverse of ``as_json``; ValueError for anything else."""
        expected = "scaled, last, side, low and high"
        if not isinstance(value, dict) or set(value) != {"scaled", "last", "side", "low", "high"}:
            raise ValueError(message("arrays", brief(value, 80), expected))
        low, high, side = value["low"], value["high"], value["side"]
        numbers = all(type(n) in (int, float) and abs(n) < 1e30 for n in (low, high)) and low < high
        flags = isinstance(value["scaled"], bool) and isinstance(value["last"], bool)
        if not numbers or not flags or type(side) is not int or not 0 <= side < 1 << 20:
            raise ValueError(message("arrays", brief(value, 80), expected))
        return cls(Layout(value["scaled"], value["last"], side), float(low), float(high))
