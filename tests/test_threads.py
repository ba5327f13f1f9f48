"""The same bits on any number of threads, in any situation: forked children, another affinity, two Python threads at once,
another library's rounding mode. And the levels agree on one step.

A machine with two processors still tests settings of 3 and 8: they ask for more than there is.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from at_once import at_once

import lenet
from lenet import _core, nn
from lenet.jit import plan
from lenet.nn import functional as F

THREADS = [1, 2, 3, 8]
COUNTS = [64, 64, 1, 300, 37]  # samples a step: 4, 1, 19 and 3 groups, so 4, 1, 16 and 3 shards


@pytest.fixture(autouse=True)
def _all_threads() -> Iterator[None]:
    yield
    lenet.set_num_threads(0)


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(seed)
    return random.standard_normal((400, 1, 28, 28)).astype(np.float32), random.randint(0, 10, 400)


def network(dropout: bool = True) -> Any:
    layers = [
        nn.Conv2D(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2D(2, 2),
        nn.Conv2D(6, 16, 5),
        nn.ReLU(),
        nn.AvgPool2D(2, 2),
    ]
    layers += [nn.Flatten(), nn.Linear(400, 60), nn.Tanh(), *([nn.Dropout(0.3)] if dropout else []), nn.Linear(60, 10)]
    return nn.Sequential(*layers)


def digest(net: Any) -> str:
    """SHA-256 over name, dtype, shape and bytes of every parameter, in the order of the names."""
    sha = hashlib.sha256()
    for name, p in sorted(net.named_parameters()):
        value = p.numpy()
        sha.update(f"{name} {value.dtype} {value.shape}".encode() + value.tobytes())
    return sha.hexdigest()


def train_plan(seed: int = 0) -> str:
    x, y = data(seed)
    lenet.seed(seed)
    net = network()
    adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=net.parameters(), weight_decay=1e-4)
    compiled = plan.compile(net, nn.CrossEntropyLoss(), adam, [lenet.to_tensor(x[:3])])
    assert isinstance(compiled, plan.Compiled), compiled
    order = np.random.RandomState(seed).randint(0, 400, sum(COUNTS)).astype(np.int64)
    losses, _ = compiled.train(x, None, y, order, COUNTS, [0.001] * len(COUNTS))
    return digest(net) + losses.tobytes().hex()


def train_eager(seed: int = 0, static: bool = False) -> str:
    x, y = data(seed)
    lenet.seed(seed)
    net = network()
    if static:
        lenet.jit.to_static(net)
    adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=net.parameters(), weight_decay=1e-4)
    order = np.random.RandomState(seed).randint(0, 400, sum(COUNTS))
    losses, at = [], 0
    for n in COUNTS:
        rows = order[at : at + n]
        at += n
        loss = F.cross_entropy(net(lenet.to_tensor(x[rows])), lenet.to_tensor(y[rows]))
        loss.backward()
        adam.step()
        adam.clear_grad()
        losses.append(loss.numpy().tobytes().hex())
    return digest(net) + "".join(losses)


def train_static(seed: int = 0) -> str:
    return train_eager(seed, static=True)


WAYS = [train_plan, train_eager, train_static]


@pytest.fixture(scope="module")
def alone() -> dict[Callable[..., str], str]:
    """Every way's result on one thread."""
    lenet.set_num_threads(1)
    return {way: way() for way in WAYS}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("threads", THREADS)
def test_any_number_of_threads_gives_the_same_bits(way: Any, threads: int, alone: Any) -> None:
    lenet.set_num_threads(threads)
    assert 1 <= lenet.get_num_threads() <= threads
    assert way() == alone[way]


def test_the_digest_sees_one_bit() -> None:
    lenet.seed(0)
    net = network()
    before, weight = digest(net), net[0].weight
    changed = weight.numpy()
    changed.ravel()[0] = np.nextafter(changed.ravel()[0], np.float32(9))
    weight.set_value(changed)
    assert digest(net) != before


