"""Damaged and hostile files by format: what of them ends in anything but an answer or one short sentence.

Sound files of each format are changed at random: bytes turned, cut, put in, repeated, numbers made huge; of model files also
what their JSON says. Each is read in a child process, which tells time, memory and outcome. Wrong is: a signal, another
exception than those of a bad file, a text of over 300 characters or of several lines, 10 seconds, 500 MB.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import pickle
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench import machine

__all__ = ["FORMATS", "run", "table"]

COUNTS = {"IDX": 18_000, "model files": 4_500, "pickles": 30_000, "pictures": 20_000}  # at budget 1
AT_ONCE = 1_000  # inputs a child
SECONDS, MEGABYTES, CHARACTERS = 10.0, 500, 300
HUGE = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1)
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1 << 30, 1 << 70, 1e308, -0.5, "", "x" * 400, "a\nb", [], {}, [[]], [0] * 9, {"a": None},
)  # fmt: skip


def run(budget: float = 1.0, seed: int = 0) -> dict[str, Any]:
    """``{"formats": {name: {"tried", "refused", "wrong", "examples", "seconds at most", "megabytes at most"}}, "wrong"}``."""
    formats = {}
    for name, usual in COUNTS.items():
        counts = Counter[str]()
        slowest, largest, examples = 0.0, 0, []
        left, number = max(1, round(budget * usual)), 0
        while left > 0:
            many = min(left, AT_ONCE)
            command = [sys.executable, "-m", "bench.reliability.fuzz", name, str(seed), str(number), str(many)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS * many)
            except subprocess.TimeoutExpired as late:
                done = subprocess.CompletedProcess(command, -1, "", f"no end after {late.timeout:.0f} s")
            counts["tried"] += many
            if done.returncode:
                counts["wrong"] += 1
                examples.append(f"exit {done.returncode} in {' '.join(command[3:])}: {done.stderr[-200:]}")
            else:
                found = json.loads(done.stdout.splitlines()[-1])
                counts.update({key: found[key] for key in ("refused", "wrong")})
                slowest, largest = max(slowest, found["seconds"]), max(largest, found["megabytes"])
                counts["wrong"] += found["megabytes"] > MEGABYTES
                examples += found["examples"]
            left, number = left - many, number + many
        about = {"seconds at most": round(slowest, 2), "megabytes at most": largest, "examples": examples[:5]}
        formats[name] = {key: counts[key] for key in ("tried", "refused", "wrong")} | about
    return {"formats": formats, "wrong": sum(found["wrong"] for found in formats.values())}


def table(found: dict[str, Any]) -> str:
    """As docs/reliability.md shows it."""
    rows = [
        "| damaged files | tried | refused in a sentence | wrong | longest | most memory |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in found["formats"].items():
        cost = f"{one['seconds at most']:.1f} s | {one['megabytes at most']} MB"
        rows.append(f"| {name} | {one['tried']:,} | {one['refused']:,} | {one['wrong']:,} | {cost} |")
    return "\n".join(rows)


# ---- what is changed -------------------------------------------------------------------------------------------------


def idx_files(rng: random.Random) -> bytes:
    n, side = rng.randrange(4), rng.choice((1, 28, 5))
    images = struct.pack(">IIII", 2051, n, side, side) + bytes(n * side * side)
    content = images if rng.random() < 0.7 else struct.pack(">II", 2049, n) + bytes(n)
    return gzip.compress(content, 1) if rng.random() < 0.4 else content


def model_files(rng: random.Random) -> bytes:
    import lenet
    from lenet.modelfile import architecture
    from lenet.modelfile.serialization import write_model

    if not _models:
        small = lenet.vision.models.ResNet(1, channels=1)  # rows that take several others, and statistics
        for net, shape in ((lenet.LeNet(), (1, 28, 28)), (small, (1, 12, 12))):
            rows = architecture.describe(net, shape)
            meta = architecture.account(rows, shape, 127.5, 127.5, list("0123456789"))
            meta["input"]["arrays"] = {"scaled": True, "last": False, "side": 0, "low": 0.0, "high": 255.0}
            meta["calibration"] = {"temperature": 1.1, "images": 100, "ece": [0.1, 0.1], "loss": [0.1, 0.1]}
            meta["training"] = {"threshold": 0.5, "data": {"name": "mnist", "inverted": False}}
            arrays = {name: tensor.data_array() for name, tensor in net.state_dict().items()}
            with tempfile.TemporaryDirectory() as folder:
                write_model(Path(folder) / "m.safetensors", arrays, meta)
                _models.append((Path(folder) / "m.safetensors").read_bytes())
    return _with_changes(rng.choice(_models), rng)


def programs(rng: random.Random) -> bytes:
    """What ``jit.save`` writes: several inputs and results, lengths that follow the batch, arrays as attributes."""
    import lenet
    from lenet.static import InputSpec

    def both(x: Any, y: Any) -> Any:
        z = lenet.einsum("ni,nj->nij", x, y).reshape([-1, 6])[:, lenet.to_tensor([0, 2, 2])]
        z = lenet.where(lenet.to_tensor([True, False, True]), z, z.tile([1, 1]).cumsum(1))
        return {"rows": [z, z.expand([2, -1, 3])], "mean": z.mean()}

    if not _programs:
        net = lenet.vision.models.ResNet(1, channels=1)
        for network, specs in ((net, [[None, 1, 12, 12]]), (both, [[None, 2], [None, 3]])):
            with tempfile.TemporaryDirectory() as folder:
                lenet.jit.save(network, folder + "/n", [InputSpec(shape) for shape in specs])
                _programs.append((Path(folder) / "n.safetensors").read_bytes())
    return _with_changes(rng.choice(_programs), rng)


def _with_changes(content: bytes, rng: random.Random) -> bytes:
    """A model file in which something else stands somewhere in its JSON."""
    size = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + size])
    place = rng.random()
    if place < 0.5:
        meta = json.loads(head["__metadata__"]["lenet"])
        for _ in range(rng.randint(1, 3)):
            _change(meta, rng)
        head["__metadata__"]["lenet"] = json.dumps(meta)
    elif place < 0.75:
        _change(head, rng)
    else:
        return content
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


_models: list[bytes] = []
_programs: list[bytes] = []


def _change(value: Any, rng: random.Random) -> None:
    """Put something else somewhere into a JSON value."""
    while isinstance(value, (dict, list)) and value:
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        if not isinstance(value[key], (dict, list)) or not value[key] or rng.random() < 0.2:
            if rng.random() < 0.2:
                del value[key]
            else:
                value[key] = copy.deepcopy(rng.choice(VALUES))  # a further change must not reach the list
            return
        value = value[key]


def pickles(rng: random.Random) -> bytes:
    value = {"w": np.zeros((2, 3), np.float32), "n": [1, "two", (3.0, None)], "s": np.float64(1)}
    return pickle.dumps(value, rng.randint(0, 5))


def pictures(rng: random.Random) -> bytes:
    from PIL import Image

    kind = rng.choice(("PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP", "PPM"))
    modes = {"PNG": "1 L LA P RGB RGBA I;16", "JPEG": "L RGB CMYK", "TIFF": "1 L RGB RGBA I F I;16", "GIF": "P L"}
    mode = rng.choice(modes.get(kind, "RGB").split())
    image = Image.new(mode, (rng.randint(1, 60), rng.randint(1, 60)))
    out = io.BytesIO()
    options: dict[str, Any] = {"compression": rng.choice(("raw", "tiff_lzw", "tiff_deflate"))} if kind == "TIFF" else {}
    image.save(out, kind, **options)
    return out.getvalue()


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The bytes with one to four things done to them."""
    data = bytearray(content)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        if not data:
            break
        at = rng.randrange(min(len(data), 4096) if rng.random() < 0.7 else len(data))
        way = rng.randrange(6)
        if way == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            data[at] = rng.randrange(256)
        elif way == 2:
            del data[at:]
        elif way == 3:
            data[at:at] = rng.randbytes(rng.randint(1, 16))
        elif way == 4:
            data[at : at + 32] = data[at : at + 32] * rng.choice((2, 100))
        else:
            width, order = rng.choice((2, 4, 8)), rng.choice(("<", ">"))
            number = rng.choice(HUGE) & ((1 << 8 * width) - 1)
            data[at : at + width] = struct.pack(order + {2: "H", 4: "I", 8: "Q"}[width], number)
    return bytes(data)


