"""docs/elsewhere.md: its Python runs as it stands, and its tables come out of results of the shape that their scripts store."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench import beside_sklearn, elsewhere

PAGE = (elsewhere.ROOT / "docs" / "elsewhere.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"## (\S+)\n\n```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("title", "block"), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_the_python_runs(title: str, block: str, model: Path, tmp_path: Path) -> None:
    if title == "PyTorch":
        pytest.importorskip("torch", reason="no PyTorch: pip install torch")
    shutil.copy(model, tmp_path / "lenet.safetensors")
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "ignore", "-c", block]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=tmp_path, env=os.environ | paths)
    assert ran.returncode == 0, ran.stderr


def test_every_block_is_run() -> None:
    assert len(BLOCKS) == PAGE.count("```python")


def test_the_tables() -> None:
    row = {"there": 2.4e-7, "back": 0.0, "bits": True, "networks": 1}
    rows = {
        "tutorial": dict.fromkeys(elsewhere.LIBRARIES, row),
        "drawn": dict.fromkeys(elsewhere.LIBRARIES, row | {"bits": False}),
    }
    versions = {"onnx": "1.32.0", "torch": "2.13.0", "paddle": "3.3.1"}
    text = elsewhere.table({"rows": rows, "versions": versions, "images": 1000})
    assert "| network | ONNX Runtime 1.32.0 | PyTorch 2.13.0 | Paddle 3.3.1 | bits of each weight |" in text
    assert "| the tutorial's LeNet | 2e-07, 0e+00 | 2e-07, 0e+00 | 2e-07, 0e+00 | the same |" in text
    assert "| 30 drawn networks, the worst |" in text
    assert "**not all the same**" in text
    runs = [{"accuracy": 0.98, "fit": 2.0, "score": 0.01}, {"accuracy": 0.97, "fit": 3.0, "score": 0.03}]
    text = beside_sklearn.table({"rows": {"digits": {"LeNetClassifier, 5 epochs": runs}}, "sklearn": "1.9.1"})
    assert "| scikit-learn's digits, 8 x 8 | `LeNetClassifier`, 5 epochs | 97.50 % | 97.00 % | 2.50 | 0.020 |" in text
    assert "2 seeds each; scikit-learn 1.9.1." in text


def test_the_classifiers_that_are_compared() -> None:
    X, _, test_X, test_y = beside_sklearn.parts("digits", 0)
    assert (len(X), len(test_X), len(test_y)) == (1257, 540, 540)
    assert list(beside_sklearn.contenders(len(X))) == [
        "LeNetClassifier",
        "LeNetClassifier, 5 epochs",
        "MLPClassifier",
        "SVC",
    ]
    assert list(beside_sklearn.contenders(60000))[-1] == "SVC, of 10,000 images"
