"""Augment: the same moved images in the plan, sample by sample and in batches, and what moves them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.data.augment import Augmentation, matrices, warped
from lenet.io import ConcatDataset, DataLoader, Subset
from lenet.jit import plan
from lenet.metric import Metric
from lenet.modelfile import serialization
from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.transforms import Augment, Compose, Normalize, Pad, ToTensor

draw = np.random.default_rng(0)
H, W, N = 12, 10, 40
PIXELS = draw.integers(0, 256, (N, H, W), dtype=np.uint8)
LABELS = draw.integers(0, 5, N)
NORMALISE = Normalize([127.5], [127.5])
# Bilinear values of 0 to 255 brought to -1 to 1: a few float32 roundings of numbers below 256.
NEAR = 1e-5

WAYS = {
    "whole": {"shift": 2},
    "all": {"shift": 1.5, "rotate": 20, "scale": 0.2, "shear": 0.2},
    "far": {"shift": 40, "rotate": 180},
}


def images(augment: Augment | None, then: Any = NORMALISE, **more: Any) -> ArrayDataset:
    return ArrayDataset(PIXELS, LABELS, then if augment is None else Compose([augment, then]), **more)


def one_by_one(ds: Any) -> np.ndarray:
    return np.stack([np.asarray(ds[i][0]) for i in range(len(ds))])


class Seen(Metric):
    """Keeps the network's outputs of every pass."""

    def __init__(self) -> None:
        self.passes: list[np.ndarray] = []
        self._open: list[np.ndarray] = []

    def reset(self) -> None:
        if self._open:
            self.passes.append(np.concatenate(self._open).reshape(-1, 1, H, W))
        self._open = []

    def compute(self, outputs: Any, labels: Any) -> Any:
        self._open.append(outputs.numpy())
        return outputs

    def update(self, outputs: Any) -> float:
        return 0.0

    def accumulate(self) -> float:
        return 0.0

    def name(self) -> str:
        return "seen"


def mirror(first: str) -> tuple[lenet.Model, Seen]:
    """A model whose outputs are the pixels it was given, and which learns nothing."""
    nn = lenet.nn
    if first == "convolution":
        layers = [nn.Conv2D(1, 1, 1), nn.Flatten()]
        weight = np.ones((1, 1, 1, 1), np.float32)
    else:
        layers = [nn.Flatten(), nn.Linear(H * W, H * W)]
        weight = np.eye(H * W, dtype=np.float32)
    net = nn.Sequential(*layers)
    for p in net.parameters():
        p.set_value(weight if p.ndim > 1 else np.zeros(p.shape, np.float32))
    model, seen = lenet.Model(net), Seen()
    model.prepare(lenet.optimizer.SGD(0.0, net.parameters()), nn.CrossEntropyLoss(), seen)
    return model, seen


# ---- geometry ----------------------------------------------------------------------------------------------------------


def test_the_matrices_turn_size_slant_and_move() -> None:
    every = np.arange(4000)
    assert matrices(Augmentation(), (28, 28), 0, 0, every) is None
    m = matrices(Augmentation(shift=2, rotate=10, scale=0.1, shear=0.1), (28, 28), 7, 3, every).astype(np.float64)
    assert m.shape == (4000, 2, 3)
    forward = np.linalg.inv(m[:, :, :2])  # from input to output about the middle
    wide = np.hypot(forward[:, 0, 0], forward[:, 1, 0])
    assert 0.9 - 1e-6 <= wide.min() < 0.905
    assert 1.095 < wide.max() <= 1.1 + 1e-6
    angle = np.degrees(np.arctan2(forward[:, 1, 0], forward[:, 0, 0]))
    assert -10 <= angle.min() < -9.9
    assert 9.9 < angle.max() <= 10
    high = np.linalg.det(forward) / wide
    assert 0.9 - 1e-6 <= high.min() < 0.905
    assert 1.095 < high.max() <= 1.1 + 1e-6
    middle = 13.5 - np.einsum("nij,nj->ni", m[:, :, :2], np.full((4000, 2), 13.5)) - m[:, :, 2]
    moved = np.einsum("nij,nj->ni", forward, middle)  # where the input's middle went, less the middle
    assert 1.98 < np.abs(moved).max() <= 2 + 1e-4
    np.testing.assert_array_equal(m[5:9], matrices(Augmentation(2, 10, 0.1, 0.1), (28, 28), 7, 3, every[5:9]))


