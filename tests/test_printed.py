"""What ``Model`` prints: beside real Paddle on a terminal of 100 columns, and without control characters in a log.

One script prints everything in both libraries. Numbers and times are replaced by their format, then each drawn frame and
each line has to be the same.
"""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

from lenet.callbacks import progbar

SCRIPT = """
import sys, warnings
warnings.simplefilter("ignore")
if sys.argv[1] == "paddle":
    import paddle
else:
    import lenet as paddle
import numpy as np

draw = np.random.default_rng(0)
images, labels = draw.normal(size=(50, 1, 6, 6)).astype("float32"), draw.integers(0, 3, (50, 1))
data = paddle.io.TensorDataset([paddle.to_tensor(images), paddle.to_tensor(labels)])

class Stream:
    def __iter__(self):
        for i in range(0, 50, 4):
            yield [paddle.to_tensor(images[i : i + 4]), paddle.to_tensor(labels[i : i + 4])]

def model(metrics=None, rate=0.01):
    paddle.seed(0)
    nn = paddle.nn
    net = nn.Sequential(nn.Conv2D(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
    made = paddle.Model(net)
    made.prepare(paddle.optimizer.Adam(rate, parameters=net.parameters()), nn.CrossEntropyLoss(), metrics)
    return made

calls = paddle.callbacks
accuracy = paddle.metric.Accuracy
for verbose in (0, 1, 2, 3):
    print("verbose", verbose)
    m = model(accuracy((1, 2)))
    m.fit(data, data, batch_size=[4, 7], epochs=2, log_freq=3, verbose=verbose)
    print(type(m.evaluate(data, batch_size=9, log_freq=2, verbose=verbose)))
    print(len(m.predict(data, batch_size=9, verbose=verbose)))
    print("unknown length")
    m = model([])
    m.fit(Stream(), Stream(), log_freq=5, verbose=verbose)
    m.evaluate(Stream(), log_freq=5, verbose=verbose)
print("checkpoints")
m = model(accuracy(), 1e-30)
early = calls.EarlyStopping("acc", patience=2, min_delta=10)
m.fit(data, data, batch_size=10, epochs=9, save_dir=sys.argv[2], save_freq=2, verbose=0, callbacks=early)
print("plateau")
plateau = calls.ReduceLROnPlateau("acc", patience=1, min_delta=10)
model(accuracy(), 0.5).fit(data, data, batch_size=10, epochs=3, verbose=0, callbacks=[plateau])
print("some batches")
model(accuracy()).fit(data, batch_size=4, num_iters=15, log_freq=4, verbose=2)
model(accuracy()).evaluate(data, batch_size=4, num_iters=5, log_freq=2, verbose=1)
print("a logger of one's own")
model(accuracy()).fit(data, batch_size=25, verbose=0, callbacks=[calls.ProgBarLogger()])
print("a scheduler that speaks")
m = model()
rate = paddle.optimizer.lr.StepDecay(0.1, 2, verbose=True)
m.prepare(paddle.optimizer.SGD(rate, parameters=m.parameters()), paddle.nn.CrossEntropyLoss())
m.fit(data, batch_size=10, verbose=2, log_freq=2)
"""

NUMBERS = [
    (r"\d+:\d\d(:\d\d)?(?= - )|(?<=ETA: )\d+s", "TIME"),
    (r"(?<= - )\d+(s|ms|us)/step", "PACE"),
    (r"-?\d\.\d{4}e[+-]\d\d|-?\d+\.\d{4}(?!\d)", "0.0000"),  # which of the two is a matter of the number
    (r"(?<=cost: )\d+\.\d{5}(?= sec)", "COST"),
    (r"(?<=ips: )\d+\.\d{5}(?= samples/sec)", "IPS"),
]


