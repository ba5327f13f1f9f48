"""A line's paper, light and camera: coverage in, a grey strip out, dark ink on lighter paper.

Paper may be plain, grained, patterned as cheques are, squared or shaded; the camera blurs, adds noise and packs as JPEG, and
what is small is enlarged from few pixels. Read by ``lines``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["pattern", "photographed", "shot"]

Levels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Rng = np.random.Generator


def photographed(ink: Levels, rules: Levels, height: int, stretch: float, rng: Rng) -> Levels:
    """Coverage of pen and of print [h, w] as a grey picture uint8 [height, w'], w' = w * height / h * stretch."""
    import cv2

    h, w = ink.shape
    paper = rng.uniform(120, 255)
    pen = min(rng.uniform(0, 120), paper - rng.uniform(45, 120))
    pen = max(pen, 0.0)
    contrast = paper - pen
    page: Any = np.full((h, w), paper, np.float32)
    page -= pattern(h, w, contrast, rng)
    if rng.random() < 0.5:
        cells = max(2, h // int(rng.integers(1, 5))), max(2, w // int(rng.integers(1, 5)))
        grain = rng.standard_normal(cells, np.float32)
        page += cv2.resize(grain, (w, h), interpolation=cv2.INTER_LINEAR) * np.float32(
            rng.uniform(1, min(14.0, 0.2 * contrast))
        )
    if rng.random() < 0.5:
        page += cv2.resize(rng.standard_normal((2, 3), np.float32), (w, h), interpolation=cv2.INTER_CUBIC) * np.float32(
            rng.uniform(0, 20)
        )
    if rng.random() < 0.06:
        page[int(rng.integers(h)) :] -= np.float32(rng.uniform(10, 50))
    if rng.random() < 0.06:
        page[:, int(rng.integers(w)) :] -= np.float32(rng.uniform(10, 50))
    page -= rules.astype(np.float32) * np.float32(contrast * rng.uniform(0.3, 1.0) / 255)
    cover = ink.astype(np.float32) * np.float32(rng.uniform(0.75, 1) / 255)
    page += cover * (np.minimum(np.float32(pen), page) - page)
    if rng.random() < 0.7:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.4, 1.4)), np.float32)
    wide = max(16, round(w * height / h * stretch))
    if rng.random() < 0.2:  # from few pixels
        few = rng.uniform(0.5, 0.9)
        page = cv2.resize(page, (max(8, round(wide * few)), max(8, round(height * few))), interpolation=cv2.INTER_AREA)
        page = shot(page, contrast, rng)
        page = cv2.resize(
            page, (wide, height), interpolation=cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
        )
        return np.clip(page, 0, 255).astype(np.uint8)
    return np.clip(shot(cv2.resize(page, (wide, height), interpolation=cv2.INTER_AREA), contrast, rng), 0, 255).astype(
        np.uint8
    )


def shot(page: Any, contrast: float, rng: Rng) -> Any:
    """Noise and JPEG."""
    import cv2

    page = page + rng.standard_normal(page.shape, np.float32) * np.float32(
        rng.uniform(0, min(8.0, 2 + 0.08 * contrast))
    )
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 92))]
        packed = cv2.imencode(".jpg", np.clip(page, 0, 255).astype(np.uint8), quality)[1]
        page = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.float32)
    return page


def pattern(h: int, w: int, contrast: float, rng: Rng) -> Floats:
    """What is printed on the paper all over, float32 [h, w], in grey levels: waves, dots, squares, or nothing."""
    kind = rng.random()
    out = np.zeros((h, w), np.float32)
    if kind < 0.4:
        y, x = np.indices((h, w), np.float32)
        waves = int(rng.integers(1, 4))
        for _ in range(waves):
            turn, period = rng.uniform(0, np.pi), rng.uniform(3.2, 11)
            along = x * np.float32(np.cos(turn)) + y * np.float32(np.sin(turn))
            across = y * np.float32(np.cos(turn)) - x * np.float32(np.sin(turn))
            a, b, c, d, e = (np.float32(v) for v in rng.uniform((0, 0.02, 0, 0, 0.1), (8, 0.15, 6, 2, 0.4)))
            wave = np.sin(
                (along + a * np.sin(across * b + c) + d * np.sin(across * e)) * np.float32(2 * np.pi / period)
            )
            out += np.float32(rng.uniform(0.3, 1)) * np.clip(wave - np.float32(rng.uniform(-0.3, 0.7)), 0, 1)
        return out * np.float32(contrast * rng.uniform(0.1, 0.5) / waves**0.5)
    if kind < 0.52:
        step = int(rng.integers(2, 6))
        out[int(rng.integers(step)) :: step, int(rng.integers(step)) :: step] = 1
        if rng.random() < 0.5:
            some = out[step // 2 :: 2 * step]
            out[step // 2 :: 2 * step] = np.roll(some, step // 2, axis=1)
        return out * np.float32(contrast * rng.uniform(0.1, 0.6))
    if kind < 0.62:
        step = int(rng.integers(14, 40))
        out[int(rng.integers(step)) :: step] = 1
        out[:, int(rng.integers(step)) :: step] = 1
        return out * np.float32(contrast * rng.uniform(0.1, 0.7))
    return out
