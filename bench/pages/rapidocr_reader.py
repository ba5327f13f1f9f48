"""RapidOCR on a folder of pages, in an environment that has it: ``python rapidocr_reader.py FOLDER [--tuned]`` prints JSON.

--tuned: its detector may use 1,600 pixels, lines aren't turned upside down, and doubtful text is kept; for pictures that were
brought to a size it reads well (``peers.fitted``).
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

from rapidocr import RapidOCR

logging.disable(logging.WARNING)
TUNED = {"Det.limit_type": "max", "Det.limit_side_len": 1600, "Global.use_cls": False, "Global.text_score": 0.3}
engine = RapidOCR(params=TUNED) if "--tuned" in sys.argv[2:] else RapidOCR()
found, seconds = {}, {}
for path in sorted(Path(sys.argv[1]).glob("*.png")):
    start = time.process_time()
    result = engine(str(path))
    seconds[path.name] = time.process_time() - start
    pieces = []
    if result.boxes is not None:
        for corners, text in zip(result.boxes, result.txts, strict=True):
            low, high = corners.min(axis=0), corners.max(axis=0)
            pieces.append({"text": text, "box": [float(v) for v in (*low, *high)]})
    found[path.name] = pieces
print(json.dumps({"found": found, "seconds": seconds}))