def plainly(image: np.ndarray, m: np.ndarray, outside: float) -> np.ndarray:
    """The bilinear rule pixel by pixel, in float64."""

    def at(y: int, x: int) -> float:
        return float(image[y, x]) if 0 <= y < H and 0 <= x < W else outside

    out = np.empty((H, W))
    for y in range(H):
        for x in range(W):
            sx, sy = m.astype(np.float64) @ (x, y, 1)
            ix, iy = math.floor(sx), math.floor(sy)
            fx, fy = sx - ix, sy - iy
            above = (1 - fx) * at(iy, ix) + fx * at(iy, ix + 1)
            below = (1 - fx) * at(iy + 1, ix) + fx * at(iy + 1, ix + 1)
            out[y, x] = (1 - fy) * above + fy * below
    return out


@pytest.mark.parametrize("way", WAYS)
def test_warped_is_the_plain_rule(way: str) -> None:
    m = matrices(Augmentation(**WAYS[way]), (H, W), 3, 1, np.arange(6))
    assert m is not None
    values = PIXELS[:6].astype(np.float32) / np.float32(127.5) - np.float32(1)
    got = warped(values, m, -1.0)
    assert got.dtype == np.float32
    assert not np.array_equal(got, values)
    # Positions of up to 60 pixels are rounded to 4e-6, and a step between neighbours is up to 2.
    np.testing.assert_allclose(got, [plainly(v, k, -1.0) for v, k in zip(values, m, strict=True)], atol=5e-5)


# ---- one image, many ways to read it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["convolution", "linear"])
@pytest.mark.parametrize("way", WAYS)
def test_the_plan_sees_what_is_read_sample_by_sample(way: str, first: str) -> None:
    ds = images(Augment(**WAYS[way], seed=5))
    expected = []
    for epoch in range(2):
        ds.transform.transforms[0].set_epoch(epoch)
        expected.append(one_by_one(ds))
    assert np.abs(expected[0] - expected[1]).mean() > 0.01
    model, seen = mirror(first)
    model.fit(ds, epochs=2, batch_size=16, shuffle=False, verbose=0)
    assert model.plan_reason is None
    np.testing.assert_allclose(seen.passes, expected, rtol=0, atol=NEAR)


def test_the_engine_goes_as_far_as_the_transform() -> None:
    ds = images(Augment(shift=1000, rotate=180, scale=0.9, shear=10))
    model, seen = mirror("convolution")
    model.fit(ds, batch_size=16, shuffle=False, verbose=0)
    assert model.plan_reason is None
    np.testing.assert_array_equal(seen.passes[0], np.full((N, 1, H, W), -1.0))


