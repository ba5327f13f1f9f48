"""Data sets beside real Paddle, their fast road beside their slow one, and folders of one's own images."""

from __future__ import annotations

import gzip
import os
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

import lenet
from lenet.data import fetch, idx
from lenet.io import Dataset
from lenet.vision import get_image_backend, image_load, set_image_backend
from lenet.vision import transforms as T
from lenet.vision.datasets import MNIST, ArrayDataset, DatasetFolder, FashionMNIST, ImageFolder, load_folder

NORMALIZE = T.Normalize(mean=[127.5], std=[127.5], data_format="CHW")
SAME = {"train": "train", "test": "t10k"}


def files(folder: Path, mode: str = "test", suffix: str = "") -> dict[str, str]:
    stem = str(folder / SAME[mode])
    return {"image_path": f"{stem}-images-idx3-ubyte{suffix}", "label_path": f"{stem}-labels-idx1-ubyte{suffix}"}


@pytest.fixture(scope="module")
def test_files(mnist_dir: Path) -> dict[str, str]:
    return files(mnist_dir)


@pytest.fixture(scope="module")
def their_paths(mnist_gz_dir: Path) -> dict[str, str]:
    return files(mnist_gz_dir, suffix=".gz")


@pytest.fixture
def tiny(tmp_path: Path) -> dict[str, str]:
    """A set of twelve images of 6 x 5 pixels."""
    paths = files(tmp_path)
    idx.write(paths["image_path"], np.arange(360, dtype=np.uint16).astype(np.uint8).reshape(12, 6, 5))
    idx.write(paths["label_path"], np.arange(12, dtype=np.uint8) % 10)
    return paths


def arrays(n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return rng.integers(0, 256, (n, 6, 5), dtype=np.uint8), rng.integers(0, 10, n)


# ---- MNIST beside Paddle ---------------------------------------------------------------------------------------------


def numbers(x: Any) -> np.ndarray:
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)


TRANSFORMS = {
    "none": lambda t: None,
    "tutorial": lambda t: t.Compose([t.Normalize(mean=[127.5], std=[127.5], data_format="CHW")]),
    "to_tensor": lambda t: t.ToTensor(),
    "both": lambda t: t.Compose([t.ToTensor(), t.Normalize([0.1307], [0.3081])]),
    "transpose": lambda t: t.Transpose(),
    "function": lambda t: lambda image: np.asarray(image) + 1,
}


@pytest.mark.parametrize("backend", ["pil", "cv2"])
def test_samples_are_paddles(paddle, test_files, their_paths, backend):
    theirs = paddle.vision.datasets.MNIST(**their_paths, mode="test", backend=backend)
    ours = MNIST(**test_files, mode="test", backend=backend)
    assert len(ours) == len(theirs) == 10000
    for name, make in TRANSFORMS.items():
        ours.transform, theirs.transform = make(T), make(paddle.vision.transforms)
        for i in (0, 1, 5000, 9999, -1, -10000, np.int64(7)):
            (a, a_label), (b, b_label) = ours[i], theirs[i]
            assert isinstance(a, Image.Image) == isinstance(b, Image.Image), name
            assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray), name
            np.testing.assert_array_equal(numbers(a), numbers(b), strict=True)
            np.testing.assert_array_equal(a_label, b_label, strict=True)
            assert str(a_label) == str(b_label)


def test_images_and_labels_are_paddles_lists(paddle, test_files, their_paths):
    theirs = paddle.vision.datasets.MNIST(**their_paths, mode="test")
    ours = MNIST(**test_files, mode="test")
    for mine, other in ((ours.images, theirs.images), (ours.labels, theirs.labels)):
        assert len(mine) == len(other) == 10000
        for i in (0, 77, -1):
            np.testing.assert_array_equal(mine[i], other[i], strict=True)
        np.testing.assert_array_equal(np.array(mine), np.array(other), strict=True)
        for a, b in zip(mine[5:8], other[5:8], strict=True):
            np.testing.assert_array_equal(a, b, strict=True)
    assert (ours.mode, ours.backend, ours.dtype, ours.transform) == (theirs.mode, theirs.backend, theirs.dtype, None)
    assert (ours.NAME, FashionMNIST.NAME) == (theirs.NAME, paddle.vision.datasets.FashionMNIST.NAME)


