"""``lenet.train(x, y)``: arrays of every usual kind in, a calibrated model out, which takes later arrays the same way."""

from __future__ import annotations

import re

import numpy as np
import pytest

import lenet
from lenet.train import Trained
from lenet.vision.datasets.as_bytes import Form

WORDS = np.array(["cat", "dog", "emu"])


def bars(count=120, side=12, channels=0):
    """Three easily told kinds: uint8 [count, side, side], or with channels; number i is of kind i % 3."""
    rng = np.random.default_rng(0)
    shape = (count, side, side, channels) if channels else (count, side, side)
    found = rng.integers(0, 60, shape).astype(np.uint8)
    for i in range(count):
        at = (i % 3) * side // 3
        found[i, :, at : at + 3] += 150
    return found


KINDS = np.arange(120) % 3


def quick(x, y, **more):
    lines = []
    model = lenet.train(x, y, epochs=4, batch_size=16, held_out=0.25, say=lines.append, **more)
    return model, lines


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x, ""),
        (lambda x: x[:, None], ""),
        (
            lambda x: (x / np.float32(255)).reshape(len(x), -1),
            "each row is taken for an image of 12 x 12; floats from 0 to 1",
        ),
        (lambda x: x.astype(np.float64) / 127.5 - 1, "floats from -1 to 1 become bytes 0 to 255"),
        (lambda x: x.tolist(), ""),
        (lambda x: lenet.to_tensor(x.astype(np.float32)), "floats from 0 to 255 become bytes"),
        (lambda x: x.astype(np.float32) * 3 - 7, "floats from -7 to"),
    ],
)
def test_images_of_every_kind(change, said):
    x = change(bars())
    model, lines = quick(x, WORDS[KINDS])
    assert said in lines[0]
    assert (said == "") == (lines[0] == "arrays in memory")
    assert model.labels == ["cat", "dog", "emu"]
    assert (model.predict(x) == WORDS[KINDS]).all()
    assert "calibrated on 30 held-out images" not in " ".join(lines)
    assert "held-out accuracy 100.00 % of 30 images" in lines


@pytest.mark.parametrize("last", [True, False])
def test_colour(last):
    x = bars(channels=3)
    x[..., 0] //= 2
    x = x if last else x.transpose(0, 3, 1, 2)
    model, lines = quick(x, KINDS)
    assert model.shape == (3, 12, 12)
    assert model.inverted is False
    assert (model.predict(x) == KINDS).all()
    assert ("(data_format='NHWC')" in lines[0]) is last


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    x = bars()
    frame = pandas.DataFrame(x.reshape(len(x), -1))
    model, _ = quick(frame, pandas.Series(KINDS + 1))
    assert model.labels == ["1", "2", "3"]
    found = model.predict(frame)
    assert found.dtype == np.int64
    assert (found == KINDS + 1).all()


def test_dark_on_light_is_inverted_in_training_and_after(tmp_path):
    x = 255 - bars()
    model, _ = quick(x, KINDS)
    assert model.inverted is True
    assert (model.predict(x) == KINDS).all()
    model.save(tmp_path / "m.safetensors")
    again = Trained.load(tmp_path / "m.safetensors")
    assert again.inverted is True
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))


def test_test_images_are_measured_and_the_model_file_stays(tmp_path):
    x = bars()
    out = tmp_path / "m.safetensors"
    model, lines = quick(x[30:], KINDS[30:], test=(x[:30], KINDS[:30]), out=out)
    assert lines[-1] == "test accuracy 100.00 % of 30 images"
    assert model.path == str(out)
    assert Trained.load(out).arrays == Form.of("x", x)


def test_the_same_call_gives_the_same_weights():
    x = bars()
    assert quick(x, KINDS, seed=3)[0].digest == quick(x, KINDS, seed=3)[0].digest != quick(x, KINDS)[0].digest


def test_saved_and_reported(tmp_path):
    x = bars() / 255
    model, _ = quick(x, WORDS[KINDS])
    model.save(tmp_path / "m.safetensors")
    again = Trained.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))
    assert again.temperature == model.temperature
    lenet.report.from_arrays(tmp_path / "r.html", again, x, WORDS[KINDS])
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert re.search(r"<title>m\.safetensors: 100\.00\s%\sright", page)
    with pytest.raises(ValueError, match=r"save\(path\): got .*m\.h5', expected a name ending in \.safetensors"):
        model.save(tmp_path / "m.h5")


def test_a_calibrated_model():
    x, y = np.concatenate([bars()] * 5), np.concatenate([KINDS] * 5)
    model, lines = quick(x, y)
    assert model.calibration is not None
    assert any(line.startswith("calibrated on 150 held-out images") for line in lines)


@pytest.mark.parametrize(
    ("x", "y", "more", "kind", "text"),
    [
        (bars(), KINDS[:-1], {}, ValueError, "x and y: got 120 images and 119 labels"),
        (bars(), KINDS / 2.5, {}, ValueError, "y: got numbers that name no class"),
        (bars()[:, :, :5], KINDS, {"test": 3}, TypeError, "test: got int 3, expected a pair"),
        (bars().reshape(120, -1)[:, :-1], KINDS, {}, ValueError, "rows of 143 numbers"),
        (
            bars(channels=4),
            KINDS,
            {},
            ValueError,
            "images of 4 channels, expected grey images or such of three colours",
        ),
        (bars() * np.nan, KINDS, {}, ValueError, "a number that isn't finite"),
        (bars(), KINDS, {"test": (bars(side=9), KINDS)}, ValueError, "test: got images of [1, 9, 9]"),
        (bars(), WORDS[KINDS], {"classes": ["cat", "dog"]}, ValueError, "the label 'emu', expected one of"),
        (bars().astype(int) * 2, KINDS, {}, ValueError, "whole numbers from"),
        (bars(), np.zeros(120, int), {}, ValueError, "images of at least two classes"),
        ("pictures", KINDS, {}, TypeError, "x: got "),
    ],
)
def test_arrays_that_cant_be(x, y, more, kind, text):
    with pytest.raises(kind) as caught:
        quick(x, y, **more)
    assert text in str(caught.value)


def test_later_images_must_be_as_those_before():
    model, _ = quick(bars(), KINDS)
    with pytest.raises(TypeError, match="images: got floats, expected bytes 0 to 255, as before"):
        model.predict(bars() / 255)
    with pytest.raises(ValueError, match=r"images: got images of \[C, H, W\] = \[1, 9, 9\], expected \[1, 12, 12\]"):
        model.predict(bars(side=9))


def test_train_is_still_the_module():
    import lenet.train as module

    assert module is lenet.train
    assert module.Trained is Trained
    assert callable(module.train)


def test_damaged_accounts_of_arrays(tmp_path):
    for value in (3, {}, {"scaled": True, "last": False, "side": 0, "low": 1, "high": 0}, {"scaled": 1}):
        with pytest.raises(ValueError, match="arrays: got"):
            Form.of_json(value)