def test_more_threads_than_processors_are_not_used() -> None:
    lenet.set_num_threads(0)
    most = lenet.get_num_threads()
    lenet.set_num_threads(10_000)
    assert lenet.get_num_threads() == most


@pytest.mark.parametrize(
    ("given", "error"), [(-1, ValueError), (1.5, TypeError), ("two", TypeError), (None, TypeError)]
)
def test_a_number_of_threads_that_is_none(given: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"set_num_threads\(\)"):
        lenet.set_num_threads(given)


# ---- fork --------------------------------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system with fork()")


def in_child(work: Callable[[], str]) -> str:
    """What ``work`` returns in a forked child; a child that hangs is killed after a minute and gives ''."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)
            os.write(writer, work().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # of Python 3.12 on: what it warns of is tested here
@pytest.mark.parametrize("way", WAYS)
def test_a_forked_child_trains(way: Any, alone: Any) -> None:
    assert way() == alone[way]  # the pool's threads exist now, and not in the child
    assert in_child(way) == alone[way]
    assert in_child(lambda: in_child(way)) == alone[way]  # nor in its own
    assert way() == alone[way]


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_a_forked_child_starts_threads_of_its_own() -> None:
    def threads() -> str:
        train_plan()
        return str(len(list(Path("/proc/self/task").iterdir())))

    train_plan()
    assert int(in_child(threads)) >= lenet.get_num_threads()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_in_the_middle_of_another_threads_work(alone: Any) -> None:
    stop = threading.Event()
    other = threading.Thread(target=lambda: [None for _ in iter(stop.is_set, True) if train_step() is None])
    train_step = _busy_work()
    other.start()
    try:
        for _ in range(3):
            assert in_child(train_plan) == alone[train_plan]
    finally:
        stop.set()
        other.join()


@needs_fork
@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", bool)() and sys.version_info >= (3, 13), reason="docs/threads.md"
)
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_while_another_thread_holds_the_same_plan_and_stream() -> None:
    """Their locks are held by a thread that the child doesn't have."""
    net = lenet.jit.to_static(network())
    batches = [lenet.to_tensor(data()[0][:n]) for n in (37, 400, 1)]

    def answers() -> str:
        lenet.seed(1)
        found = b""
        for x in batches:
            y = net(x)
            y.sum().backward()
            found += y.numpy().tobytes() + b"".join(p.grad.numpy().tobytes() for p in net.parameters())
            net.clear_gradients()
        return hashlib.sha256(found).hexdigest()

    wanted, stop = answers(), threading.Event()
    others = [
        threading.Thread(target=lambda x=x: [net(x) for _ in iter(stop.is_set, True)]) for x in (batches[1], batches[0])
    ]
    for other in others:
        other.start()
    try:
        found = [in_child(answers) for _ in range(12)]
    finally:
        stop.set()
        for other in others:
            other.join()
    assert found == [wanted] * 12


def _busy_work() -> Callable[[], None]:
    conv = _core.Conv(6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 0, 0, 1, 1, 1)
    x = _core.to_lanes(np.ones((64, 6, 14, 14), np.float32), 64)
    w = np.ones((16, 6, 5, 5), np.float32)

    def work() -> None:
        _core.conv2d(conv, 64, x, w, None)

    return work


# ---- affinity ----------------------------------------------------------------------------------------------------------

needs_affinity = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="needs a system with processor affinity"
)


@needs_affinity
def test_the_affinity_mask_is_followed(alone: Any) -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert lenet.get_num_threads() == 1
        assert train_plan() == alone[train_plan]
        os.sched_setaffinity(0, before)
        assert lenet.get_num_threads() == min(len(before), 64)
        assert train_plan() == alone[train_plan]
        assert train_eager() == alone[train_eager]
    finally:
        os.sched_setaffinity(0, before)


# ---- two Python threads ------------------------------------------------------------------------------------------------