def test_the_training_set(mnist_dir):
    train = MNIST(**files(mnist_dir, "train"), transform=NORMALIZE)
    image, label = train[0]
    assert (len(train), image.shape, image.dtype, str(label)) == (60000, (1, 28, 28), np.float32, "[5]")
    assert isinstance(train, Dataset)


def test_iteration_ends(tiny):
    assert len(list(MNIST(**tiny))) == 12


@pytest.mark.parametrize("mode", ["train", "TEST", "Train"])
def test_the_published_files_are_found(monkeypatch, mnist_dir, mode):
    monkeypatch.setenv("LENET_DATA", str(mnist_dir))
    found = MNIST(mode=mode)
    assert found.mode == mode.lower()
    assert len(found) == {"train": 60000, "test": 10000}[found.mode]
    assert found.source.published == "MNIST"
    assert found.image_path == files(mnist_dir, found.mode)["image_path"]
    assert found.source.line == f"MNIST from LENET_DATA ({mnist_dir})"


def test_one_path_may_be_given_and_the_other_found(monkeypatch, mnist_dir, test_files):
    monkeypatch.setenv("LENET_DATA", str(mnist_dir))
    found = MNIST(image_path=test_files["image_path"], mode="test")
    assert len(found) == 10000
    assert found.label_path == test_files["label_path"]


def test_given_paths_decide_and_mode_does_not(test_files):
    assert len(MNIST(**test_files, mode="train")) == 10000


def test_gzipped_files_and_path_objects(tiny):
    packed = {}
    for argument, path in tiny.items():
        packed[argument] = Path(path + ".gz")
        packed[argument].write_bytes(gzip.compress(Path(path).read_bytes()))
    a, b = MNIST(**tiny), MNIST(**packed)
    np.testing.assert_array_equal(np.array(a.images), np.array(b.images))
    b.images[0] = np.zeros(30)  # what was unpacked can be written too
    assert b.images[0].sum() == 0


@pytest.mark.skipif(not Path("/usr/share/datasets/fashion-mnist").is_dir(), reason="apt install dataset-fashion-mnist")
def test_fashion_mnist(paddle, monkeypatch):
    monkeypatch.delenv("LENET_DATA", raising=False)
    ours = FashionMNIST(mode="test", transform=NORMALIZE)
    stem = "/usr/share/datasets/fashion-mnist/t10k-"
    paths = {"image_path": f"{stem}images-idx3-ubyte.gz", "label_path": f"{stem}labels-idx1-ubyte.gz"}
    transform = paddle.vision.transforms.Normalize([127.5], [127.5])
    theirs = paddle.vision.datasets.FashionMNIST(**paths, mode="test", transform=transform)
    for i in (0, 9999):
        np.testing.assert_array_equal(ours[i][0], theirs[i][0], strict=True)
        np.testing.assert_array_equal(ours[i][1], theirs[i][1], strict=True)
    assert ours.source.published == "Fashion-MNIST"
    assert ours.classes[ours[0][1][0]] == "Ankle boot"


def test_the_default_backend(tiny):
    set_image_backend("cv2")
    try:
        assert get_image_backend() == "cv2"
        assert isinstance(MNIST(**tiny)[0][0], np.ndarray)
    finally:
        set_image_backend("pil")
    with pytest.raises(ValueError, match="backend: got 'foo', expected one of 'pil', 'cv2'"):
        set_image_backend("foo")