@pytest.mark.parametrize("first", ["convolution", "linear"])
def test_the_engine_moves_the_images_of_a_network_that_begins_with_a_convolution(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    train = plan.Compiled.train

    def spy(self: Any, *args: Any) -> Any:
        given.append((args[0].dtype, len(args[3]), args[6] is not None))
        return train(self, *args)

    monkeypatch.setattr(plan.Compiled, "train", spy)
    mirror(first)[0].fit(images(Augment(shift=1)), batch_size=N, verbose=0)
    moved = (np.dtype(np.uint8), N, True) if first == "convolution" else (np.dtype(np.float32), N, False)
    assert given == [moved]


def test_fit_step_by_step_sees_the_same() -> None:
    ds = images(Augment(**WAYS["all"]))
    runs = []
    for options in ({}, {"accumulate_grad_batches": 2}):
        model, seen = mirror("convolution")
        model.fit(ds, epochs=2, batch_size=16, shuffle=True, verbose=0, **options)
        assert (model.plan_reason is None) == (not options)
        runs.append(seen.passes)
    np.testing.assert_allclose(runs[0], runs[1], rtol=0, atol=NEAR)


def test_batches_of_a_loader_are_the_samples_and_each_pass_is_another() -> None:
    augment = Augment(**WAYS["all"])
    ds = images(augment)
    loader = DataLoader(ds, batch_size=16)
    passes = [np.concatenate([x.numpy() for x, _ in loader]) for _ in range(3)]
    assert augment.epoch == 2
    for epoch, got in enumerate(passes):
        augment.set_epoch(epoch)
        np.testing.assert_array_equal(got, one_by_one(ds))
    assert not np.array_equal(passes[0], passes[1])
    augment.set_epoch(1)
    np.testing.assert_array_equal(np.concatenate([x.numpy() for x, _ in loader]), passes[1])
    np.testing.assert_array_equal(np.concatenate([x.numpy() for x, _ in loader]), passes[2])


def test_evaluate_and_predict_augment_too() -> None:
    augment = Augment(**WAYS["all"])
    ds = images(augment)
    for first in ("convolution", "linear"):
        model, seen = mirror(first)
        augment.set_epoch(4)
        model.evaluate(ds, batch_size=16, verbose=0)
        predicted = model.predict(ds, batch_size=16, verbose=0, stack_outputs=True)[0]
        augment.set_epoch(4)
        np.testing.assert_allclose(seen.passes[0], one_by_one(ds), rtol=0, atol=NEAR)
        augment.set_epoch(5)
        np.testing.assert_allclose(predicted.reshape(-1, 1, H, W), one_by_one(ds), rtol=0, atol=NEAR)


def test_a_subset_s_samples_keep_their_numbers() -> None:
    ds, chosen = images(Augment(**WAYS["all"])), [7, 3, -1, 11]
    whole = one_by_one(ds)
    subset = Subset(ds, chosen)
    np.testing.assert_array_equal(one_by_one(subset), whole[chosen])
    model, seen = mirror("convolution")
    model.fit(subset, batch_size=3, shuffle=False, verbose=0)
    assert model.plan_reason is None
    np.testing.assert_allclose(seen.passes[0], whole[chosen], rtol=0, atol=NEAR)


def test_a_transform_in_two_data_sets_goes_on_once_a_pass() -> None:
    augment = Augment(shift=2)
    both = ConcatDataset([images(augment), images(augment)])
    loader = DataLoader(both, batch_size=80)
    for epoch in range(3):
        next(iter(loader))
        assert augment.epoch == epoch


def test_the_other_transforms_and_backends_agree() -> None:
    """A step that is no table is given the moved image, in whole numbers where the backend has them."""
    for then, backend in ((ToTensor(), "pil"), (NORMALISE, "cv2"), (ToTensor(), "cv2")):
        ds = images(Augment(**WAYS["all"]), then, backend=backend)
        table, pixels = ds._table(), PIXELS.astype(np.float32)
        assert table is not None
        assert type(ds[0][0]) is type(images(None, then, backend=backend)[0][0])
        m = matrices(ds.transform.transforms[0].how, (H, W), 0, 0, np.arange(N))
        assert m is not None
        expected = warped(table.lut[PIXELS], m, float(table.lut[0]))[:, None]
        np.testing.assert_array_equal(one_by_one(ds), expected)
        # Between 0 and 255 the steps are linear: moving before them is moving after them.
        before = warped(pixels, m, 0.0)[:, None] / 255 * (table.lut[255] - table.lut[0]) + table.lut[0]
        np.testing.assert_allclose(expected, before, rtol=1e-5, atol=NEAR)
    framed = images(Augment(**WAYS["all"]), Compose([Pad(1), NORMALISE]))
    assert framed._table() is None
    # Rounded to whole numbers: half a pixel value of 127.5.
    inner = one_by_one(framed)[:, :, 1:-1, 1:-1]
    np.testing.assert_allclose(inner, one_by_one(images(Augment(**WAYS["all"]))), atol=0.51 / 127.5)


def test_one_transform_alone_and_nothing_to_do() -> None:
    still = images(Augment(seed=9))
    np.testing.assert_array_equal(one_by_one(still), one_by_one(images(None)))
    np.testing.assert_array_equal(still._batch([3, 4])[0].numpy(), images(None)._batch([3, 4])[0].numpy())  # type: ignore[index]
    alone = ArrayDataset(PIXELS, LABELS, Augment(shift=2))
    got = np.stack([np.asarray(alone[i][0]) for i in range(N)])
    assert got.dtype == np.uint8
    np.testing.assert_allclose(got / 127.5 - 1, one_by_one(images(Augment(shift=2)))[:, 0], atol=1e-6)
    assert repr(Augment(shift=1, shear=0.1, seed=3)) == "Augment(shift=1, shear=0.1, seed=3)"


def kinds() -> Iterator[tuple[str, Any, Any]]:
    grey, colour = PIXELS[0], draw.integers(0, 256, (H, W, 3), dtype=np.uint8)
    yield "L", Image.fromarray(grey), grey
    yield "RGB", Image.fromarray(colour), colour
    yield "array", grey, grey
    yield "colour", colour, colour
    yield "floats", grey.astype(np.float64), grey
    yield "tensor", lenet.to_tensor(colour.transpose(2, 0, 1).astype(np.float32)), colour.transpose(2, 0, 1)


@pytest.mark.parametrize("kind", [name for name, _, _ in kinds()])
def test_called_by_itself_it_keeps_the_kind_and_counts_its_calls(kind: str) -> None:
    image, plain = next((i, p) for name, i, p in kinds() if name == kind)
    augment = Augment(shift=3, seed=2)
    for call in range(4):
        got = augment(image)
        assert type(got) is type(image)
        assert np.asarray(got).dtype == np.asarray(image).dtype
        m = matrices(augment.how, (H, W), 2, 0, np.array([call]))
        assert m is not None
        dx, dy = -m[0, :, 2].astype(int)
        axes = (1, 2) if kind == "tensor" else (0, 1)
        padded = np.pad(plain, [(3, 3) if axis in axes else (0, 0) for axis in range(plain.ndim)])
        window = tuple(
            slice(None) if axis not in axes else slice(3 - d, 3 - d + plain.shape[axis])
            for axis, d in ((a, (dy, dx)[axes.index(a)] if a in axes else 0) for a in range(plain.ndim))
        )
        np.testing.assert_array_equal(np.asarray(got), padded[window])


def test_the_same_bits_at_any_number_of_threads_and_steps_at_once() -> None:
    digests = set()
    before = lenet.get_num_threads()
    try:
        for threads, log_freq in ((1, 10), (2, 10), (2, 1)):
            lenet.set_num_threads(threads)
            lenet.seed(1)
            model = lenet.Model(
                lenet.nn.Sequential(lenet.nn.Conv2D(1, 4, 3), lenet.nn.Flatten(), lenet.nn.Linear(320, 5))
            )
            model.prepare(lenet.optimizer.Adam(0.01, parameters=model.parameters()), lenet.nn.CrossEntropyLoss())
            callbacks = [lenet.callbacks.ProgBarLogger(log_freq), lenet.callbacks.EMA()]
            model.fit(images(Augment(**WAYS["all"])), batch_size=7, epochs=2, verbose=0, callbacks=callbacks)
            assert model.plan_reason is None
            digests.add(serialization.digest({k: v.data_array() for k, v in model.network.state_dict().items()}))
    finally:
        lenet.set_num_threads(before)
    assert len(digests) == 1


# ---- mistakes ----------------------------------------------------------------------------------------------------------

BAD = [
    ({"shift": "1"}, TypeError, r"Augment\(shift\): got str '1', expected a number from 0 to 1000"),
    ({"shift": True}, TypeError, "got bool True"),
    ({"shift": -1}, ValueError, r"Augment\(shift\): got -1"),
    ({"shift": float("nan")}, ValueError, "got nan"),
    ({"rotate": 181}, ValueError, r"Augment\(rotate\): got 181, expected a number from 0 to 180"),
    ({"scale": 1}, ValueError, r"Augment\(scale\): got 1, expected a number from 0 to 0\.9"),
    ({"shear": 11}, ValueError, r"Augment\(shear\): got 11"),
    ({"seed": -1}, ValueError, r"Augment\(seed\): got -1"),
    ({"seed": 0.5}, TypeError, r"Augment\(seed\)"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input(case: int) -> None:
    options, kind, text = BAD[case]
    with pytest.raises(kind, match=text):
        Augment(**options)


def test_bad_epochs_and_images() -> None:
    with pytest.raises(ValueError, match=r"set_epoch\(epoch\): got -1"):
        Augment().set_epoch(-1)
    with pytest.raises(TypeError, match=r"mode 1, .*convert\('L'\)"):
        Augment()(Image.new("1", (8, 8)))
    with pytest.raises(TypeError, match="image: got str"):
        Augment()("image")