def run(name: str, folder: Path, terminal: bool) -> str:
    """What the script prints in library ``name``, on a terminal of 100 columns or into a pipe."""
    command = [sys.executable, "-c", SCRIPT, name, str(folder)]
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | {"TERM": "xterm"}
    if not terminal:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    child = subprocess.Popen(command, env=environment, stdout=slave, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    os.close(slave)
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(master)
    assert child.stderr is not None
    errors = child.stderr.read().decode()
    child.stderr.close()
    assert child.wait() == 0, errors
    return b"".join(parts).decode().replace("\r\n", "\n")


def normal(line: str) -> str:
    for pattern, name in NUMBERS:
        line = re.sub(pattern, name, line)
    return line.rstrip(" ")


def frames(text: str, folder: Path) -> list[list[str]]:
    """For each line the frames drawn on it, one after the other, without backspaces, numbers by their format."""
    lines = text.replace(str(folder), "FOLDER").replace("\b", "").split("\n")
    return [[normal(frame) for frame in line.split("\r")] for line in lines]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("ours")
    return run("lenet", folder, terminal=True), folder


def test_a_terminal_shows_what_paddle_shows(ours: tuple[str, Path], tmp_path: Path) -> None:
    theirs = frames(run("paddle", tmp_path, terminal=True), tmp_path)
    mine = frames(*ours)
    for got, expected in zip(mine, theirs, strict=False):
        assert got == expected
    assert len(mine) == len(theirs)
    assert len(mine) > 150  # the script has run to its end
    assert sorted(p.name for p in ours[1].iterdir()) == sorted(p.name for p in tmp_path.iterdir())


def test_a_frame_goes_back_over_the_one_before(ours: tuple[str, Path]) -> None:
    """Paddle writes as many backspaces as the last frame was wide, then a carriage return, then pads to that width."""
    redrawn = 0
    for line in ours[0].split("\n"):
        if "\r" not in line:
            assert "\b" not in line
            continue
        if "[" not in line:  # a pass of unknown length begins a new line after each frame, here as in Paddle
            continue
        width = 0
        head, *drawn = line.split("\r")
        backs = [len(head), *[len(frame) - len(frame.rstrip("\b")) for frame in drawn[:-1]]]
        assert head.strip("\b") == ""
        for back, frame in zip(backs, drawn, strict=True):
            text = frame.rstrip("\b")
            assert back == width
            assert len(text) >= width
            width = len(text.rstrip(" "))
            redrawn += back > 0
    assert redrawn > 10


def test_a_log_has_plain_lines(tmp_path: Path) -> None:
    text = run("lenet", tmp_path, terminal=False)
    assert "\b" not in text
    assert "\r" not in text
    assert "[=" not in text
    lines = [normal(line) for line in text.split("\n")]
    bar = lines[lines.index("verbose 1") : lines.index("verbose 2")]
    # 13 steps, every third is shown: at most one line for each tenth of the way
    expected = [f"step {n:2}/13 - loss: 0.0000 - acc_top1: 0.0000 - acc_top2: 0.0000 - PACE" for n in (3, 6, 9, 12, 13)]
    assert [line for line in bar if "/13" in line] == expected * 2
    assert sum(line.startswith("verbose") for line in lines) == 4


def test_a_long_pass_makes_ten_lines_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    bar = progbar._Bar(10000, verbose=1)
    for step in range(2, 10001, 2):
        bar.update(step, [])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == [f"step {n:5}/10000" for n in range(1000, 10001, 1000)]


@pytest.mark.parametrize(("columns", "width"), [(120, 30), (80, 30), (60, 10), (50, 0), (30, 0)])
def test_the_bar_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert progbar._Bar(10, verbose=1)._width == width


@pytest.mark.parametrize(
    ("seconds", "pace"),
    [
        (0, "0s/step"),
        (12.4, "12s/step"),
        (1.0, "1s/step"),
        (0.0316, "32ms/step"),
        (0.001, "1ms/step"),
        (25e-6, "25us/step"),
    ],
)
def test_time_per_step(seconds: float, pace: str) -> None:
    assert progbar._per_step(seconds) == pace


@pytest.mark.parametrize(
    ("seconds", "left"), [(0.9, "0s"), (28.7, "28s"), (60, "60s"), (61, "1:01"), (3600, "60:00"), (3661, "1:01:01")]
)
def test_time_left(seconds: float, left: str) -> None:
    assert progbar._time_left(seconds) == left


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "0.5000"), (0.001, "1.0000e-03"), (0.0, "0.0000e+00"), (-2.0, "-2.0000"), (3, "3"), ("3 sec", "3 sec")],
)
def test_numbers(value: object, shown: str) -> None:
    assert progbar._shown(value) == shown