def test_the_lists_can_be_written(tiny):
    ds = MNIST(**tiny)
    ds.labels[3] = [8]
    ds.labels[-1] = 9
    ds.images[0] = np.full(30, 255.0)
    assert (ds[3][1], ds[11][1]) == ([8], [9])
    assert np.asarray(ds[0][0]).min() == 255
    with pytest.raises(ValueError, match="read-only"):
        ds.images[0][5] = 1
    with pytest.raises(ValueError, match="values that uint8 holds exactly"):
        ds.images[0] = np.full(30, 0.5)
    ds.images, ds.labels = ds.images[:4], ds.labels[:4]
    assert len(ds) == 4
    assert ds[3][1] == [8]
    ds.labels = [[1], [2]]
    assert ds[1][1] == [2]
    assert repr(ds.images) == "Rows(4 arrays of float32 [30])"


def test_a_data_set_can_be_pickled(tiny):
    ds = pickle.loads(pickle.dumps(MNIST(**tiny, transform=NORMALIZE)))
    np.testing.assert_array_equal(ds[5][0], MNIST(**tiny, transform=NORMALIZE)[5][0])


# ---- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"mode": "foo"}, ValueError, "mode: got 'foo', expected one of 'train', 'test'"),
        ({"mode": 3}, TypeError, "mode: got int 3, expected 'train' or 'test'"),
        ({"backend": "foo"}, ValueError, "backend: got 'foo', expected one of 'pil', 'cv2'"),
        ({"label_path": None, "download": False}, ValueError, "label_path: got None with download=False"),
        ({"image_path": None, "download": False}, ValueError, "image_path: got None with download=False"),
        ({"image_path": "/no/such/file"}, FileNotFoundError, "/no/such/file, which does not exist"),
    ],
)
def test_wrong_arguments(tiny, arguments, error, text):
    with pytest.raises(error, match=text):
        MNIST(**(tiny | arguments))


def test_swapped_files(tiny):
    with pytest.raises(ValueError, match="look swapped"):
        MNIST(tiny["label_path"], tiny["image_path"])


def test_a_truncated_file(tiny):
    path = Path(tiny["image_path"])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte: got 375 bytes, expected 376 bytes.*truncated"):
        MNIST(**tiny)


def test_training_images_with_test_labels(tiny, tmp_path):
    idx.write(tmp_path / "fewer", np.zeros(7, np.uint8))
    with pytest.raises(ValueError, match=r"12 images .* and 7 labels"):
        MNIST(tiny["image_path"], tmp_path / "fewer")


def test_labels_beyond_the_classes(tiny):
    idx.write(tiny["label_path"], np.arange(12, dtype=np.uint8))
    with pytest.raises(ValueError, match="label 10 at position 10, expected labels from 0 to 9"):
        MNIST(**tiny)

    class Letters(MNIST):
        classes = tuple("ABCDEFGHIJKL")

    assert Letters(**tiny)[11][1] == [11]


def test_nothing_anywhere_names_the_ways(monkeypatch, tmp_path):
    monkeypatch.delenv("LENET_DATA", raising=False)
    for variable in ("HOME", "LENET_CACHE", "PATH"):
        monkeypatch.setenv(variable, str(tmp_path))
    known = fetch.PUBLISHED["fashion-mnist"]
    monkeypatch.setattr(fetch, "PUBLISHED", {"fashion-mnist": known._replace(mirrors=[])})
    monkeypatch.setattr(fetch, "SYSTEM_DATA", str(tmp_path))
    with pytest.raises(
        RuntimeError, match=r"Fashion-MNIST is not on this machine(.|\n)*apt install dataset-fashion-mnist"
    ):
        FashionMNIST()


@pytest.mark.parametrize("index", [12, -13, 10**9])
def test_an_index_out_of_range(tiny, index):
    with pytest.raises(IndexError, match=f"index: got {index}, expected a number from -12 to 11"):
        MNIST(**tiny)[index]