def test_python_threads_that_compute_at_once_get_the_same_bits() -> None:
    conv = _core.Conv(6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 0, 0, 1, 1, 1)
    w = np.random.RandomState(0).standard_normal((16, 6, 5, 5)).astype(np.float32)

    def many(seed: int) -> list[bytes]:
        x = np.random.RandomState(seed).standard_normal((100, 6, 14, 14)).astype(np.float32)
        out = []
        for _ in range(20):
            lanes, dw = _core.to_lanes(x, 100), np.empty_like(w)
            y = _core.conv2d(conv, 100, lanes, w, None)
            _core.conv2d_backward(conv, 100, lanes, w, y, False, dw, None)
            out.append(dw.tobytes())
        return out

    wanted = [many(seed) for seed in range(3)]
    assert at_once(*(lambda seed=seed: many(seed) for seed in range(3))) == wanted
    assert all(len(set(results)) == 1 for results in wanted)


def test_networks_without_dropout_train_at_once_in_two_threads() -> None:
    def train(seed: int) -> Callable[[], str]:
        x, y = data(seed)
        lenet.seed(seed)
        net = network(dropout=False)
        sgd = lenet.optimizer.Momentum(learning_rate=0.01, parameters=net.parameters())
        compiled = plan.compile(net, nn.CrossEntropyLoss(), sgd, [lenet.to_tensor(x[:3])])
        assert isinstance(compiled, plan.Compiled), compiled
        order = np.random.RandomState(seed).randint(0, 400, 640).astype(np.int64)

        def work() -> str:
            for _ in range(5):
                compiled.train(x, None, y, order, [64] * 10, [0.01] * 10)
            return digest(net)

        return work

    wanted = [train(seed)() for seed in (1, 2)]
    assert at_once(train(1), train(2)) == wanted


def test_training_one_network_in_two_threads_is_refused() -> None:
    x, y = data()
    net = network()
    sgd = lenet.optimizer.SGD(learning_rate=0.01, parameters=net.parameters())
    compiled = plan.compile(net, nn.CrossEntropyLoss(), sgd, [lenet.to_tensor(x[:3])])
    assert isinstance(compiled, plan.Compiled), compiled
    before = digest(net)
    with (
        compiled._lock,
        pytest.raises(RuntimeError, match="the same network in two threads at once"),
    ):  # as a step would hold it
        compiled.train(x, None, y, np.arange(3), [3], [0.01])
    assert digest(net) == before
    compiled.train(x, None, y, np.arange(3), [3], [0.01])
    assert digest(net) != before


# ---- another library's floating-point environment ----------------------------------------------------------------------

FE_UPWARD, FLUSH = 0x800, 0x8040  # x86: round towards +inf; denormals to zero, in and out


@contextlib.contextmanager
def odd_environment() -> Iterator[Any]:
    """What a library may leave behind: rounding upwards, denormals flushed. Yields libm."""
    libm = ctypes.CDLL("libm.so.6")
    saved, odd = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)  # fenv_t: x87's 28 bytes, then MXCSR
    libm.fegetenv(saved)
    assert libm.fesetround(FE_UPWARD) == 0
    libm.fegetenv(odd)
    mxcsr = int.from_bytes(odd.raw[28:32], "little") | FLUSH
    libm.fesetenv(odd.raw[:28] + mxcsr.to_bytes(4, "little"))
    try:
        yield libm
    finally:
        libm.fesetenv(saved)


needs_mxcsr = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="sets MXCSR through glibc on x86-64"
)


@needs_mxcsr
def test_the_odd_environment_is_odd() -> None:
    one, tiny = np.ones(1, np.float32), np.full(1, 1e-40, np.float32)
    with odd_environment():
        assert (one + np.float32(1e-10))[0] > 1
        assert (tiny * np.float32(0.5))[0] == 0
    assert (one + np.float32(1e-10))[0] == 1


