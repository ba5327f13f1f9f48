"""IDX files: what is read, and what each kind of broken file is answered with."""

from __future__ import annotations

import gzip
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.data import idx

IMAGES = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    image_path, label_path = tmp_path / "images", tmp_path / "labels"
    image_path.write_bytes(idx_bytes(IMAGES))
    label_path.write_bytes(idx_bytes(LABELS))
    return image_path, label_path


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda b: gzip.compress(b[:9]) + gzip.compress(b[9:]) + b"\0\0"]
)
def test_plain_gzipped_and_twice_gzipped_files_read_alike(pair, pack):
    for path in pair:
        path.write_bytes(pack(path.read_bytes()))
    images, labels = idx.read_pair(*pair)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
    assert images.dtype == labels.dtype == np.uint8


def test_the_suffix_says_nothing(tmp_path):
    (tmp_path / "a.gz").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "b").write_bytes(gzip.compress(idx_bytes(LABELS)))
    images, labels = idx.read_pair(tmp_path / "a.gz", tmp_path / "b")
    assert len(images) == len(labels) == 5


def test_a_count_that_is_no_multiple_of_100_reads(tmp_path):
    idx.write(tmp_path / "i", np.zeros((150, 2, 2), np.uint8))
    idx.write(tmp_path / "l", np.zeros(150, np.uint8))
    assert len(idx.read_pair(tmp_path / "i", tmp_path / "l")[0]) == 150


def test_real_mnist(mnist_dir):
    images, labels = idx.read_pair(mnist_dir / "t10k-images-idx3-ubyte", mnist_dir / "t10k-labels-idx1-ubyte", 10)
    assert images.shape == (10000, 28, 28)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_missing_file(pair):
    with pytest.raises(FileNotFoundError, match="nowhere, which does not exist, expected an IDX file"):
        idx.read_pair(pair[0].parent / "nowhere", pair[1])


def test_a_folder_instead_of_a_file(pair):
    with pytest.raises(IsADirectoryError, match="Name the file inside it"):
        idx.read_pair(pair[0].parent, pair[1])


def test_empty_file(pair):
    pair[0].write_bytes(b"")
    with pytest.raises(ValueError, match="an empty file"):
        idx.read_pair(*pair)


@pytest.mark.parametrize("keep", [1, 3, 4, 10, 15, 16, 17, -1])
def test_truncated_file(pair, keep):
    pair[0].write_bytes(pair[0].read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"truncated|magic number"):
        idx.read_pair(*pair)


def test_bytes_too_many(pair):
    pair[1].write_bytes(pair[1].read_bytes() + b"x")
    with pytest.raises(ValueError, match=r"got 14 bytes, expected 13 bytes, as its header says \(5 values\)"):
        idx.read_pair(*pair)


def test_truncated_gzip(pair):
    pair[0].write_bytes(gzip.compress(pair[0].read_bytes())[:-12])
    with pytest.raises(ValueError, match="gzip data that stops after"):
        idx.read_pair(*pair)


def test_damaged_gzip(pair):
    packed = bytearray(gzip.compress(pair[0].read_bytes()))
    packed[-6] ^= 1  # in the checksum at the end
    pair[0].write_bytes(packed)
    with pytest.raises(ValueError, match="damaged gzip data"):
        idx.read_pair(*pair)


def test_gzip_that_unpacks_to_too_much():
    packed = np.frombuffer(gzip.compress(bytes(5000)), np.uint8)
    with pytest.raises(ValueError, match="more than 4999 bytes"):
        idx.inflate(packed, "x", 4999)
    assert idx.inflate(packed, "x", 5000).size == 5000


def test_swapped_files(pair):
    with pytest.raises(ValueError, match=r"labels \(magic number 2049\), expected an IDX file of images.*swapped"):
        idx.read_pair(pair[1], pair[0])


def test_wrong_magic(pair):
    pair[0].write_bytes(b"\x00\x00\x0d\x03" + pair[0].read_bytes()[4:])
    with pytest.raises(ValueError, match=r"magic number 3331 \(bytes 00 00 0d 03\)"):
        idx.read_pair(*pair)


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>404</html>", b"\n <html>", b"<?xml version='1.0'?>"])
def test_html_page_saved_as_gz(tmp_path, pair, page):
    bad = tmp_path / "train-images-idx3-ubyte.gz"
    bad.write_bytes(page)
    with pytest.raises(ValueError, match="an HTML or XML page, expected an IDX file of images"):
        idx.read_pair(bad, pair[1])


def test_counts_that_differ(pair):
    idx.write(pair[1], LABELS[:4])
    with pytest.raises(ValueError, match=r"got 5 images \(.*\) and 4 labels \(.*\), expected equal counts"):
        idx.read_pair(*pair)


def test_label_out_of_range(pair):
    with pytest.raises(ValueError, match="label 4 at position 2, expected labels from 0 to 3"):
        idx.read_pair(*pair, 4)
    assert len(idx.read_pair(*pair, 6)[1]) == 5


@given(st.binary(max_size=64))
def test_no_bytes_make_anything_but_a_value_error(content):
    array = np.frombuffer(content, np.uint8)
    for parse in (idx.images, idx.labels):
        with suppress(ValueError):
            assert parse(idx.inflate(array, "x", 1 << 16), "x").dtype == np.uint8


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3))
def test_what_is_written_reads_back(tmp_path_factory, shape):
    path = tmp_path_factory.getbasetemp() / "round-trip"
    array = (np.arange(np.prod(shape)) % 251).astype(np.uint8).reshape(shape)
    idx.write(path, array)
    assert path.read_bytes() == idx_bytes(array)


def test_write_refuses_floats(tmp_path):
    with pytest.raises(ValueError, match=r"float32 \[2\], expected uint8"):
        idx.write(tmp_path / "x", np.zeros(2, np.float32))
    assert not (tmp_path / "x").exists()