def test_indices_that_are_no_numbers(tiny):
    ds = MNIST(**tiny)
    with pytest.raises(ValueError, match=r"Subset\(ds, range\(2, 5\)\)"):
        ds[2:5]
    with pytest.raises(TypeError):
        ds["a"]


# ---- ArrayDataset ----------------------------------------------------------------------------------------------------


def test_arrays_become_samples():
    images, labels = arrays()
    for given in (ArrayDataset(images, labels), ArrayDataset(images[:, None], labels[:, None].astype(np.uint8))):
        image, label = given[4]
        np.testing.assert_array_equal(np.asarray(image), images[4])
        np.testing.assert_array_equal(label, labels[4:5], strict=True)


@pytest.mark.parametrize(
    ("images", "labels", "error", "text"),
    [
        (
            np.zeros((2, 3, 3)),
            [0, 1],
            TypeError,
            r"images: got ndarray of float64 \[2, 3, 3\], expected a numpy array of uint8",
        ),
        ([[1]], [0], TypeError, "images: got list"),
        (np.zeros((2, 4, 3, 4), np.uint8), [0, 1], ValueError, r"images: got shape \[2, 4, 3, 4\]"),
        (np.zeros((2, 3), np.uint8), [0, 1], ValueError, r"images: got shape \[2, 3\], expected \[N, H, W\]"),
        (np.zeros((2, 3, 3), np.uint8), [0.0, 1.0], TypeError, r"labels: got ndarray of float64 \[2\].*one-hot"),
        (np.zeros((2, 3, 3), np.uint8), np.eye(2, dtype=int), ValueError, r"labels: got shape \[2, 2\]"),
        (
            np.zeros((2, 3, 3), np.uint8),
            [0, -1],
            ValueError,
            "labels: got -1 at position 1, expected numbers from 0 to 2",
        ),
        (np.zeros((2, 3, 3), np.uint8), [3, 0], ValueError, "labels: got 3 at position 0"),
        (np.zeros((2, 3, 3), np.uint8), [0], ValueError, "2 images and 1 labels"),
    ],
)
def test_wrong_arrays(images, labels, error, text):
    with pytest.raises(error, match=text):
        ArrayDataset(images, labels, classes="abc")


# ---- the fast road ---------------------------------------------------------------------------------------------------

TABLES = {
    "Normalize": T.Normalize([127.5], [127.5]),
    "HWC": T.Normalize([1.0], [3.0], "HWC"),
    "numbers in arrays": T.Normalize(np.array([33.0]), np.array([78.6])),
    "ToTensor": T.ToTensor(),
    "both": T.Compose([T.ToTensor(), T.Normalize([0.1307], [0.3081])]),
    "nested": T.Compose([T.Compose([T.ToTensor()]), T.Normalize([0.5], [0.25])]),
}


@pytest.mark.parametrize("backend", ["pil", "cv2"])
@pytest.mark.parametrize("name", TABLES)
def test_a_batch_has_the_bits_of_its_samples(name, backend):
    images = np.arange(4 * 256, dtype=np.uint16).astype(np.uint8).reshape(4, 16, 16)  # every pixel value
    ds = ArrayDataset(images, [3, 1, 4, 1], TABLES[name], backend)
    table = ds._table()
    assert table is not None
    assert (table.images.shape, table.shape, table.lut.dtype) == ((4, 1, 16, 16), (1, 16, 16), np.float32)
    for indices in ([2], [3, 0, 0, -1], np.array([1, 2])):
        images, labels = ds._batch(indices)
        pixels = images.numpy()
        samples = [ds[i] for i in indices]
        np.testing.assert_array_equal(pixels, np.stack([numbers(image) for image, _ in samples]), strict=True)
        np.testing.assert_array_equal(labels, np.stack([label for _, label in samples]), strict=True)


class Mine(T.Normalize):
    pass


