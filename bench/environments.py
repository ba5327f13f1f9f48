"""A virtual environment for each peer, under build/bench: made once, from the package index pip is set up for.

A peer that can't be had here, because its wheel or a system program is missing, is absent with a reason. It stops nobody.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench"
REQUIREMENTS = {
    "lenet": [str(ROOT)],
    "torch": ["torch==2.13.0", "numpy"],  # its wheel here is for the CPU; other versions bring gigabytes for a GPU
    "paddle": ["paddlepaddle==3.3.1"],
    "keras": ["keras", "tensorflow-cpu"],
    "jax": ["jax"],
    "tinygrad": ["tinygrad", "numpy"],
    "onnxruntime": ["onnxruntime", "onnx"],
    "opencv": ["opencv-python-headless", "onnx"],
    "openvino": ["openvino", "onnx"],
}
PROGRAMS = {"tinygrad": {"clang": "apt install clang"}, "torch": {"c++": "apt install g++"}}
MODULES = {"opencv": "cv2"}  # what a peer is imported as, where that isn't its name


class Absent(Exception):
    """A peer that can't be measured here; the text says why."""


def environment(name: str) -> str:
    """The Python of a peer's environment, which is made if it isn't there yet; Absent if it can't be."""
    for program, command in PROGRAMS.get(name, {}).items():
        if shutil.which(program) is None:
            raise Absent(f"needs {program}: {command}")
    folder = FOLDER / name
    python, done = folder / "bin" / "python", folder / "done"
    wanted = "\n".join(REQUIREMENTS[name])
    if not done.exists() or done.read_text() != wanted:
        print(f"making an environment for {name} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        command = [str(python), "-m", "pip", "install", "-q", *REQUIREMENTS[name]]
        if subprocess.run(command, stdout=sys.stderr).returncode:
            raise Absent(f"pip install {' '.join(REQUIREMENTS[name])} failed")
        done.write_text(wanted)
    elif name == "lenet":  # the tree may have changed since
        command = [str(python), "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps", str(ROOT)]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return str(python)


def install_size(name: str) -> dict[str, float]:
    """MB on disk of a peer's whole environment without pip's own packages, and of the peer's own module alone."""
    packages = next((FOLDER / name).glob("lib/python*/site-packages"))
    tools = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack")
    whole = sum(megabytes(entry) for entry in packages.iterdir() if not entry.name.startswith(tools))
    return {"environment": whole, "module": megabytes(packages / MODULES.get(name, name))}


def megabytes(path: Path) -> float:
    """Compiled Python isn't counted: it comes with the first import."""
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file() and not f.is_symlink()]
    return sum(f.stat().st_size for f in files if f.suffix != ".pyc") / 1e6
