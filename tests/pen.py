"""Writes text with MNIST's held-out digits, for tests of reading."""

from __future__ import annotations

import numpy as np

from lenet.reading import read_singles

HEIGHT = 40


class Pen:
    """Writes text with held-out digits that the reader reads well alone, so that what is tested is the page's geometry."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        import cv2

        self.marks = {}
        for digit in range(10):
            some = images[labels == digit][:60]
            pages = read_singles([255 - image for image in some])
            good = [
                image
                for image, page in zip(some, pages, strict=True)
                if page.text == str(digit) and page.digits[0].confidence > 0.9
            ][:6]
            assert len(good) == 6, f"of 60 held-out images of {digit} hardly any is read"
            self.marks[digit] = []
            for image in good:
                rows, columns = np.flatnonzero(image.max(axis=1) > 40), np.flatnonzero(image.max(axis=0) > 40)
                cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                size = max(2, round(cut.shape[1] * HEIGHT / 20)), max(2, round(cut.shape[0] * HEIGHT / 20))
                self.marks[digit].append(cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC))

    def ink(
        self, text: str, shape: tuple[int, int] | None = None
    ) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
        """Ink uint8 [h, w] of lines of text, and the digits' boxes."""
        import cv2

        lines = text.split("\n")
        h, w = shape or (240 + 80 * len(lines), 240 + 60 * max(map(len, lines)))
        page, boxes, count = np.zeros((h, w), np.uint8), [], 0
        for k, line in enumerate(lines):
            x, base = 40, 40 + HEIGHT + 80 * k
            for char in line:
                if char == " ":
                    x += 40
                elif char == "-":
                    page[base - 22 : base - 17, x : x + 18] = 255
                    x += 24
                elif char == "/":
                    cv2.line(page, (x + 2, base + 6), (x + 24, base - HEIGHT - 6), 255, 4, cv2.LINE_AA)
                    x += 32
                elif char in "=:":
                    high, wide = (5, 20) if char == "=" else (6, 6)
                    for top in (base - 28, base - 16):
                        page[top : top + high, x : x + wide] = 255
                    x += wide + 6
                elif char in ".,":
                    page[base - 6 : base, x : x + 6] = 255
                    if char == ",":
                        page[base : base + 7, x : x + 3] = 255
                    x += 12
                else:
                    mark = self.marks[int(char)][count % 6]
                    count += 1
                    mh, mw = mark.shape
                    page[base - mh : base, x : x + mw] = np.maximum(page[base - mh : base, x : x + mw], mark)
                    boxes.append((x, base - mh, x + mw, base))
                    x += mw + 8
        return page, boxes

    def __call__(self, text: str) -> np.ndarray:
        """A white page with black ink."""
        return 255 - self.ink(text)[0]
