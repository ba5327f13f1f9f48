"""Where memory, threads or numbers end: an exception with a sentence in the caller's thread, never a signal.

Each limit is set in a process of its own: it can't be lifted again.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import _core, nn

needs_limits = pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="reads its own size from /proc")

SMALL = """
import os, resource, sys, threading, time
import numpy as np
import lenet
def limit(more):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))
"""


def child(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", SMALL + code, *args], capture_output=True, text=True, timeout=100)


# ---- memory --------------------------------------------------------------------------------------------------------


@needs_limits
@pytest.mark.parametrize("megabytes", [60, 100, 150, 250])
def test_no_memory_in_a_worker_is_a_memory_error(megabytes: int) -> None:
    """A frame of 9 million numbers in each of two threads; afterwards the pool goes on as if nothing had been."""
    done = child(
        """
lenet.set_num_threads(2)
large, small = lenet.nn.Conv2D(1, 1, 1, padding=700, stride=700), lenet.nn.Conv2D(1, 1, 3)
x = lenet.zeros([64, 1, 28, 28])
wanted = small(x).numpy().tobytes()
limit(int(sys.argv[1]) * 10**6)
try:
    large(x)
    print("fits")
except MemoryError:
    print("no memory")
for _ in range(50):
    assert small(x).numpy().tobytes() == wanted
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
large(x)
""",
        str(megabytes),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("fits\n", "no memory\n")
    assert megabytes > 100 or done.stdout == "no memory\n"


@needs_limits
def test_a_plan_that_found_no_memory_to_grow_still_answers() -> None:
    done = child(
        """
net = lenet.jit.to_static(lenet.LeNet())
few, many = lenet.zeros([20, 1, 28, 28]), lenet.zeros([20_000, 1, 28, 28])
wanted = net(few).numpy().tobytes()
many.lanes()
limit(100 * 10**6)
for x in (many, many):
    try:
        net(x)
        print("fits")
    except MemoryError:
        print("no memory")
    loss = net(few)
    assert loss.numpy().tobytes() == wanted
    loss.sum().backward()
"""
    )
    assert (done.returncode, done.stdout) == (0, "no memory\n" * 2), done.stderr


def test_more_memory_than_the_machine_has_free_is_refused_before_it_is_taken() -> None:
    """Linux promises memory it doesn't have, and ends the process that uses it."""
    with pytest.raises(MemoryError, match=r"the engine needs 4\d\d\d\d\.\d GB at once, and [\d.]+ GB are free"):
        _core.Buffer(10**13)
    with pytest.raises(ValueError, match="a size beyond 64 bits"):
        _core.Buffer(2**62)
    with pytest.raises(MemoryError):
        _core.Buffer(2**59)


# ---- threads -------------------------------------------------------------------------------------------------------


@needs_limits
def test_a_system_without_threads_is_told_of_once_and_asked_again() -> None:
    """A thread's stack takes 8 MB of address space: with less there is none to be had, until the limit is lifted."""
    if _core.num_threads() < 2:
        pytest.skip("needs two processors")
    done = child(
        """
import threading
def threads():
    return len(os.listdir("/proc/self/task"))
conv, x = lenet.nn.Conv2D(1, 1, 3), lenet.zeros([64, 1, 28, 28])
lenet.set_num_threads(1)
wanted = conv(x).numpy().tobytes()
lenet.set_num_threads(2)
before = threads()
limit(6 * 2**20)
for _ in range(3):
    assert conv(x).numpy().tobytes() == wanted
assert threads() == before
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
conv(x)
assert threads() == before  # not asked at every call
time.sleep(1.1)
assert conv(x).numpy().tobytes() == wanted
assert threads() == before + 1
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "lenet: the system gives 1 of 2 threads; computing goes on with these, more slowly\n"


# ---- the end of the program ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", ["net(x)", "quiet(x)", "net(x).sum().backward()", "lenet.rand([1000])"])
def test_a_program_ends_with_daemon_threads_in_the_engine(work: str) -> None:
    done = child(
        f"""
net = lenet.jit.to_static(lenet.LeNet())
x = lenet.zeros([100, 1, 28, 28])
@lenet.no_grad()
def quiet(x):
    return net(x)
def forever():
    while True:
        {work}
for _ in range(3):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.3)
print("bye")
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "bye\n", "")