@needs_mxcsr
@pytest.mark.parametrize("threads", [1, 2])
def test_a_plan_computes_the_same_bits_in_any_environment(threads: int) -> None:
    x, y = data()
    results = []
    for odd in (False, True):
        lenet.set_num_threads(threads)
        lenet.seed(0)
        net = network()
        adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=net.parameters())
        compiled = plan.compile(net, nn.CrossEntropyLoss(label_smoothing=0.1), adam, [lenet.to_tensor(x[:3])])
        assert isinstance(compiled, plan.Compiled), compiled
        order, rates = np.arange(165) % 400, [0.001] * 3
        with odd_environment() if odd else contextlib.nullcontext():
            losses, logits = compiled.train(x, None, y, order, [64, 64, 37], rates)
            if odd:
                assert ctypes.CDLL("libm.so.6").fegetround() == FE_UPWARD  # given back as it was
        results.append((digest(net), losses.tobytes(), logits.tobytes()))
    assert results[0] == results[1]


@needs_mxcsr
def test_single_calls_compute_the_same_bits_in_any_environment() -> None:
    random = np.random.RandomState(0)
    x, w = (
        random.standard_normal((300, 5, 6, 6)).astype(np.float32),
        random.standard_normal((7, 5, 3, 3)).astype(np.float32),
    )
    g = (random.standard_normal(1000) * 1e-38).astype(np.float32)  # some denormal
    conv = _core.Conv(5, 6, 6, 7, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1)

    def all_of() -> list[bytes]:
        lanes = _core.to_lanes(x, 300)
        y, dw, db = _core.conv2d(conv, 300, lanes, w, None), np.empty_like(w), np.empty(7, np.float32)
        _core.conv2d_backward(conv, 300, lanes, w, y, False, dw, db)
        out = np.empty((300, 252), np.float32)
        _core.from_lanes(_core.softmax(252, 300, y), 300, out)
        p, m, v = np.ones(1000, np.float32), np.zeros(1000, np.float32), np.zeros(1000, np.float32)
        _core.adam([p], [g], [m], [v], 0.01, 0.9, 0.999, 1e-8, 0.81, 0.998, 0.0, 0.1)
        uniform, normal = np.empty(100, np.float32), np.empty(101, np.float32)
        generator = _core.Generator(3)
        generator.uniform(-1.0, 2.0, uniform)
        generator.normal(0.5, 2.0, normal)
        return [a.tobytes() for a in (dw, db, out, p, m, v, uniform, normal)]

    wanted = all_of()
    with odd_environment():
        got = all_of()
    assert got == wanted


# ---- levels ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["eager", "plan"])
def test_levels_agree_on_one_step(way: str) -> None:
    lenet.seed(4)
    x, y = data(4)
    net = lenet.LeNet()
    if way == "plan":
        lenet.jit.to_static(net)
    before = _core.level()
    steps: dict[str, list[np.ndarray]] = {}
    try:
        for name, usable, _ in reversed(_core.levels()):
            if not usable:
                continue
            assert _core.select_level(name) is None
            logits = net(lenet.to_tensor(x[:65]))
            loss = F.cross_entropy(logits, lenet.to_tensor(y[:65]))
            loss.backward()
            assert _core.level() == name
            steps[name] = [logits.numpy(), loss.numpy(), *(p.grad.numpy() for p in net.parameters())]
            for p in net.parameters():
                p.clear_gradient()
    finally:
        _core.select_level(before)
    plain = steps.pop("reference")
    assert steps
    for name, step in steps.items():
        for ours, wanted in zip(step, plain, strict=True):
            # rounding alone, on a batch without near-ties
            assert np.linalg.norm(ours - wanted) <= 1e-5 * np.linalg.norm(wanted), name


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_while_another_thread_opens_a_picture_opens_one_too(tmp_path: Path) -> None:
    from PIL import Image

    from lenet.reading import open_pages
    from lenet.reading.sources import decode

    path = tmp_path / "page.png"
    Image.new("L", (40, 30), 255).save(path)
    usual = Image.MAX_IMAGE_PIXELS
    with decode._quiet(1 << 20), decode._lock, decode._PDFIUM:
        found = in_child(lambda: f"{usual == Image.MAX_IMAGE_PIXELS} {next(open_pages(path)).rgb.shape}")
    assert found == "True (30, 40, 3)"
