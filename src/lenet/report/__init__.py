"""How good a model is, as one HTML file for a person to read: ``lenet evaluate --report``.

The file needs nothing but a browser: no network, no script, figures and pictures inside. Needs matplotlib to be written:
``pip install '.[plots]'`` in the checkout.
"""

from __future__ import annotations

from lenet.report._page import from_arrays, write

__all__ = ["from_arrays", "write"]
