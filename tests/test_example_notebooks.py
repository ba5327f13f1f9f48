"""The notebooks in examples/ run from a clean kernel, and what is stored in them is what they show.

    python tests/test_example_notebooks.py --write     runs them and stores what they show

Times differ from run to run and digits from processor to processor: texts are compared with numbers left out, pictures by
their kind. A kernel works in a process of its own, in a copy of the folders that a notebook reads from.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
LONGEST = 60  # seconds
LARGEST = 100_000  # bytes of a notebook, its pictures included

RUN = """
import sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
resources = {"metadata": {"path": sys.argv[2]}}
nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources, record_timing=False).execute()
nbformat.write(notebook, sys.argv[1])
"""


def run(path: Path, folder: Path) -> dict[str, Any]:
    """A notebook after a run in a copy of its folder; nothing is written beside the original."""
    (folder / "examples").mkdir(parents=True)
    (folder / "docs" / "images").mkdir(parents=True)
    copy = shutil.copy(path, folder / "examples")
    shutil.copy(ROOT / "docs" / "images" / "reading-example.jpg", folder / "docs" / "images")
    command = [sys.executable, "-c", RUN, str(copy), str(folder / "examples")]
    where = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=2 * LONGEST, env=where)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(Path(copy).read_text(encoding="utf-8"))
    return found


def shown(output: dict[str, Any]) -> tuple[str, str]:
    """What a reader sees of an output: its kind, and its text without numbers; a picture has none."""
    if output["output_type"] == "stream":
        return output["name"], form("".join(output["text"]))
    pictures = sorted(kind for kind in output["data"] if kind.startswith("image/"))
    return (pictures[0], "") if pictures else ("text", form("".join(output["data"]["text/plain"])))


def form(text: str) -> str:
    text = re.sub(r"\d+(us|ms|s)/(step|sample)", "TIME", text)
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)?", "0", text))


def outputs(notebook: dict[str, Any]) -> list[list[tuple[str, str]]]:
    return [[shown(output) for output in cell.get("outputs", [])] for cell in notebook["cells"]]


def small(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook as it is stored: pictures as WebP, nothing of the machine that ran it."""
    notebook["metadata"] = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                packed = io.BytesIO()
                Image.open(io.BytesIO(base64.b64decode(data.pop("image/png")))).convert("RGB").save(
                    packed, "WEBP", quality=60
                )
                data["image/webp"] = base64.b64encode(packed.getvalue()).decode()
    return notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_stored(path: Path, mnist_dir: Path, tmp_path: Path) -> None:
    began = time.perf_counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_DATA", str(mnist_dir))
        fresh = run(path, tmp_path)
    assert time.perf_counter() - began < LONGEST
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert outputs(small(fresh)) == outputs(stored), "python tests/test_example_notebooks.py --write"
    assert not [
        output for cell in fresh["cells"] for output in cell.get("outputs", []) if output.get("name") == "stderr"
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_says_nothing_of_where_it_ran(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) < LARGEST
    assert not re.search(r"/home/|/root/|/tmp/", text)


def test_there_are_notebooks() -> None:
    assert {path.stem for path in NOTEBOOKS} == {"tutorial", "read_your_photo"}


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    for one in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as away:
            text = json.dumps(small(run(one, Path(away))), ensure_ascii=False, indent=1)
        one.write_text(text + "\n", encoding="utf-8")
        print(one.name, len(text), "bytes")
