"""CIFAR and MNIST's kin, from archives that the tests make: read, proven, refused; and ``lenet data`` on the command line.

The published sums of the real files can't be met by made ones: where a file has to pass, the test publishes its sum.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from command import run

import lenet
from lenet.data import archives
from lenet.vision.datasets import EMNIST, KMNIST, QMNIST, Cifar10, Cifar100

R = np.random.RandomState(0)


def cifar(path: Path, folder: str, parts: dict[str, int], label: bytes, top: int) -> dict[str, Any]:
    """An archive in CIFAR's form: batches of so many images; and what is in it, by batch."""
    made = {}
    with tarfile.open(path, "w:gz") as archive:
        for name, count in parts.items():
            data = R.randint(0, 256, (count, 3072)).astype(np.uint8)
            labels = R.randint(0, top, count).tolist()
            made[name] = (data, labels)
            content = pickle.dumps({b"data": data, label: labels, b"batch_label": b"made"}, protocol=2)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    path = tmp_path_factory.mktemp("cifar") / "cifar-10-python.tar.gz"
    parts = {"data_batch_2": 5, "data_batch_1": 4, "test_batch": 3}
    return path, cifar(path, "cifar-10-batches-py", parts, b"labels", 10)


@pytest.mark.parametrize("backend", ["pil", "cv2"])
@pytest.mark.parametrize("mode", ["train", "test"])
def test_cifar_is_paddles(paddle: ModuleType, ten: Any, mode: str, backend: str) -> None:
    path, _ = ten
    ours, theirs = (p.vision.datasets.Cifar10(str(path), mode, backend=backend) for p in (lenet, paddle))
    assert len(ours) == len(theirs) == (9 if mode == "train" else 3)
    for (a, n), (b, m) in zip(ours, [theirs[i] for i in range(len(theirs))], strict=True):
        assert np.array_equal(np.asarray(a), np.asarray(b))
        assert type(a) is type(b)
        assert (n, n.shape, n.dtype) == (m, m.shape, m.dtype)
    assert np.array_equal(ours.data[0][0], theirs.data[0][0])
    assert len(ours.classes) == 10


