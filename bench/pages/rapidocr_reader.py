"""RapidOCR on a folder of pages, in an environment that has it: ``python rapidocr_reader.py FOLDER`` prints JSON."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from rapidocr import RapidOCR

logging.disable(logging.WARNING)
engine = RapidOCR()
found = {}
for path in sorted(Path(sys.argv[1]).glob("*.png")):
    result = engine(str(path))
    pieces = []
    if result.boxes is not None:
        for corners, text in zip(result.boxes, result.txts, strict=True):
            low, high = corners.min(axis=0), corners.max(axis=0)
            pieces.append({"text": text, "box": [float(v) for v in (*low, *high)]})
    found[path.name] = pieces
print(json.dumps(found))