@pytest.mark.parametrize(
    "transform",
    [
        None,
        lambda image: NORMALIZE(image),
        Mine([127.5], [127.5]),
        T.Normalize(127.5, 127.5),  # three channels
        T.Normalize([1.0, 2.0], [1.0]),
        T.Normalize([1.0], [1.0], to_rgb=True),  # mirrors
        T.Normalize([0.0], [0.0]),  # must warn, sample by sample
        T.Normalize(["a"], [1.0]),
        T.Normalize([1.0], [1.0], keys=("image", "image")),
        T.ToTensor("HWC"),
        T.ToTensor("foo"),
        T.Transpose(),
        T.Compose([T.Normalize([127.5], [127.5]), T.ToTensor()]),  # moves the axes
        T.Compose([T.RandomHorizontalFlip(), T.Normalize([127.5], [127.5])]),
        T.Compose([]),
    ],
)
def test_other_transforms_have_no_table(transform):
    ds = ArrayDataset(*arrays(), transform)
    assert ds._table() is None
    assert ds._batch([0]) is None


def test_the_probe_prints_nothing(capsys):
    assert ArrayDataset(*arrays(), T.Compose([T.ToTensor("foo")]))._table() is None
    assert capsys.readouterr() == ("", "")


def test_the_table_follows_the_transform():
    ds = ArrayDataset(*arrays(), T.Normalize([0.0], [1.0]))
    assert ds._table().lut[255] == 255
    ds.transform.std = [2.0]
    assert ds._table().lut[255] == 127.5
    ds.transform = T.ToTensor()
    assert ds._table().lut[255] == 1
    ds.backend = "cv2"
    assert ds._table().lut[255] == 255
    ds.dtype = "float64"
    assert ds._table() is None


def test_a_subclass_that_changes_samples_has_no_table():
    class Changed(ArrayDataset):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image, 9 - label

    class Shorter(ArrayDataset):
        def __len__(self):
            return 3

    class Renamed(ArrayDataset):
        """Changes nothing."""

    assert Changed(*arrays(), NORMALIZE)._table() is None
    assert Shorter(*arrays(), NORMALIZE)._table() is None
    assert Renamed(*arrays(), NORMALIZE)._table() is not None


def test_a_list_cut_short_has_no_table():
    ds = ArrayDataset(*arrays(), NORMALIZE)
    ds.labels = ds.labels[:5]
    assert ds._table() is None


def test_mnist_has_a_table(test_files):
    ds = MNIST(**test_files, transform=NORMALIZE)
    table = ds._table()
    assert table.images.shape == (10000, 1, 28, 28)
    assert np.shares_memory(table.images, ds._pixels)
    np.testing.assert_array_equal(table.labels[:3], [7, 2, 1])


