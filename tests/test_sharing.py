"""One network, one stream, one model in several Python threads at once: each gets what it gets alone, to the bit.

``test_threads`` has the pool's threads; ``bench/reliability`` does at length what stands here in short.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from at_once import at_once

import lenet
from lenet import _core, nn
from lenet.autograd import tape
from lenet.jit import plan
from lenet.nn import functional as F
from lenet.nn.layer import mutations


def images(n: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal((n, 1, 28, 28)).astype(np.float32)


def network(seed: int = 0) -> Any:
    lenet.seed(seed)
    return lenet.LeNet()


SIZES = [1, 3, 9, 64, 200]  # few images, one group, many; each thread its own, so that the arena has to grow


def test_a_static_network_recording_or_not() -> None:
    net = lenet.jit.to_static(network())
    batches = [images(n, n) for n in SIZES]

    def ask(x: np.ndarray, record: bool) -> Callable[[], set[bytes]]:
        def work() -> set[bytes]:
            t = lenet.to_tensor(x)
            if record:
                return {net(t).numpy().tobytes() for _ in range(30)}
            with lenet.no_grad():
                return {net(t).numpy().tobytes() for _ in range(30)}

        return work

    work = [ask(x, record) for x in batches for record in (True, False)]
    wanted = [one() for one in work]
    assert all(len(answers) == 1 for answers in wanted)
    for _ in range(3):
        fresh = lenet.jit.to_static(network())  # nothing compiled, nothing grown: all of them come first
        net = fresh
        assert at_once(*work) == wanted


def test_each_backward_belongs_to_its_own_forward() -> None:
    net = network()
    chain = plan.compile(net, None, None, [lenet.to_tensor(images(1))])
    assert isinstance(chain, plan.Chain)
    stream = _core.Generator(0)

    def gradients(n: int) -> Callable[[], list[bytes]]:
        x = lenet.to_tensor(images(n, n)).lanes()
        dy = lenet.to_tensor(np.random.RandomState(n).standard_normal((n, 10)).astype(np.float32)).lanes()

        def work() -> list[bytes]:
            found = []
            for _ in range(20):
                _, forward_pass = chain.core.forward(x, n, False, stream)
                grads = [np.empty(p.shape, np.float32) for p in chain.params]
                chain.core.backward(dy, x, forward_pass, grads)
                found.append(b"".join(g.tobytes() for g in grads))
            return found

        return work

    work = [gradients(n) for n in SIZES]
    wanted = [one() for one in work]
    assert all(len(set(found)) == 1 for found in wanted)
    assert at_once(*work) == wanted


def test_dropout_masks_come_back_for_a_backward_whose_pass_was_overtaken() -> None:
    lenet.seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 30), nn.Dropout(0.5), nn.Linear(30, 10))
    lenet.jit.to_static(net)
    first, second = lenet.to_tensor(images(20, 1)), lenet.to_tensor(images(50, 2))

    def gradient(overtaken: bool) -> tuple[list[bytes], str]:
        lenet.seed(5)
        loss = net(first).sum()
        if overtaken:
            net(second)
        loss.backward(retain_graph=True)
        loss.backward()
        found = [p.grad.numpy().tobytes() for p in net.parameters()]
        net.clear_gradients()
        if not overtaken:
            net(second)
        return found, lenet.autograd.random.generator().get_state()

    assert gradient(True) == gradient(False)  # and the stream isn't drawn from once more


def test_evaluation_of_many_images() -> None:
    net = network()
    chain = plan.compile(net.eval(), None, None, [lenet.to_tensor(images(1))])
    assert isinstance(chain, plan.Chain)
    batches = [images(n, n) for n in (9, 40, 300, 700)]
    wanted = [chain.infer(x).tobytes() for x in batches]

    def ask(i: int) -> Callable[[], set[bytes]]:
        return lambda: {chain.infer(batches[i]).tobytes() for _ in range(20)}

    assert at_once(*(ask(i) for i in range(4))) == [{w} for w in wanted]


def test_answers_while_the_weights_change_and_after() -> None:
    """Meanwhile an answer may be made of both; it is finite, and the last weights count as soon as they are there."""
    net = lenet.jit.to_static(
        nn.Sequential(
            nn.Conv2D(1, 32, 5, padding=2), nn.ReLU(), nn.Conv2D(32, 32, 5), nn.Flatten(), nn.Linear(18432, 3)
        )
    )
    net.eval()
    random = np.random.RandomState(0)
    weights = [random.standard_normal(net[2].weight.shape).astype(np.float32) * 0.01 for _ in range(2)]
    x, many = lenet.to_tensor(images(1)), lenet.to_tensor(images(20))
    stop = threading.Event()

    def ask(x: Any) -> Callable[[], bool]:
        def work() -> bool:
            with lenet.no_grad():
                answers = [bool(np.isfinite(net(x).numpy()).all())]
                while not stop.is_set():
                    answers.append(bool(np.isfinite(net(x).numpy()).all()))
            return all(answers)

        return work

    def change() -> bool:
        try:
            for i in range(200):
                net[2].weight.set_value(weights[i % 2])
        finally:
            stop.set()
        return True

    assert all(at_once(ask(x), ask(x), ask(many), change))
    with lenet.no_grad():
        fresh = lenet.jit.to_static(copy.deepcopy(net))
        np.testing.assert_array_equal(net(x).numpy(), fresh(x).numpy())
        np.testing.assert_array_equal(net(many).numpy(), fresh(many).numpy())


# ---- what each thread has of its own -------------------------------------------------------------------------------


def test_no_grad_is_each_threads_own() -> None:
    inside, done = threading.Event(), threading.Event()

    def quiet() -> bool:
        with lenet.no_grad():
            inside.set()
            assert done.wait(20)
            return lenet.is_grad_enabled()

    def loud() -> bool:
        assert inside.wait(20)
        try:
            return lenet.is_grad_enabled() and not F.relu(network().linear3.weight).stop_gradient
        finally:
            done.set()

    assert at_once(quiet, loud) == [False, True]
    assert lenet.is_grad_enabled()


def test_blocks_of_no_grad_that_overlap_leave_recording_on() -> None:
    first, second = threading.Event(), threading.Event()

    def one() -> None:
        with lenet.no_grad():
            first.set()
            assert second.wait(20)

    def two() -> None:
        assert first.wait(20)
        with lenet.no_grad():
            second.set()

    at_once(one, two)
    assert all(at_once(lenet.is_grad_enabled, lenet.is_grad_enabled))


def test_a_network_is_compiled_while_others_compute_read_and_change() -> None:
    other, stop = network(1), threading.Event()

    def noise() -> bool:
        while not stop.is_set():
            other(lenet.to_tensor(images(2))).numpy()
            other.train()
            other.eval()
            lenet.rand([3])
        return True

    def compile_again() -> list[str]:
        try:
            net = network(2)
            found = [plan.trace(net.eval(), lenet.to_tensor(images(2))) for _ in range(40)]
        finally:
            stop.set()
        return [chain if isinstance(chain, str) else "" for chain in found]

    assert at_once(compile_again, noise, noise)[0] == [""] * 40


def test_a_change_in_the_middle_of_compiling_is_not_overlooked() -> None:
    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(784, 10)

        def forward(self, x: Any) -> Any:
            thread = threading.Thread(target=other.eval if other.training else other.train)
            thread.start()
            thread.join()
            return self.last(lenet.flatten(x, 1))

    other = network()
    chain = plan.trace(Net(), lenet.to_tensor(images(2)))
    assert isinstance(chain, plan.Chain)
    assert chain.stale()  # it might have been a change of this network


def test_the_random_stream_is_handed_out_in_whole_draws() -> None:
    stream, alone = _core.Generator(3), _core.Generator(3)
    wanted = np.empty((40, 500), np.float32)
    for row in wanted:
        alone.uniform(0.0, 1.0, row)

    def draw() -> list[bytes]:
        found = []
        for _ in range(10):
            row = np.empty(500, np.float32)
            stream.uniform(0.0, 1.0, row)
            found.append(row.tobytes())
        return found

    found = [row for rows in at_once(*[draw] * 4) for row in rows]
    assert sorted(found) == sorted(row.tobytes() for row in wanted)
    assert stream.get_state() == alone.get_state()


def test_networks_made_at_once_have_names_of_their_own() -> None:
    def names() -> list[str]:
        return [p.name for _ in range(20) for p in lenet.LeNet().parameters()]

    found = [name for some in at_once(*[names] * 4) for name in some]
    assert len(set(found)) == len(found)


def test_graphs_grow_at_once() -> None:
    def orders() -> list[int]:
        x = lenet.to_tensor(np.ones(3, np.float32), stop_gradient=False)
        found = []
        for _ in range(500):
            x = F.relu(x)
            found.append(x._node.order)
        return found

    for found in at_once(*[orders] * 4):
        assert found == sorted(set(found))


# ---- Model ---------------------------------------------------------------------------------------------------------


def model_of(net: Any, rate: float = 0.01) -> lenet.Model:
    model = lenet.Model(net)
    adam = lenet.optimizer.Adam(rate, parameters=net.parameters())
    model.prepare(adam, nn.CrossEntropyLoss(), lenet.metric.Accuracy())
    return model


def digits(n: int = 200) -> lenet.io.TensorDataset:
    labels = np.random.RandomState(0).randint(0, 10, (n, 1))
    return lenet.io.TensorDataset([lenet.to_tensor(images(n)), lenet.to_tensor(labels)])


def test_a_model_answers_eight_threads_while_a_ninth_trains_another() -> None:
    model = model_of(network())
    x = images(20)
    wanted = [model.predict_batch([x[:n]])[0].tobytes() for n in (1, 8, 20)]
    trained = network(1)
    model_of(trained).fit(digits(), batch_size=50, epochs=3, verbose=0)
    again = network(1)

    def ask() -> bool:
        return all([model.predict_batch([x[:n]])[0].tobytes() for n in (1, 8, 20)] == wanted for _ in range(20))

    def train() -> bool:
        model_of(again).fit(digits(), batch_size=50, epochs=3, verbose=0)
        return True

    assert all(at_once(*[ask] * 8, train))
    for p, q in zip(trained.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


@pytest.mark.parametrize("planned", [True, False])
def test_predicting_beside_a_training_of_the_same_model_leaves_its_mode_alone(planned: bool) -> None:
    modes: set[tuple[bool, bool, bool]] = set()  # (in training, of the network, of its dropout)
    begun, stop = threading.Event(), threading.Event()

    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.drop = nn.Linear(784, 10), nn.Dropout(0.5)

        def forward(self, x: Any) -> Any:
            modes.add((threading.get_ident() == trainer[0], self.training, self.drop.training))
            y = self.drop(lenet.flatten(x, 1))
            return self.last(y if planned else y.abs())

    class Begun(lenet.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            begun.set()

    lenet.seed(0)
    model, x, trainer = model_of(Net()), images(3), [0]

    def predict() -> bool:
        assert begun.wait(20)
        finite = []
        while not stop.is_set():
            finite.append(bool(np.isfinite(model.predict_batch([x])[0]).all()))
        return all(finite)

    def train() -> bool:
        trainer[0] = threading.get_ident()
        try:
            model.fit(digits(), batch_size=20, epochs=4, verbose=0, callbacks=[Begun()])
        finally:
            begun.set()
            stop.set()
        return True

    assert all(at_once(predict, predict, train))
    assert modes == {(True, True, True), (False, False, False)}
    assert (model.plan_reason is None) == planned


@pytest.mark.parametrize("what", ["fit", "evaluate", "train_batch", "eval_batch"])
def test_a_second_thread_may_not_train_or_measure_the_same_model(what: str) -> None:
    model, found = model_of(network()), []

    def use() -> None:
        try:
            if what in ("fit", "evaluate"):
                getattr(model, what)(digits(20), verbose=0)
            else:
                getattr(model, what)([images(2)], [np.zeros((2, 1), np.int64)])
        except RuntimeError as error:
            found.append(str(error))

    class Callback(lenet.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            if step == 0:
                thread = threading.Thread(target=use)
                thread.start()
                thread.join()
                use()  # its own thread may: callbacks evaluate

    model.fit(digits(20), batch_size=10, verbose=0, callbacks=[Callback()])
    assert len(found) == 1
    assert "another thread trains or evaluates" in found[0]
    use()
    assert len(found) == 1  # afterwards the model is free


def test_the_count_of_changes_is_everybodys_and_ones_own() -> None:
    net = network()
    before, own = mutations(), nn.layer.own_mutations()
    at_once(lambda: net.eval())
    assert mutations() > before
    assert nn.layer.own_mutations() == own


def test_rows_are_recorded_by_the_thread_that_runs_them() -> None:
    seen, started, done = tape.Trace(), threading.Event(), threading.Event()

    def watch() -> int:
        with tape.Trace() as seen_here:
            started.set()
            assert done.wait(20)
            F.relu(lenet.to_tensor(np.ones(3, np.float32)))
        return len(seen_here.nodes)

    def compute() -> int:
        assert started.wait(20)
        F.relu(lenet.to_tensor(np.ones(3, np.float32))).numpy()
        done.set()
        return len(seen.nodes)

    assert at_once(watch, compute) == [1, 0]