def test_a_hundred_classes_and_transforms(paddle: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "cifar-100-python.tar.gz"
    made = cifar(path, "cifar-100-python", {"train": 6, "test": 2}, b"fine_labels", 100)
    images = []
    for p in (lenet, paddle):
        T = p.vision.transforms
        data = p.vision.datasets.Cifar100(
            str(path), transform=T.Compose([T.ToTensor(), T.Normalize([0.5] * 3, [0.5] * 3)])
        )
        assert [int(data[i][1]) for i in range(6)] == made["train"][1]
        images.append(data[3][0].numpy())
    np.testing.assert_allclose(*images, rtol=1e-6)
    batch, labels = next(
        iter(lenet.io.DataLoader(data if p is lenet else Cifar100(path, transform=lenet.vision.ToTensor())))
    )
    assert batch.shape == [1, 3, 32, 32]
    assert labels.dtype == "int64"


def test_a_pickle_that_wants_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.tar.gz"
    content = pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": [print]}, protocol=2)
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    with pytest.raises(ValueError, match=r"a pickle that asks for __builtin__.print, expected arrays and numbers"):
        Cifar10(path)


MISTAKES = [
    (lambda f: Cifar10(f / "nowhere.tar.gz"), FileNotFoundError, "nowhere.tar.gz, which does not exist"),
    (lambda f: Cifar10(f / "text"), ValueError, "text .* expected an archive like cifar10's"),
    (lambda f: Cifar10(f / "empty.tar"), ValueError, "empty.tar without data_batch, expected cifar10's archive"),
    (lambda f: Cifar10(mode="valid"), ValueError, "mode: got 'valid', expected"),
    (lambda f: Cifar10(mode=1), TypeError, "mode: got int 1"),
    (lambda f: EMNIST(data_file=f / "text"), ValueError, "text .* expected EMNIST's gzip.zip"),
    (lambda f: EMNIST("all"), ValueError, "split: got 'all', expected one of 'balanced'"),
    (lambda f: Cifar10(download=False), RuntimeError, r"CIFAR-10 is not on this machine.*data_file=... in Python"),
    (lambda f: KMNIST(download=False), RuntimeError, r"Kuzushiji-MNIST is not on this machine"),
]


@pytest.mark.parametrize(("call", "kind", "text"), MISTAKES)
def test_a_mistake_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Any, kind: type[Exception], text: str
) -> None:
    monkeypatch.setenv("LENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "text").write_text("hello")
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    with pytest.raises(kind, match=f"(?s){text}"):
        call(tmp_path)


# ---- MNIST's kin -----------------------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    code = {"uint8": 8, ">i4": 12}[array.dtype.str if array.dtype.str == ">i4" else array.dtype.name]
    head = bytes([0, 0, code, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return gzip.compress(head + array.tobytes())


def publish(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, files: dict[str, bytes]) -> None:
    """Put files into a cache and their sums into the table."""
    monkeypatch.setenv("LENET_CACHE", str(folder))
    monkeypatch.delenv("LENET_DATA", raising=False)
    (folder / name).mkdir(parents=True, exist_ok=True)
    sums = {}
    for file, content in files.items():
        (folder / name / file).write_bytes(content)
        sums[file] = hashlib.md5(content).hexdigest()
    monkeypatch.setitem(archives.ARCHIVES, name, archives.ARCHIVES[name]._replace(md5=sums))


IMAGES = R.randint(0, 256, (6, 28, 28)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 3, 4, 9], np.uint8)


def test_kmnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"train-images-idx3-ubyte.gz": idx(IMAGES), "train-labels-idx1-ubyte.gz": idx(LABELS)}
    publish(monkeypatch, tmp_path, "kmnist", files)
    data = KMNIST(backend="cv2")
    assert np.array_equal(data[2][0], IMAGES[2])
    assert data[5][1].tolist() == [9]
    assert data.classes[0] == "o"
    assert data.source.line.startswith("Kuzushiji-MNIST from the cache (")
    (tmp_path / "kmnist" / "train-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    monkeypatch.setattr(archives, "_say", lambda text: None)
    with pytest.raises(RuntimeError, match="put train-labels-idx1-ubyte"):
        KMNIST(download=False)


def test_qmnist_takes_the_first_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.arange(48, dtype=">i4").reshape(6, 8)
    table[:, 0] = LABELS
    files = {"qmnist-test-images-idx3-ubyte.gz": idx(IMAGES), "qmnist-test-labels-idx2-int.gz": idx(table)}
    publish(monkeypatch, tmp_path, "qmnist", files)
    data = QMNIST("test", backend="cv2")
    assert [int(label[0]) for _, label in data] == LABELS.tolist()


@pytest.mark.parametrize(("split", "first", "classes"), [("balanced", 0, 47), ("letters", 1, 26), ("digits", 0, 10)])
def test_emnist_stands_upright(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str, first: int, classes: int
) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(f"gzip/emnist-{split}-train-images-idx3-ubyte.gz", idx(IMAGES))
        archive.writestr(f"gzip/emnist-{split}-train-labels-idx1-ubyte.gz", idx(LABELS + np.uint8(first)))
    publish(monkeypatch, tmp_path, "emnist", {"gzip.zip": made.getvalue()})
    data = EMNIST(split, backend="cv2")
    assert np.array_equal(data[1][0], IMAGES[1].T)
    assert [int(label[0]) for _, label in data] == LABELS.tolist()
    assert len(data.classes) == classes


def test_old_readers(ten: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist_dir: Path) -> None:
    path, made = ten
    publish(monkeypatch, tmp_path, "cifar10", {"cifar-10-python.tar.gz": path.read_bytes()})
    samples = list(lenet.dataset.cifar.test10()())
    assert [label for _, label in samples] == made["test_batch"][1]
    np.testing.assert_allclose(samples[0][0], made["test_batch"][0][0] / np.float32(255), rtol=1e-6)
    again = lenet.dataset.cifar.test10(cycle=True)()
    assert len([next(again) for _ in range(7)]) == 7
    monkeypatch.setenv("LENET_DATA", str(mnist_dir))
    image, label = next(lenet.dataset.mnist.test()())
    assert (image.shape, image.dtype, label) == ((784,), np.float32, 7)
    assert -1 <= image.min() <= image.max() <= 1


# ---- the command -----------------------------------------------------------------------------------------------------------


def test_the_command(ten: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist_dir: Path) -> None:
    monkeypatch.setenv("LENET_DATA", str(mnist_dir))
    monkeypatch.setenv("LENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    listed = run("data", "list")
    assert listed.exit_code == 0
    lines = {line.split()[0]: line for line in listed.stdout.splitlines()}
    assert set(lines) == {"mnist", "fashion-mnist", *archives.ARCHIVES}
    assert lines["mnist"].endswith(" here")
    assert lines["cifar10"].endswith(" not here")
    assert json.loads(run("data", "list", "--json").stdout)["mnist"] == {"title": "MNIST", "files": 4, "here": 4}
    assert str(mnist_dir) in run("data", "where", "mnist").stdout
    assert "train-images-idx3-ubyte.gz: not on this machine" in run("data", "where", "kmnist").stdout
    assert run("data", "verify", "mnist").stdout.count("as published") == 4
    missing = run("data", "verify", "cifar10")
    assert (missing.exit_code, missing.stdout.split()) == (1, ["missing", "cifar-10-python.tar.gz"])
    assert "MNIST from LENET_DATA" in run("data", "get", "mnist").stdout
    wrong = run("data", "get", "svhn")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "data set: got 'svhn', expected one of 'mnist'" in wrong.stderr
    publish(monkeypatch, tmp_path / "cache", "cifar10", {"cifar-10-python.tar.gz": ten[0].read_bytes()})
    assert run("data", "get", "cifar10").stdout.startswith("cifar-10-python.tar.gz in ")
    for words in (["data", "--help"], ["data", "get", "--help"]):
        assert "lenet data get mnist" in run(*words).stdout
