"""What a small file may cost: memory and time stay within bounds whatever it says of itself, and it gets one short sentence."""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.messages.check import MOST
from lenet.modelfile import serialization

ENV = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(Path(lenet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
}
MOST_MEGABYTES = 500

# Runs a command and prints the megabytes that it took: in a process of its own, as a parent's memory counts as well.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
sys.exit(done.returncode)
"""


def measured(*command: object) -> tuple[int, int, str]:
    """Exit code, megabytes and what was said of ``lenet`` with these arguments."""
    line = [sys.executable, "-c", MEASURE, sys.executable, "-m", "lenet.cli", *map(str, command)]
    done = subprocess.run(line, env=ENV, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, int(done.stdout.split()[-1]), done.stderr


def refused(*command: object) -> str:
    code, megabytes, said = measured(*command)
    assert code in (1, 2), said
    assert megabytes < MOST_MEGABYTES
    assert "Traceback" not in said
    assert "should not happen" not in said
    last = said.splitlines()[-1]
    assert ": got " in last
    assert len(last) <= MOST + len("lenet: ")
    return last


# ---- model files -----------------------------------------------------------------------------------------------------


def conv(name: str, stride: int = 1, padding: int = 0) -> dict[str, Any]:
    attrs = {"stride": [stride] * 2, "padding": [padding] * 4, "dilation": [1, 1], "groups": 1}
    return {"op": "conv2d", "attrs": attrs, "parameters": [name, None]}


def model_file(path: Path, rows: list[Any], shape: list[int], tensors: dict[str, Any], **more: Any) -> Path:
    about = {"shape": shape, "mean": 127.5, "std": 127.5, "ground": "dark"}
    meta = {"format": 1, "architecture": rows, "input": about, "labels": ["0"]} | more
    serialization.write_model(path, tensors, meta)
    return path


FLATTEN = {"op": "flatten", "attrs": {"start": 1, "stop": -1}}
RELU = {"op": "relu", "attrs": {}}


@pytest.mark.parametrize(
    ("rows", "shape", "tensors", "text"),
    [
        (
            [conv("w", 4096, 4096), FLATTEN],
            [1, 1, 1],
            {"w": (1, 1, 1, 1)},
            "padded image: got 1 x 8193 x 8193 numbers, expected at most",
        ),
        ([*[RELU] * 500, FLATTEN], [1, 512, 512], {}, "numbers a sample up to here"),
        ([conv("w"), FLATTEN], [16, 128, 128], {"w": (16, 16, 65, 65)}, "multiplications a sample up to here"),
        ([FLATTEN], [1, 128, 128], {}, "one number a class"),
        ([conv("w"), FLATTEN], [1, 4, 4], {"w": (0, 1, 4, 4)}, "weights"),
        ([FLATTEN, {"op": "linear", "attrs": {}, "parameters": ["w", None]}], [1, 4, 4], {"w": (16, 0)}, "weights"),
    ],
)
def test_a_model_file_is_built_only_if_all_of_it_is_small(tmp_path, rows, shape, tensors, text):
    arrays = {name: np.zeros(size, np.float32) for name, size in tensors.items()}
    assert text in refused("info", model_file(tmp_path / "m.safetensors", rows, shape, arrays))


def test_metadata_are_bounded_too(tmp_path):
    linear = [FLATTEN, {"op": "linear", "attrs": {}, "parameters": ["w", None]}]
    weights = {"w": np.zeros((16, 1), np.float32)}
    deep: list[Any] = []
    for _ in range(60):
        deep = [deep]
    path = model_file(tmp_path / "m.safetensors", linear, [1, 4, 4], weights, training=deep)
    assert "metadata of more than 50 levels" in refused("info", path)
    path = model_file(tmp_path / "m.safetensors", linear, [1, 4, 4], weights, labels=["x" * 5000])
    assert "names of at most 255 characters" in refused("info", path)
    path = model_file(tmp_path / "m.safetensors", linear, [1, 4, 4], weights, labels=["x\n\x1b[31m"] * 100_000)
    assert "100000 names, expected one for each of 1 outputs" in refused("info", path)
    names = {f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(150_000)}
    head = json.dumps(names).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head)
    assert "bytes of header, expected at most" in refused("info", path)


@pytest.mark.parametrize("metadata", [None, [], "text", {"lenet": None}, {"lenet": 3}, {"lenet": "[]"}, {"lenet": "{"}])
def test_metadata_of_any_kind(tmp_path, metadata):
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": metadata}).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(head)) + head + bytes(4))
    code, _, said = measured("info", path)
    assert code == 0 or (": got " in said and "should not happen" not in said)


# ---- IDX files -------------------------------------------------------------------------------------------------------


def test_gzip_of_much_from_little_is_refused_by_its_header(small_mnist, tmp_path):
    for path in small_mnist.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    images = tmp_path / "train-images-idx3-ubyte"
    images.unlink()
    engine = zlib.compressobj(1, zlib.DEFLATED, 31)
    head = engine.compress(struct.pack(">IIII", 2051, 500_000, 28, 28))
    packed = b"".join([head, *(engine.compress(bytes(1 << 20)) for _ in range(375)), engine.flush()])
    Path(f"{images}.gz").write_bytes(packed)
    assert "of gzip data for 392,000,016" in refused("train", "--data", tmp_path, "--no-run")
    Path(f"{images}.gz").write_bytes(gzip.compress(bytes(1 << 20)) * 500)  # no IDX file at all
    assert "magic number 0" in refused("train", "--data", tmp_path, "--no-run")
    images.touch()
    os.truncate(images, 40 << 30)  # a file of nothing, where the disk allows it
    assert "magic number 0" in refused("train", "--data", tmp_path, "--no-run")


# ---- pictures --------------------------------------------------------------------------------------------------------


def tiff(path: Path, side: int, bits: int, kind: int) -> Path:
    """One strip of a single value. bits: of the only channel. kind: 1 unsigned, 2 signed, 3 float."""
    engine = zlib.compressobj(9)
    strip = b"".join(engine.compress(b"\1" * side * (bits // 8)) for _ in range(side)) + engine.flush()
    strip += b"\0" * (len(strip) % 2)
    tags = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, bits), (259, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8)]
    tags += [(277, 3, 1, 1), (278, 4, 1, side), (279, 4, 1, len(strip)), (339, 3, 1, kind)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip
    path.write_bytes(head + struct.pack("<H", len(tags)) + entries + bytes(4))
    return path


@pytest.mark.parametrize(("side", "bits", "kind"), [(9_990, 32, 2), (6_100, 32, 3)])
def test_a_tiff_of_one_value(tmp_path, side, bits, kind):
    code, megabytes, said = measured("read", tiff(tmp_path / "i.tif", side, bits, kind))
    assert megabytes < MOST_MEGABYTES
    assert code == 0 or "of a kind that takes" in said


@pytest.mark.parametrize(("name", "side"), [("i.webp", 9_900), ("i.webp", 4_400), ("i.jp2", 4_200), ("i.png", 8_600)])
def test_a_picture_of_one_colour(tmp_path, name, side):
    path = tmp_path / name
    Image.new("RGB", (side, side), "white").save(path, **({"lossless": True, "method": 0} if name == "i.webp" else {}))
    code, megabytes, said = measured("read", path)
    assert megabytes < MOST_MEGABYTES
    assert code == 0 or "of a kind that takes" in said


def test_a_picture_in_a_data_set(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(2):
            Image.new("L", (28, 28), i).save(tmp_path / name / f"{i}.png")
    Image.new("1", (11_000, 11_000)).save(tmp_path / "a" / "2.png")
    assert "got 11,000 x 11,000 pixels, expected at most 100,000,000" in refused("train", "--dataset", tmp_path)
