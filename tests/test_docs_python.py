"""The Python of docs/ runs: a page's blocks one after the other in one process, as its reader types them.

In pages that set another library's lines beside ours, each cell of the second column runs too, after the blocks; words may
follow a cell's code. What a page takes as given is said here. Translated pages have the English ones' code (test_translations).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
EXAMPLE = DOCS / "images" / "reading-example.jpg"
FENCED = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
GIVEN = {
    "index.md": "import numpy as np\n"
    "x, y = np.arange(94080).reshape(120, 28, 28) % 251, np.array(['even', 'odd'] * 60)\n",
}
PAGES = sorted(
    path.name
    for path in DOCS.glob("*.md")
    if path.name != "elsewhere.md" and FENCED.search(path.read_text(encoding="utf-8"))  # it has a test file of its own
)


def cells(text: str) -> list[str]:
    """The code of the second column of tables of two, where the page is one that compares lines."""
    found = []
    for row in re.findall(r"^\| .* \| (.*) \|$", text.partition("\n## Line by line\n")[2], re.MULTILINE):
        found += [code + (" pass" if code.endswith(":") else "") for code in re.findall(r"`([^`]+)`", row)]
    return found


def program(name: str) -> str:
    text = (DOCS / name).read_text(encoding="utf-8")
    own = cells(text) if name.startswith("from-") else []
    assert bool(own) == name.startswith("from-")
    return GIVEN.get(name, "") + "\n".join([*FENCED.findall(text), *own])


@pytest.mark.parametrize("name", PAGES)
def test_a_pages_python_runs(name: str, mnist_dir: Path, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path / "photo.jpg")
    Image.open(EXAMPLE).convert("RGB").save(tmp_path / "form.pdf")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program(name)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env=os.environ
        | {"LENET_DATA": str(mnist_dir), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert ran.returncode == 0, ran.stderr


def test_pages_that_compare_are_there() -> None:
    assert {f"from-{name}.md" for name in ("pytorch", "keras", "scikit-learn", "paddle")} <= set(PAGES)