def test_what_runs_at_exit_may_compute() -> None:
    """Registered before the engine's own, so run after it: by the thread that ends the program."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import atexit\natexit.register(lambda: print(lenet.nn.functional.relu(lenet.ones([2])).tolist()))\nimport lenet",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[1.0, 1.0]\n", "")


# ---- sizes ---------------------------------------------------------------------------------------------------------

HUGE = [2**27, 2**29 - 14, 2**31 - 1, 2**31, 2**32 + 1, 2**63, 2**64, 10**30]
LAYERS: dict[str, Callable[[int], Any]] = {
    "padding": lambda n: nn.Conv2D(1, 1, 1, padding=n),
    "one side": lambda n: nn.Conv2D(1, 1, 1, padding=[0, n, 0, 0]),
    "dilation": lambda n: nn.Conv2D(1, 1, 2, dilation=n),
    "stride": lambda n: nn.Conv2D(1, 1, 2, stride=n),
    "pool": lambda n: nn.MaxPool2D(n, padding=n - 1),
    "pool stride": lambda n: nn.AvgPool2D(2, stride=n),
    "pool divisor": lambda n: nn.AvgPool2D(2, divisor_override=n),
}


@pytest.mark.parametrize("n", [1, 16])
@pytest.mark.parametrize("what", LAYERS)
@pytest.mark.parametrize("size", HUGE)
def test_a_size_beyond_all_reason_is_a_sentence(what: str, size: int, n: int) -> None:
    layer = LAYERS[what](size)
    with pytest.raises(ValueError, match="expected at") as error:
        layer(lenet.zeros([n, 1, 28, 28]))
    assert len(str(error.value)) < 300
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("padding", [4100, 2**15, 2**20, 2**26])
def test_an_image_padded_beyond_all_reason_is_a_sentence(padding: int) -> None:
    with pytest.raises(ValueError, match=r"padded image: got 1 x \d+ x \d+ numbers, expected at most 67108864"):
        nn.Conv2D(1, 1, 1, padding=padding)(lenet.zeros([1, 1, 28, 28]))


@pytest.mark.parametrize("n", [1, 16])
@pytest.mark.parametrize("step", [29, 100, 2**16, 2**26])
def test_a_step_beyond_the_image_is_as_one_that_just_leaves_it(step: int, n: int) -> None:
    x = lenet.to_tensor(np.random.RandomState(0).standard_normal((n, 1, 28, 28)).astype(np.float32))
    lenet.seed(0)
    conv = nn.Conv2D(1, 3, 5, stride=28)
    far = nn.Conv2D(1, 3, 5, stride=step)
    far.set_state_dict(conv.state_dict())
    np.testing.assert_array_equal(far(x).numpy(), conv(x).numpy())
    for pool in (nn.MaxPool2D, nn.AvgPool2D):
        for ceil in (False, True):
            near = pool(5, stride=28, ceil_mode=ceil)(x).numpy()
            np.testing.assert_array_equal(pool(5, stride=step, ceil_mode=ceil)(x).numpy(), near)


def test_the_core_itself_takes_no_size_on_trust() -> None:
    x = _core.to_lanes(np.zeros((16, 4), np.float32), 16)
    w = np.zeros(1, np.float32)
    for call in (
        lambda: _core.linear(-1, -1, 16, x, w, None),
        lambda: _core.linear(4, 0, 16, x, w[:0], None),
        lambda: _core.linear(4, 1, -16, x, np.zeros(4, np.float32), None),
        lambda: _core.softmax(-4, 16, x),
        lambda: _core.softmax(4, 2**31 - 1, x),
        lambda: _core.class_targets(2**30, 1, np.zeros(1, np.int64), 0.0, x),
        lambda: _core.to_lanes(np.zeros(0, np.float32), 2**40),
        lambda: _core.from_lanes(x, 2**33, np.zeros(0, np.float32)),
        lambda: _core.Plan(4, [("linear", [0], -2, -2, 0, -1)], [(1, 2, 1)], [w], [True], [w]),
        lambda: _core.Plan(2**20, [("linear", [0], 2**20, 2**20, 0, -1)], [(1, 2**20, 1)], [w], [True], [w]),
        lambda: _core.Plan(0, [("relu", [0], 0, 0.0)], [(1, 0, 1)], [], [], []),
        lambda: _core.Plan(4, [("relu", [0], 2**40, 0.0)], [(1, 4, 1)], [], [], []),
        lambda: _core.Conv(1, 2**20, 2**20, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1),
        lambda: _core.Conv(1, 28, 28, 1, 2**26, 1, 1, 1, 2**26, 2**26, 0, 0, 2**26, 1, 1),
        lambda: _core.Pool(2**20, 2**20, 1, 1, 1, 1, 1, 0, 0, 0, 0, False, True, 0),
    ):
        with pytest.raises(ValueError, match=r"expected|match|hold|row of no|larger") as error:
            call()
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [1, 2, 3, 28])
def test_pools_of_every_rounding_have_their_windows_on_the_image(size: int) -> None:
    for k in range(1, size + 1):
        for s in range(1, size + 3):
            for pad in range(k):
                for ceil in (False, True):
                    if size == 28 and (k % 9, s % 7) != (2, 3):
                        continue
                    pool = _core.Pool(1, size, size, k, k, s, s, pad, pad, pad, pad, ceil, True, 0)
                    n = (size + 2 * pad - k + (s - 1 if ceil else 0)) // s + 1
                    while n > 1 and (n - 1) * s >= size + pad:  # no window starts beyond the image
                        n -= 1
                    assert [n] * 2 == [pool.OH, pool.OW]


# ---- the random stream's state -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "start", "after"),
    [  # as GNU libstdc++ writes std::mt19937_64
        (0, "9cf924deb6b100790926533e3e5311533e67183b50f9db53d0753318b5ecfe97", "f1d30622db91720c"),
        (7, "063c97da2faf2f5d97bbf8197aebb56f67364b765b1384e1d1d7ed40184cd171", "1f8853ad1726991d"),
        (2**32 + 7, "063c97da2faf2f5d97bbf8197aebb56f67364b765b1384e1d1d7ed40184cd171", "1f8853ad1726991d"),
    ],
)
def test_the_streams_state_is_the_text_it_has_always_been(seed: int, start: str, after: str) -> None:
    stream = _core.Generator(seed)
    assert hashlib.sha256(stream.get_state().encode()).hexdigest() == start
    stream.uniform(0.0, 1.0, np.empty(1000, np.float32))
    stream.normal(0.0, 1.0, np.empty(333, np.float32))
    state = stream.get_state()
    assert hashlib.sha256(state.encode()).hexdigest().startswith(after)
    assert len(state.split()) == 313
    other, ours, theirs = _core.Generator(1), np.empty(77, np.int64), np.empty(77, np.int64)
    other.set_state("  " + state.replace(" ", "\n", 5) + "\n")  # white space of any kind, as a stream reads it
    stream.permutation(ours)
    other.permutation(theirs)
    np.testing.assert_array_equal(ours, theirs)


def test_a_text_that_is_no_state_changes_nothing() -> None:
    stream = _core.Generator(5)
    before = stream.get_state()
    words = before.split()
    for text in (
        "",
        "0",
        before[:-3],
        before + " 7",
        " ".join([*words[:-1], "313"]),  # an index beyond the words
        " ".join([*words[:-1], "-1"]),
        " ".join([str(2**64), *words[1:]]),
        before.replace(" ", ",", 1),
        before.replace(words[3], "1e5", 1),
        "\0" * 100,
    ):
        with pytest.raises(ValueError, match="not a state"):
            stream.set_state(text)
        assert stream.get_state() == before