# ---- folders ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three classes in colour, files in folders below, and files that do not count."""
    rng = np.random.default_rng(0)
    for name in ("b/2.png", "b/1.JPG", "a/x/deep.png", "a/z.bmp", "c/1.png", "c/10.tiff", "top.png"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(path)
    (tmp_path / "root" / "a" / "notes.txt").write_text("no image")
    return tmp_path / "root"


@pytest.mark.parametrize("arguments", [{}, {"extensions": (".PNG",)}, {"transform": NORMALIZE}, {"loader": str}])
@pytest.mark.parametrize("name", ["DatasetFolder", "ImageFolder"])
def test_folders_are_paddles(paddle, tree, name, arguments):
    ours = getattr(lenet.vision.datasets, name)(str(tree), **arguments)
    theirs = getattr(paddle.vision.datasets, name)(str(tree), **arguments)
    assert ours.samples == theirs.samples
    assert len(ours) == len(theirs)
    for i in (0, -1):
        a, b = ours[i], theirs[i]
        assert type(a) is type(b)
        np.testing.assert_array_equal(np.asarray(a[0]), np.asarray(b[0]), strict=True)
        assert a[1:] == b[1:]
    if name == "DatasetFolder":
        for attribute in ("classes", "class_to_idx", "targets", "root", "dtype", "extensions"):
            assert getattr(ours, attribute) == getattr(theirs, attribute)


def test_the_cv2_backend_gives_arrays(tree):
    set_image_backend("cv2")
    try:
        image, _ = DatasetFolder(tree)[0]
        loaded = image_load(tree / "c" / "1.png")
    finally:
        set_image_backend("pil")
    assert isinstance(image, np.ndarray)
    assert image.shape == (9, 7, 3)
    np.testing.assert_array_equal(loaded[:, :, ::-1], np.asarray(Image.open(tree / "c" / "1.png")))
    assert image_load(tree / "c" / "1.png").mode == "RGB"


def test_a_function_may_decide_which_files_count(tree):
    found = DatasetFolder(tree, is_valid_file=lambda path: "1" in Path(path).name)
    assert [Path(path).name for path, _ in found.samples] == ["1.JPG", "1.png", "10.tiff"]
    with pytest.raises(ValueError, match="both extensions and is_valid_file"):
        DatasetFolder(tree, extensions=(".png",), is_valid_file=bool)


@pytest.mark.parametrize(
    ("kind", "error"), [(DatasetFolder, RuntimeError), (ImageFolder, RuntimeError), (load_folder, ValueError)]
)
def test_folders_that_are_missing_or_empty(tmp_path, kind, error):
    with pytest.raises(FileNotFoundError, match="nowhere, which is not there"):
        kind(tmp_path / "nowhere")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("")
    with pytest.raises(error, match=r"a folder without images, expected .*Files ending in \.jpg, \.jpeg"):
        kind(tmp_path)


@pytest.mark.parametrize("extensions", ["png", {".png"}])
def test_extensions_that_are_no_list(tree, extensions):
    with pytest.raises(ValueError, match=r"extensions: got .* expected a list or tuple"):
        DatasetFolder(tree, extensions=extensions)


def test_an_unreadable_image_is_named(tree):
    (tree / "a" / "broken.png").write_bytes(b"not an image")
    cut = (tree / "c" / "1.png").read_bytes()
    (tree / "c" / "cut.png").write_bytes(cut[: len(cut) // 2])
    found = DatasetFolder(tree)
    by_name = {Path(path).name: i for i, (path, _) in enumerate(found.samples)}
    with pytest.raises(UnidentifiedImageError, match=r"broken\.png, expected an image that Pillow can read"):
        found[by_name["broken.png"]]
    with pytest.raises(OSError, match=r"cut\.png, which is damaged"):
        found[by_name["cut.png"]]
    with pytest.raises(OSError, match=r"broken\.png"):
        load_folder(tree)
    with pytest.raises(FileNotFoundError):
        image_load(tree / "gone.png")


def save(folder: Path, count: int, value: int = 0, first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(first, first + count):
        Image.fromarray(np.full((4, 4), value + i, np.uint8)).save(folder / f"{i}.png")


def test_load_folder_sets_a_tenth_of_each_class_aside(tmp_path):
    save(tmp_path / "cat", 40)
    save(tmp_path / "dog", 20, 100)
    save(tmp_path / "eel", 2, 200)
    train, test, classes = load_folder(tmp_path, transform=NORMALIZE)
    assert classes == train.classes == test.classes == ["cat", "dog", "eel"]
    assert np.bincount(np.array(train.labels)[:, 0]).tolist() == [36, 18, 1]
    assert np.bincount(np.array(test.labels)[:, 0]).tolist() == [4, 2, 1]
    assert train._table().shape == test._table().shape == (1, 28, 28)
    seen = sorted(int(image[0]) for part in (train, test) for image in part.images)
    assert seen == sorted([*range(40), *range(100, 120), 200, 201])  # each image once
    assert train.source.line == f"images of 3 classes from {tmp_path}; resized to 28 x 28 (all 62)"
    assert train.source.digest != test.source.digest
    again = load_folder(tmp_path)[1]
    assert again.source == test.source
    np.testing.assert_array_equal(np.array(again.images), np.array(test.images))

    save(tmp_path / "dog", 1, 100, first=20)
    after = {int(image[0]) for image in load_folder(tmp_path)[1].images}
    assert {int(image[0]) for image in test.images if image[0] < 100} < after  # other classes keep their part
    quarter = load_folder(tmp_path, size=(5, 6), holdout=0.25)[1]
    assert np.bincount(np.array(quarter.labels)[:, 0]).tolist() == [10, 5, 1]
    assert quarter._pixels.shape[1:] == (5, 6)


def test_load_folder_takes_train_and_test_as_they_are(tmp_path):
    for name in ("a", "b", "c"):
        save(tmp_path / "train" / name, 3)
    save(tmp_path / "test" / "c", 2, 50)
    train, test, classes = load_folder(tmp_path)
    assert (len(train), len(test), classes) == (9, 2, ["a", "b", "c"])
    assert np.array(test.labels).ravel().tolist() == [2, 2]
    save(tmp_path / "test" / "d", 1)
    with pytest.raises(ValueError, match=r"classes \['d'\], expected only those of"):
        load_folder(tmp_path)


def test_load_folder_makes_everything_grey_and_small(tmp_path):
    save(tmp_path / "b", 2)
    folder = tmp_path / "a"
    folder.mkdir()
    Image.new("RGBA", (50, 40), (0, 0, 0, 0)).save(folder / "1clear.png")  # transparent black lies on white
    Image.fromarray(np.full((8, 8), 128 * 256, np.uint16)).save(folder / "2deep.png")
    Image.new("RGB", (50, 40), (255, 0, 0)).save(folder / "3red.png")
    left_dark = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 40, 0).repeat(20, 1))
    exif = left_dark.getexif()
    exif[0x0112] = 6  # the camera was turned: show it rotated clockwise
    left_dark.convert("RGB").save(folder / "4turned.png", exif=exif)
    Image.new("P", (6, 6), 0).save(folder / "5palette.png")
    train, test, _ = load_folder(tmp_path, holdout=0.001)
    made = (
        "laid on white (1 of 7 were transparent), made grey (1 of 7 were in colour), resized to 28 x 28 (all 7, 2 of 7"
    )
    assert f"; {made} squeezed)" in train.source.line
    images = {}
    for part in (train, test):
        for image, label in zip(part.images, part.labels, strict=True):
            if label == 0:
                images[tuple(np.unique(image.reshape(28, 28)[[2, 14, -3], 14]))] = image.reshape(28, 28)
    assert {(255.0,), (128.0,), (76.0,), (0.0,)} < set(images)
    turned = next(image for key, image in images.items() if len(key) > 1)
    assert (turned[:10] == 0).all()  # what was left is now above
    assert (turned[-10:] == 255).all()


def test_images_that_are_grey_and_small_already_are_said_to_be_nothing_else(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(2):
            grey = Image.fromarray(np.random.default_rng(i).integers(0, 255, (28, 28), np.uint8))
            grey.convert("RGB").save(tmp_path / name / f"{i}.jpg")  # grey, though in three channels
    assert load_folder(tmp_path)[0].source.line == f"images of 2 classes from {tmp_path}"


@pytest.mark.parametrize(
    ("names", "trained_on", "tested_on"),
    [
        (("training", "testing"), 6, 4),
        (("Train", "Test"), 6, 4),
        (("train", "val"), 6, 4),
        (("TRAIN", "Valid"), 6, 4),
        (("training_set", "test_set"), 6, 4),
        (("mnist-train", "mnist-test"), 6, 4),
        (("trainset", "validation"), 6, 4),
        (("train", "valid", "test"), 10, 4),
        (("train", "dev", "evaluation"), 10, 4),
    ],
)
def test_parts_are_no_classes(tmp_path, names, trained_on, tested_on):
    for name, count in zip(names, (3, 2, 2), strict=False):
        for digit in ("0", "1"):
            save(tmp_path / name / digit, count)
    (tmp_path / "notes").mkdir()  # nothing in it counts
    train, test, classes = load_folder(tmp_path)
    assert (len(train), len(test), classes) == (trained_on, tested_on, ["0", "1"])
    assert f"(trained on {' and '.join(names[:-1])}, tested on {names[-1]})" in train.source.line


@pytest.mark.parametrize(
    ("folders", "text"),
    [
        (("train/0", "train/1", "training/0", "test/0"), "got train, training, test, expected one part to train on"),
        (("train/0", "train/1", "test/0", "testing/0"), "got train, test, testing, expected one part"),
        (
            ("train/0", "train/1"),
            r"got train, expected one part to train on and one to test on.* Give .*/train to train",
        ),
        (("val/0", "test/0", "test/1"), "got val, test, expected one part to train on"),
        (("train/0", "train/1", "test"), "train with class folders beside test without"),
        (("train/0", "test/0", "0", "1"), "train, test with class folders beside 0, 1 without"),
        (("0/train", "0/test", "1/train", "1/test"), "got test, train in the class 0.* Move 0/train to train/0"),
        (("train", "test"), "got images in test, train themselves, expected a folder for each class in them"),
    ],
)
def test_parts_that_are_not_clear_are_refused(tmp_path, folders, text):
    for name in folders:
        save(tmp_path / name, 2)
    with pytest.raises(ValueError, match=text):
        load_folder(tmp_path)


def test_classes_may_be_called_like_parts(tmp_path):
    for name in ("train", "tram", "bus"):
        save(tmp_path / name, 2)
    assert load_folder(tmp_path)[2] == ["bus", "train", "tram"]


def test_a_folder_around_the_class_folders_is_named(tmp_path):
    save(tmp_path / "digits" / "0", 2)
    save(tmp_path / "digits" / "1", 2)
    with pytest.raises(ValueError, match=r"one class, 'digits'.*Give .*/digits, if the class folders are in it"):
        load_folder(tmp_path)


def test_what_is_hidden_is_passed_over(tmp_path):
    for name in ("0", "1", ".ipynb_checkpoints", "__MACOSX/0"):
        save(tmp_path / name, 2)
    for place in ("0/._0.png", "1/.DS_Store.png"):
        (tmp_path / place).write_bytes(b"no image")
    save(tmp_path / "0" / ".thumbnails", 1)
    (tmp_path / "1" / "around").symlink_to(tmp_path, target_is_directory=True)  # a link that never ends
    train, test, classes = load_folder(tmp_path)
    assert classes == ["0", "1"]
    assert len(DatasetFolder(tmp_path / "0" / "..").classes) == 2
    assert len(train) + len(test) == 2 + 4  # through the link class 0 is seen, once


def test_class_names_that_are_no_utf_8(tmp_path):
    for name in (b"caf\xe9", b"b"):
        save(Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))), 3)
    assert load_folder(tmp_path)[2] == ["b", "caf\udce9"]


@pytest.mark.parametrize("arguments", [{"holdout": 0}, {"holdout": 1.5}, {"size": (0, 5)}])
def test_load_folder_with_wrong_arguments(tree, arguments):
    with pytest.raises(ValueError, match="expected"):
        load_folder(tree, **arguments)


def test_load_folder_needs_enough_to_learn_from(tmp_path):
    save(tmp_path / "a", 5)
    with pytest.raises(ValueError, match="one class, 'a', expected at least two class folders"):
        load_folder(tmp_path)
    save(tmp_path / "b", 1)
    with pytest.raises(ValueError, match=f"class 'b': got one image.*{re.escape(str(tmp_path / 'b'))}"):
        load_folder(tmp_path)
    save(tmp_path / "b", 5)
    (tmp_path / "c").mkdir()
    with pytest.raises(ValueError, match="no image in the class 'c'"):
        load_folder(tmp_path)
