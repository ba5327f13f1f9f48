"""The source archive has the same bytes whenever and wherever it is made, and holds what a build needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = "import sys; from scikit_build_core.build import build_sdist; print(build_sdist(sys.argv[1]))"


def archive(folder: Path, changed: int) -> bytes:
    """The archive of a copy of the tracked files, all of them last changed at that second."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git checkout")
    tree = folder / "tree"
    for name in listed.stdout.split("\0")[:-1]:
        copy = tree / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)
        os.utime(copy, (changed, changed))
    made = subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=tree, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return next(folder.glob("lenet-*.tar.gz")).read_bytes()


def test_the_same_bytes_twice_and_all_that_a_build_needs(tmp_path: Path) -> None:
    one, two = (tmp_path / name for name in ("one", "two"))
    assert archive(one, 1_500_000_000) == archive(two, 1_700_000_000)
    with tarfile.open(next(one.glob("*.tar.gz"))) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"pyproject.toml", "CMakeLists.txt", "LICENSE", "core/kernels.cpp", "src/lenet/_core.pyi"} <= names
    assert "src/lenet/reading/weights/reader.safetensors" in names
    assert not [name for name in names if name.endswith((".so", ".pyc")) or name.startswith((".ci", "bench/results"))]