# ---- how it is read --------------------------------------------------------------------------------------------------


def read_idx(path: str) -> None:
    from lenet.data import idx

    content = idx.read(path)
    (idx.labels if content[:4].tobytes() == b"\0\0\x08\x01" else idx.images)(content, path)


def read_model(path: str) -> None:
    from lenet.reading import Reader
    from lenet.train import Trained

    trained = Trained.load(path)
    trained.probabilities(np.zeros((2, *trained.shape), np.uint8))
    Reader(trained)


def read_program(path: str) -> None:
    from lenet import jit

    file = Path(path).with_suffix(".safetensors")
    file.write_bytes(Path(path).read_bytes())
    network = jit.load(file)
    network(*(np.zeros([max(n, 1) for n in shape], kind) for shape, kind in network._specs))


def read_pickle(path: str) -> None:
    import lenet

    lenet.load(io.BytesIO(Path(path).read_bytes()))


def read_picture(path: str) -> None:
    from lenet.reading import open_pages
    from lenet.vision.datasets.folder import small_image

    for page in open_pages(path):
        if page.rgb.size:
            break
    small_image(path, (28, 28))


FORMATS: dict[str, tuple[Callable[[random.Random], bytes], Callable[[str], None]]] = {
    "IDX": (idx_files, read_idx),
    "model files": (model_files, read_model),
    "programs": (programs, read_program),
    "pickles": (pickles, read_pickle),
    "pictures": (pictures, read_picture),
}
EXPECTED = (ValueError, OSError, TypeError, ImportError)


def child(name: str, seed: int, first: int, count: int) -> dict[str, Any]:
    """Reads ``count`` inputs; what the parent adds up."""
    make, read = FORMATS[name]
    refused, wrong, slowest, examples = 0, 0, 0.0, []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "input")
        for number in range(first, first + count):
            rng = random.Random(f"{seed} {name} {number}")
            content = mutated(make(rng), rng)
            Path(path).write_bytes(content)
            began, trouble = time.monotonic(), ""
            try:
                read(path)
            except EXPECTED as error:
                refused += 1
                text = str(error)
                if len(text) > CHARACTERS or "\n" in text or not text:
                    trouble = f"a text of {len(text)} characters: {text[:120]!r}"
                elif type(error) is TypeError and ": got " not in text:
                    trouble = f"TypeError: {text[:120]}"
            except Exception as error:
                trouble = f"{type(error).__name__}: {str(error)[:120]}"
            seconds = time.monotonic() - began
            slowest = max(slowest, seconds)
            if seconds > SECONDS:
                trouble = f"{seconds:.0f} seconds"
            if trouble:
                wrong += 1
                examples.append(f"{name} {number}: {trouble}")
    megabytes = machine.peak_megabytes()
    return {
        "refused": refused, "wrong": wrong, "seconds": slowest, "megabytes": megabytes, "examples": examples[:5],
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(child(sys.argv[1], *map(int, sys.argv[2:]))))
