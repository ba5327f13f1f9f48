"""Where Paddle's programs look for things: module paths, ``utils``, unique names, perspective, mistakes that only warn."""

from __future__ import annotations

import random
import subprocess
import sys
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lenet
from lenet.names.paddle import PATHS

T = lenet.vision.transforms


@pytest.mark.parametrize("path", PATHS)
def test_each_path_leads_somewhere(path: str) -> None:
    found: Any = lenet
    for part in path.split("."):
        found = getattr(found, part)
    assert isinstance(found, ModuleType)


PROGRAM = """
import lenet
lenet.as_paddle()
import paddle
from paddle.nn.layer.loss import MSELoss
from paddle.nn.layer.common import Linear
from paddle.vision.transforms.transforms import RandomCrop
from paddle.tensor.math import add
from paddle.hapi.model import Model
from paddle.hapi.callbacks import Callback
import paddle.dataset.mnist as reader
import paddle.nn.layer.layers as layers
from paddle.utils import unique_name
assert paddle.nn.layer.loss.MSELoss is MSELoss is lenet.nn.MSELoss
assert add is lenet.add and Model is lenet.Model and layers.Layer is lenet.nn.Layer
assert callable(reader.train()) and RandomCrop is lenet.vision.transforms.RandomCrop
paddle.utils.run_check()
"""


def test_a_program_imports_by_paddles_paths() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "lenet works" in done.stderr


def test_utils(paddle: ModuleType) -> None:
    for p in (lenet, paddle):
        names = p.utils.unique_name
        with names.guard():
            assert [names.generate("fc"), names.generate("fc"), names.generate("conv")] == ["fc_0", "fc_1", "conv_0"]
            assert p.nn.Linear(2, 2).full_name() == "linear_0"
        with names.guard("part_"):
            assert names.generate("fc") == "part_fc_0"
        assert p.utils.try_import("math").sqrt(4) == 2
        with pytest.raises(ImportError):
            p.utils.try_import("nowhere_to_be_found")
    lenet.utils.require_version("2.0.0")

    @lenet.utils.deprecated(update_to="lenet.add", since="0.1", level=1)
    def old() -> int:
        return 3

    with pytest.warns(DeprecationWarning, match=r"old is old since 0.1. Type lenet.add"):
        assert old() == 3
    with pytest.raises(RuntimeError, match="older is old"):
        lenet.utils.deprecated(level=2)(type("f", (), {"__name__": "older", "__call__": lambda self: 1})())()


# ---- perspective -----------------------------------------------------------------------------------------------------------

START, END = [[0, 0], [27, 0], [27, 27], [0, 27]], [[3, 2], [25, 4], [24, 26], [1, 22]]


def picture(mode: str) -> Any:
    from PIL import Image

    pixels = np.random.RandomState(0).randint(0, 256, (28, 28, 3)).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("how", ["nearest", "bilinear", "bicubic"])
def test_perspective_is_paddles(paddle: ModuleType, how: str) -> None:
    image = picture("RGB")  # outside it is black: Paddle leaves fill out
    ours, theirs = (p.vision.transforms.perspective(image, START, END, how) for p in (lenet, paddle))
    # Paddle solves for the map in single precision: a pixel on an edge may fall to the other side
    assert (np.abs(np.asarray(ours).astype(int) - np.asarray(theirs)).max(-1) > 3).mean() < 0.01


def test_random_perspective_draws_paddles_corners(paddle: ModuleType) -> None:
    drawn = []
    for p in (lenet, paddle):
        random.seed(3)
        drawn.append([p.vision.transforms.RandomPerspective(0.5, 0.4).get_params(28, 20, 0.4) for _ in range(5)])
    assert [list(map(list, pair)) for pair in drawn[0]] == [list(map(list, pair)) for pair in drawn[1]]
    grey = T.RandomPerspective(prob=1.0, fill=9)(picture("L"))
    assert (grey.mode, grey.size) == ("L", (28, 28))
    assert T.RandomPerspective(prob=0.0)(grey) is grey
    tensor = T.RandomPerspective(prob=1.0)(lenet.ones([3, 28, 28]))
    assert tensor.shape == [3, 28, 28]


MISTAKES = [
    (lambda: T.RandomPerspective(prob=2), r"RandomPerspective\(prob\): got 2, expected a number from 0 to 1"),
    (lambda: T.RandomPerspective(distortion_scale=-1), r"RandomPerspective\(distortion_scale\): got -1"),
    (lambda: T.RandomPerspective(interpolation="area"), r"RandomPerspective\(interpolation\): got 'area'"),
    (lambda: T.perspective(picture("L"), START[:3], END), "perspective: got 3 and 4 points, expected four and four"),
    (lambda: T.perspective(picture("L"), START, [[0, 0]] * 4), r"perspective\(endpoints\): got points .* no three"),
]


@pytest.mark.parametrize(("call", "text"), MISTAKES)
def test_a_mistake_is_named(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


# ---- what Paddle doesn't notice --------------------------------------------------------------------------------------------


def test_an_initialiser_made_of_a_weight_warns() -> None:
    layer = lenet.nn.Linear(2, 3)
    before = layer.weight.numpy()
    init = lenet.nn.initializer
    for make in (lambda: init.Normal(layer.weight, std=0.01), lambda: init.XavierUniform(layer.weight)):
        with pytest.warns(
            UserWarning, match=r"got Parameter of float32 \[2, 3\], expected a number. This fills nothing"
        ):
            make()
    assert np.array_equal(layer.weight.numpy(), before)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        init.Normal(lenet.to_tensor(0.5))(layer.weight)


def test_a_backend_for_tensors(paddle: ModuleType) -> None:
    for p in (lenet, paddle):
        p.vision.set_image_backend("tensor")
        try:
            assert p.vision.get_image_backend() == "tensor"
            with pytest.raises(ValueError):  # noqa: PT011 - two libraries' words
                p.vision.datasets.Cifar10()
        finally:
            p.vision.set_image_backend("pil")
