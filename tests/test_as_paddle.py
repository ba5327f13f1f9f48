"""``lenet.as_paddle()`` and ``python -m lenet.as_paddle``: each case in a process of its own, since it changes imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lenet


def python(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    root = str(Path(lenet.__file__).parents[1])
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | {"PYTHONPATH": path})


IMPORTS = """
import paddle
import paddle.nn.functional as F
import paddle.vision.transforms as T
from paddle import Model
from paddle.io import DataLoader, Dataset
from paddle.metric import Accuracy
from paddle.nn import Conv2D, Linear
from paddle.nn.initializer import KaimingNormal
from paddle.optimizer.lr import StepDecay
from paddle.regularizer import L2Decay
from paddle.vision.datasets import MNIST
from paddle.vision.models import LeNet
from paddle.callbacks import EarlyStopping
import paddle.nn as nn
import lenet
assert paddle is lenet
assert nn is lenet.nn and F is lenet.nn.functional and Linear is lenet.nn.Linear
assert T is lenet.vision.transforms and KaimingNormal is lenet.nn.initializer.KaimingNormal
assert MNIST is lenet.vision.datasets.MNIST and StepDecay is lenet.optimizer.lr.StepDecay
print("paddle is", paddle.__name__)
"""


def test_every_form_of_import_means_lenet():
    done = python("-W", "error", "-c", "import lenet; lenet.as_paddle(); lenet.as_paddle()" + IMPORTS)
    assert (done.returncode, done.stdout) == (0, "paddle is lenet\n"), done.stderr


def test_a_script_runs_unchanged_with_its_arguments_and_neighbours(tmp_path):
    (tmp_path / "neighbour.py").write_text("word = 'hello'\n")
    text = IMPORTS + "import sys, neighbour\nprint(__name__, sys.argv[1:], neighbour.word)\nsys.exit(5)\n"
    (tmp_path / "script.py").write_text(text)
    done = python("-W", "error", "-m", "lenet.as_paddle", str(tmp_path / "script.py"), "a", "-b")
    assert (done.returncode, done.stdout) == (5, "paddle is lenet\n__main__ ['a', '-b'] hello\n"), done.stderr


def test_refuses_where_real_paddle_is_loaded():
    code = "import sys, types; sys.modules['paddle'] = types.ModuleType('paddle')\nimport lenet; lenet.as_paddle()"
    done = python("-c", code)
    assert done.returncode == 1
    assert "RuntimeError: as_paddle(): got real Paddle" in done.stderr
    assert "before anything imports paddle" in done.stderr


def test_what_lenet_lacks_is_an_import_error():
    done = python("-c", "import lenet; lenet.as_paddle()\nimport paddle.distributed")
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'paddle.distributed'" in done.stderr


def test_importing_the_module_leaves_the_function_in_place():
    done = python(
        "-W", "error", "-c", "import lenet.as_paddle as it, lenet; assert it is lenet.as_paddle; it(); import paddle"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("arguments", "code", "text"), [([], 2, "usage:"), (["nowhere.py"], 2, "does not exist")])
def test_wrong_use(arguments, code, text, tmp_path):
    done = python("-m", "lenet.as_paddle", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
