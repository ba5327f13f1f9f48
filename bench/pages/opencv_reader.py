"""Digits on pages as OpenCV's samples go about it: threshold, contours, moments, gradients, nearest neighbours.

    python opencv_reader.py FOLDER SAMPLES.npz

Written for this benchmark after the idea of the library's digits sample; no code is theirs. A local threshold gives
contours; those as high as a digit are cut out, brought to 20 x 20 in 28 x 28, set upright by their second moments, described
by histograms of gradients (Hellinger's kernel) and named by their nearest MNIST training images. It expects dark ink.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
BINS, CELLS, NEIGHBOURS = 12, 4, 5


def upright(image: Array) -> Array:
    """A digit uint8 [28, 28] with its slant taken out."""
    m = cv2.moments(image)
    if abs(m["mu02"]) < 1e-2:
        return image
    slant = m["mu11"] / m["mu02"]
    matrix = np.array([[1, slant, -slant * m["m01"] / max(m["m00"], 1e-6)], [0, 1, 0]], np.float32)
    return cv2.warpAffine(image, matrix, (28, 28), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)


def described(images: list[Array]) -> Array:
    """Histograms of gradients float32 [N, 4 * 4 * 12] of images uint8 [28, 28], unit length after a root."""
    rows = []
    for image in images:
        soft = image.astype(np.float32)
        dx, dy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
        size, angle = cv2.cartToPolar(dx, dy)
        bins = np.minimum((angle * (BINS / (2 * np.pi))).astype(int), BINS - 1)
        cell = np.arange(28) * CELLS // 28
        at = (cell[:, None] * CELLS + cell[None]) * BINS + bins
        rows.append(np.bincount(at.ravel(), size.ravel(), CELLS * CELLS * BINS))
    histogram = np.array(rows, np.float32).reshape(len(images), -1)
    histogram = np.sqrt(histogram / np.maximum(histogram.sum(axis=1, keepdims=True), 1e-6))
    return histogram / np.maximum(np.linalg.norm(histogram, axis=1, keepdims=True), 1e-6)


def centred(mark: Array) -> Array:
    """A cut-out uint8 [h, w] in MNIST's form: 20 pixels on its longer side, centre of mass in the middle of 28 x 28."""
    scale = 20 / max(mark.shape)
    size = max(1, round(mark.shape[1] * scale)), max(1, round(mark.shape[0] * scale))
    small = cv2.resize(mark, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    m = cv2.moments(small)
    mass = max(m["m00"], 1e-6)
    move = np.array([[1, 0, 13.5 - m["m10"] / mass], [0, 1, 13.5 - m["m01"] / mass]], np.float32)
    return cv2.warpAffine(small, move, (28, 28))


def found(page: Array) -> tuple[list[list[int]], list[Array]]:
    """Boxes of what may be digits on a grey page uint8 [H, W], and their images uint8 [28, 28]."""
    smooth = cv2.GaussianBlur(page, (0, 0), 1)
    ink = cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 51, 12)
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes, marks = [], []
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        if not 9 <= h <= 150 or w > 2 * h or h > 12 * w or cv2.contourArea(contour) < 8:
            continue
        boxes.append([x, y, x + w, y + h])
        marks.append(upright(centred(ink[y : y + h, x : x + w])))
    return boxes, marks


def main() -> None:
    samples = np.load(sys.argv[2])
    known, labels = described([upright(image) for image in samples["images"]]), samples["labels"]
    answer = {}
    for path in sorted(Path(sys.argv[1]).glob("*.png")):
        boxes, marks = found(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        pieces = []
        if marks:
            near = np.argpartition(-(described(marks) @ known.T), NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
            votes = [int(np.bincount(labels[row], minlength=10).argmax()) for row in near]
            pieces = [{"text": str(vote), "box": box} for vote, box in zip(votes, boxes, strict=True)]
        answer[path.name] = pieces
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
