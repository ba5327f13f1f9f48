"""Pictures of data sets, of what augmentation does to them, and of how good a model is.

Each function returns a ``matplotlib.figure.Figure`` that belongs to nobody's global state. A notebook shows it as a cell's
last line; ``save`` writes it. ``terminal`` draws an image as text. Needs matplotlib: ``pip install '.[plots]'`` in the checkout.
"""

from __future__ import annotations

from lenet.plots._charts import class_counts, confusion, curves, rejection
from lenet.plots._history import history, rates
from lenet.plots._images import augmented, pictures, samples
from lenet.plots._reliability import reliability
from lenet.plots._style import needed, save
from lenet.plots._terminal import terminal

__all__ = [
    "augmented",
    "class_counts",
    "confusion",
    "curves",
    "history",
    "needed",
    "pictures",
    "rates",
    "rejection",
    "reliability",
    "samples",
    "save",
    "terminal",
]
