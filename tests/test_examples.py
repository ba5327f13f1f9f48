"""Every program in examples/ runs as it stands and says what it should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LEAST = {
    "way1_model.py": 0.97,
    "way2_loop.py": 0.96,
    "own_images.py": 0.6,
    "better_than_the_tutorial.py": 0.985,
    "how_good_is_it.py": 0.985,
}


def test_every_example_is_listed() -> None:
    assert sorted(LEAST) == sorted(p.name for p in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", LEAST)
def test_example_runs(name: str, mnist_dir: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"LENET_DATA": str(mnist_dir)},
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    accuracy = re.search(r"accuracy (0\.\d+)\s*$", ran.stdout, re.MULTILINE)
    last = [float(a) for a in re.findall(r"^(?:test|held-out) accuracy (\d\.\d+)", ran.stdout, re.MULTILINE)]
    assert accuracy or last
    assert last[-1] >= LEAST[name], ran.stdout
