"""Read handwritten digits: from a photo or a scan to numbers, with boxes, probabilities and what was rejected.

    from lenet.reading import read
    page = read("photo.jpg")
    print(page.text)

``read`` takes one page, ``read_all`` the pages of a file, ``read_singles`` many images of one digit each. It needs OpenCV.
"""

from __future__ import annotations

from lenet.reading._annotate import annotate
from lenet.reading._check_page import check_page
from lenet.reading._read import LAYOUTS, read, read_all, read_singles
from lenet.reading.page import Digit, Line, Number, Page
from lenet.reading.sources.source import MOST_PIXELS, Source, open_pages
from lenet.reading.weights.reader import Reader

__all__ = [
    "LAYOUTS",
    "MOST_PIXELS",
    "Digit",
    "Line",
    "Number",
    "Page",
    "Reader",
    "Source",
    "annotate",
    "check_page",
    "open_pages",
    "read",
    "read_all",
    "read_singles",
]
