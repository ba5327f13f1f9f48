"""``write``: a model, images and their labels become one HTML file; ``from_arrays`` takes arrays of any kind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.disk.write import atomic_write
from lenet.html.css import CSS
from lenet.html.document import document, percent, text
from lenet.report import _sections
from lenet.report._findings import Findings, find
from lenet.vision.datasets.labelled import targets

if TYPE_CHECKING:
    from lenet.train import Trained

__all__ = ["from_arrays", "write"]


def write(
    path: str | os.PathLike[str], trained: Trained, images: NDArray[np.uint8], labels: NDArray[np.int64], *, line: str
) -> None:
    """Measure a model on labelled images and write the report to ``path``, whole or not at all.

    images: uint8 [N, H, W] or [N, C, H, W] as ``trained`` takes them, N at least 1. labels: int64 [N], 0 to K - 1. line:
    where the images come from, one line for the reader. What stands at ``path`` is replaced.

    ValueError or TypeError for images and labels that do not fit the model; ModuleNotFoundError without matplotlib;
    OSError saying what stands in the way of writing.
    """
    page = _page(find(trained, images, labels, line))
    atomic_write(path, page.encode("utf-8", "replace"))  # a path in it may be no UTF-8


def from_arrays(path: str | os.PathLike[str], trained: Trained, x: Any, y: Any) -> None:
    """``write`` for two arrays of any usual kind: x as ``Trained.images`` takes it, y the labels, words too."""
    numbers = targets("y", y, trained.labels)[0]
    write(path, trained, trained.images(x), numbers, line=f"{len(numbers):,} images in memory")


def _page(findings: Findings) -> str:
    sections = [
        ("errors", "Where it errs", _sections.errors(findings)),
        ("worst", "The worst mistakes", _sections.worst(findings)),
        ("labels", "Labels that may be wrong", _sections.suspected(findings)),
        ("trust", "How far to trust it", _sections.trust(findings)),
        ("model", "The model and its training", _sections.about(findings)),
    ]
    contents = "".join(f'<li><a href="#{key}">{title}</a></li>' for key, title, _ in sections)
    body = "\n".join(
        f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{title}</h2>\n{content}</section>'
        for key, title, content in sections
    )
    header = f'{_sections.headline(findings)}\n<nav aria-label="Contents"><ul>{contents}</ul></nav>'
    return document(f"{text(findings.name)}: {percent(findings.found.accuracy)} right", header, body, CSS)
