"""A model's place on disk: several runs that take it at once, kills in the middle of it, file systems that lack something."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lenet.modelfile import serialization
from lenet.train import files


def model(number: int) -> dict[str, np.ndarray]:
    return {"w": np.full(20_000, number, np.float32)}


def stored(folder: Path) -> set[float]:
    """Which models lie there, under whatever names."""
    return {float(serialization.read_model(path)[0]["w"][0]) for path in folder.glob("*.safetensors")}


def quiet(_: str) -> None:
    pass


def test_of_models_stored_at_once_none_is_lost(tmp_path: Path) -> None:
    out = str(tmp_path / "m.safetensors")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: files.store(out, model(n), {}, quiet), range(32)))
    assert stored(tmp_path) == set(range(32))


def test_what_another_wrote_between_the_two_steps_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a lock another run may write after ours: what lies there is looked at, and ours is written again."""
    out = str(tmp_path / "m.safetensors")
    write, others = serialization.write_model, [2, 3]

    def and_another(path: str, *what: object) -> None:
        write(path, *what)  # type: ignore[arg-type]
        if others:
            write(path, model(others.pop()), {})

    monkeypatch.setattr(serialization, "write_model", and_another)
    files.store(out, model(1), {}, quiet)
    assert stored(tmp_path) == {1, 2, 3}
    assert serialization.read_model(out)[0]["w"][0] == 1


def test_a_place_that_keeps_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serialization, "write_model", lambda *_: None)
    with pytest.raises(OSError, match=r"another file than was written, expected the model\. .*another name"):
        files.store(str(tmp_path / "m.safetensors"), model(1), {}, quiet)


@pytest.mark.parametrize("lacking", ["links", "locks", "both"])
def test_file_systems_without_links_or_locks(lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*args: object, **options: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    if lacking != "locks":
        monkeypatch.setattr(os, "link", none)
    if lacking != "links":
        monkeypatch.setattr(fcntl, "flock", none)
    out = str(tmp_path / "m.safetensors")
    for number in range(3):
        files.store(out, model(number), {}, quiet)
    assert stored(tmp_path) == {0, 1, 2}
    assert len(os.listdir(tmp_path)) == 3


def test_a_holder_that_was_stopped_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lenet.disk.write._PATIENCE", 0.05)
    holder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        files.store(str(tmp_path / "m.safetensors"), model(1), {}, quiet)
    finally:
        os.close(holder)
    assert stored(tmp_path) == {1}


STORE = """
import sys
import numpy as np
from lenet.train import files
number = int(sys.argv[2])
while True:
    number += 1
    files.store(sys.argv[1], {"w": np.full(20_000, number, np.float32)}, {}, lambda _: print(number, flush=True))
"""


def test_kills_leave_a_model_at_its_place_and_no_rubbish(tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    files.store(str(out), model(0), {}, quiet)
    for round_ in range(4):
        process = subprocess.Popen([sys.executable, "-c", STORE, str(out), str(1000 * round_)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.011 * (round_ + 1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        last = int(serialization.read_model(out)[0]["w"][0])
        assert stored(tmp_path) >= {0, *range(1000 * round_ + 1, last)}
    files.store(str(out), model(9_999), {}, quiet)
    assert not list(tmp_path.glob(".*"))
