"""Who else reads a folder of pages: tesseract, RapidOCR, and the classical approach of OpenCV's digits sample.

Each is a process that gets a folder of PNG files and says for each file which pieces it read, {"text", "box"}. What isn't a
digit is dropped by the scorer. A peer that can't be had here is absent with a reason.

As they come, both text readers overlook most small pictures. On what people photograph (``everyday`` and ``real``) each
picture is therefore brought to a size that they read well first, and RapidOCR runs at its best setting.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench import environments
from bench.environments import Absent

Reading = dict[str, list[dict[str, Any]]]  # file name -> pieces
HERE = Path(__file__).resolve().parent
FOLDER = environments.FOLDER / "pages"
MODES = (6, 11, 4)  # tesseract's page modes: one block of text; sparse text; one column
ALL_MODES = (*MODES, 7)  # and one line, for small pictures
PEERS = ("tesseract", "rapidocr", "opencv")
SAMPLES = 20_000  # MNIST training images that the classical approach compares with
SMALL, SHORT, LARGE, MARGIN = 200, 64, 1536, 32  # pixels; see fitted
RAPIDOCR = ["rapidocr", "onnxruntime", "opencv-python-headless"]  # brings its models


def tesseract(folder: Path, mode: int) -> Reading:
    """Words with their boxes; digits alone are allowed. mode: its --psm."""
    program = shutil.which("tesseract")
    if program is None:
        raise Absent("needs tesseract: apt install tesseract-ocr")
    options = ["--psm", str(mode), "-c", "tessedit_char_whitelist=0123456789", "tsv"]
    found: Reading = {}
    for path in sorted(folder.glob("*.png")):
        done = subprocess.run(
            [program, str(path), "stdout", *options], capture_output=True, text=True, encoding="utf-8"
        )
        if done.returncode < 0:  # one of its page modes crashes on some pages: nothing is read there
            found[path.name] = []
            continue
        if done.returncode:
            raise Absent(f"tesseract failed on {path.name}: {done.stderr.strip()[:200]}")
        found[path.name] = from_tsv(done.stdout)
    return found


def from_tsv(text: str) -> list[dict[str, Any]]:
    """The words of tesseract's table: its rows of level 5."""
    pieces = []
    for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == "5" and (row["text"] or "").strip():
            x, y, w, h = (int(row[key]) for key in ("left", "top", "width", "height"))
            pieces.append({"text": row["text"], "box": [x, y, x + w, y + h]})
    return pieces


def fitted(image: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], float, int]:
    """A picture, uint8 [H, W, 3], in a size that text readers do well on, its scale, and its margin's width in pixels.

    Small pictures get 64 pixels on their short side and a margin as wide of the paper's colour, others 1,536 pixels at most
    on their long side and a margin of 32.
    """
    height, width = image.shape[:2]
    small = min(height, width) < SMALL or max(height, width) <= 256
    largest = (1600 if small else LARGE) / max(height, width)
    scale = min(SHORT / min(height, width) if small else 1.0, largest)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
    margin = min(scaled.shape[:2]) if small else MARGIN
    paper = np.median(image[::7, ::7].reshape(-1, 3), axis=0).tolist()
    return cv2.copyMakeBorder(scaled, *[margin] * 4, cv2.BORDER_CONSTANT, value=paper), scale, margin


def on_fitted(folder: Path, read: Callable[[Path], Reading]) -> Reading:
    """What a reader finds on the folder's pictures after each was fitted, in the pixels of the pictures as they are."""
    with tempfile.TemporaryDirectory() as made:
        places = {}
        for path in sorted(folder.glob("*.png")):
            image, scale, margin = fitted(cv2.imread(str(path)))
            cv2.imwrite(str(Path(made) / path.name), image)
            places[path.name] = scale, margin
        found = read(Path(made))
    for name, pieces in found.items():
        scale, margin = places[name]
        for piece in pieces:
            piece["box"] = [(v - margin) / scale for v in piece["box"]]
    return found


def process(python: str, script: str, *arguments: str) -> dict[str, Any]:
    """What a reader's script printed: one JSON object, its last line."""
    env = os.environ | {"PYTHONWARNINGS": "ignore"}
    done = subprocess.run([python, str(HERE / script), *arguments], stdout=subprocess.PIPE, text=True, env=env)
    if done.returncode:
        raise Absent(f"{script} failed with exit status {done.returncode}")
    printed: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return printed


def rapidocr_python() -> str:
    """An environment's Python that has RapidOCR, made if need be. No other suite measures it, so none else knows it."""
    environments.REQUIREMENTS.setdefault("rapidocr", RAPIDOCR)
    return environments.environment("rapidocr")


def rapidocr(folder: Path, python: str | None = None, tuned: bool = False) -> Reading:
    """Lines of text with the boxes around them. python: an interpreter that has it; None makes an environment.

    tuned: at its best setting, on pictures that were fitted.
    """
    interpreter = python or rapidocr_python()
    if not tuned:
        return process(interpreter, "rapidocr_reader.py", str(folder))["found"]
    return on_fitted(folder, lambda made: process(interpreter, "rapidocr_reader.py", str(made), "--tuned")["found"])


def opencv(folder: Path) -> Reading:
    """Single digits. It compares with MNIST training images, never with the held-out or the test ones."""
    samples = FOLDER / "samples.npz"
    if not samples.exists():
        from bench.pages.glyphs import HELD
        from lenet.train.data import load, split

        train = load("mnist").train
        some = split(train.labels, HELD)[0][:SAMPLES]
        FOLDER.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(samples, images=train.images[some, 0], labels=train.labels[some])
    return process(sys.executable, "opencv_reader.py", str(folder), str(samples))


def version(name: str, python: str | None = None) -> str:
    if name == "tesseract":
        program = shutil.which("tesseract")
        if program is None:
            raise Absent("needs tesseract: apt install tesseract-ocr")
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
        return (done.stdout or done.stderr).split()[1]
    if name == "rapidocr":
        asked = "from importlib.metadata import version; print(version('rapidocr'))"
        interpreter = python or rapidocr_python()
        return subprocess.run([interpreter, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    import cv2

    return str(cv2.__version__)
