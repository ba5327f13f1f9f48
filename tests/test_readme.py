"""README's two commands stand as they should, its Python runs, and its tables are those of the stored measurements."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lenet.train import RECIPES, Recipe

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench import tables

ROOT = tables.ROOT
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_two_setup_commands() -> None:
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines() if line
    ]
    assert commands == ["pip install . && lenet train", "pip install '.[test]' && pytest"]


def test_the_python_runs(mnist_dir: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", block],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env=os.environ
            | {"LENET_DATA": str(mnist_dir), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert ran.returncode == 0, ran.stderr


def test_tables_are_those_of_the_stored_results() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.tables", "--check"], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_table_stands_on_a_page() -> None:
    marks = {
        name
        for page in tables.pages()
        for name in re.findall(r"<!-- table:(\w+) -->", page.read_text(encoding="utf-8"))
    }
    assert marks == set(tables.TABLES)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "bench" / "results").glob("recipe_[!s]*.json")), ids=lambda file: file.stem
)
def test_a_recipe_was_measured_as_it_stands(file: Path) -> None:
    stored = json.loads(file.read_text(encoding="utf-8"))["recipe"]
    recipe = RECIPES[stored["name"]]
    measured = Recipe.of_json(stored)  # what didn't exist then is at its default
    assert measured._replace(about="") == recipe._replace(about="")  # its words may change, its numbers not
