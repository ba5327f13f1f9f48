"""Metrics against real Paddle's, number by number, and against cases worked by hand."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from lenet import metric
from lenet.autograd.tensor import Tensor, to_tensor

NAN = float("nan")


def batches(count: int, n: int, classes: int, seed: int = 0) -> list[tuple[Any, Any]]:
    """Scores on a grid of quarters, so that ties are frequent, and labels."""
    random = np.random.RandomState(seed)
    grid = [random.randint(-4, 5, (n, classes)).astype(np.float32) / 4 for _ in range(count)]
    return [(scores, random.randint(0, classes, (n, 1)).astype(np.int64)) for scores in grid]


LABEL_FORMS = {
    "[N, 1]": lambda y: y,
    "[N]": lambda y: y[:, 0],
    "int32": lambda y: y.astype(np.int32),
    "float": lambda y: y.astype(np.float32),
    "one-hot": lambda y: np.eye(10, dtype=np.float32)[y[:, 0]],
}


@pytest.mark.parametrize("form", LABEL_FORMS)
@pytest.mark.parametrize("topk", [(1,), (1, 5), (2,), (3, 1)])
def test_accuracy_equals_paddles(form: str, topk: tuple[int, ...], paddle: Any) -> None:
    ours, theirs = metric.Accuracy(topk), paddle.metric.Accuracy(topk)
    assert ours.name() == theirs.name()
    for scores, y in batches(3, 17, 10):
        label = LABEL_FORMS[form](y)
        mine = ours.compute(to_tensor(scores), to_tensor(label))
        other = theirs.compute(paddle.to_tensor(scores), paddle.to_tensor(label))
        assert isinstance(mine, Tensor)
        assert mine.dtype == "float32"
        np.testing.assert_array_equal(mine.numpy(), other.numpy())
        assert ours.update(mine) == theirs.update(other)
        assert ours.accumulate() == theirs.accumulate()
    ours.reset()
    assert ours.accumulate() == (0.0 if len(topk) == 1 else [0.0] * len(topk))


def test_accuracy_ranks_ties_and_nan_as_paddle(paddle: Any) -> None:
    scores = np.array([[1, NAN, 3, 3], [NAN] * 4, [2, 2, 2, 2], [NAN, 1, NAN, 0], [0, -0.0, -1, 0]], np.float32)
    for column in range(4):
        label = np.full((5, 1), column)
        for topk in ((1,), (4,)):
            mine = metric.Accuracy(topk).compute(to_tensor(scores), to_tensor(label))
            theirs = paddle.metric.Accuracy(topk).compute(paddle.to_tensor(scores), paddle.to_tensor(label))
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy(), err_msg=f"label {column}, topk {topk}")


def test_accuracy_by_hand_gives_plain_floats() -> None:
    acc = metric.Accuracy()
    scores = np.array([[0, 1], [1, 0], [0, 1], [0, 1]], np.float32)
    batch = acc.update(acc.compute(scores, np.array([1, 1, 1, 0])))
    assert batch == 0.5
    assert type(batch) is float
    acc.update(acc.compute(scores[:1], np.array([[1]])).numpy())
    assert acc.accumulate() == 0.6
    assert type(acc.accumulate()) is float
    assert (acc.total, acc.count) == ([3.0], [5])


def test_accuracy_names() -> None:
    assert metric.Accuracy().name() == ["acc"]
    assert metric.Accuracy(name="right").name() == ["right"]
    assert metric.Accuracy((1, 5), name="right").name() == ["right_top1", "right_top5"]


def test_accuracy_of_labels_that_are_no_class_is_zero(paddle: Any) -> None:
    scores = np.eye(3, dtype=np.float32)
    for topk in ((1,), (3,)):
        mine = metric.Accuracy(topk).compute(scores, np.array([-1, 3, 2])).numpy()
        theirs = paddle.metric.Accuracy(topk).compute(paddle.to_tensor(scores), paddle.to_tensor([-1, 3, 2])).numpy()
        np.testing.assert_array_equal(mine, theirs)


def test_accuracy_with_fewer_classes_than_k(paddle: Any) -> None:
    scores, label = np.array([[1, 2, 3]], np.float32), np.array([[0]])
    mine = metric.Accuracy((5,)).compute(to_tensor(scores), to_tensor(label))
    theirs = paddle.metric.Accuracy((5,)).compute(paddle.to_tensor(scores), paddle.to_tensor(label))
    assert mine.shape == theirs.shape == [1, 3]


@pytest.mark.parametrize("topk", [(1,), (1, 3)])
@pytest.mark.parametrize("last_axis", [False, True])
def test_bulk_update_equals_batch_by_batch(topk: tuple[int, ...], last_axis: bool) -> None:
    fed = batches(6, 13, 10, seed=3)
    one, bulk, single = (metric.Accuracy(topk) for _ in range(3))
    for scores, y in fed:
        last = one.update(one.compute(to_tensor(scores), to_tensor(y)))
        assert single._update_logits(scores, y if last_axis else y[:, 0]) == last
    labels = np.stack([y for _, y in fed])
    seen = bulk._update_logits(np.stack([scores for scores, _ in fed]), labels if last_axis else labels[..., 0])
    assert seen == last
    assert (bulk.total, bulk.count) == (one.total, one.count) == (single.total, single.count)


# ---- the function ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_accuracy_function_equals_paddles(k: int, dtype: str, paddle: Any) -> None:
    random = np.random.RandomState(k)
    scores, label = random.randn(33, 7).astype(np.float32), random.randint(0, 7, (33, 1)).astype(dtype)
    ours = metric.accuracy(to_tensor(scores), to_tensor(label), k)
    theirs = paddle.metric.accuracy(paddle.to_tensor(scores), paddle.to_tensor(label), k)
    assert ours.item() == theirs.item()
    assert (ours.shape, ours.dtype, ours.stop_gradient) == ([], "float32", True)
    assert metric.accuracy(scores, label[:, 0], k).item() == ours.item()  # Paddle refuses [N]


def test_accuracy_function_takes_the_first_of_equals() -> None:
    """Paddle's own function prefers another one of them, and another than its Accuracy does."""
    scores = np.zeros((1, 10), np.float32)
    assert metric.accuracy(to_tensor(scores), to_tensor([[0]])).item() == 1.0
    assert metric.accuracy(to_tensor(scores), to_tensor([[9]])).item() == 0.0


def test_accuracy_function_fills_correct_and_total() -> None:
    correct, total = to_tensor([0], "int32"), to_tensor(0)
    metric.accuracy(to_tensor(np.eye(3, dtype=np.float32)), to_tensor([[0], [1], [0]]), correct=correct, total=total)
    assert (correct.tolist(), total.item()) == ([2], 3)


# ---- two classes ----------------------------------------------------------------------------------------------------


def binary(n: int, seed: int) -> tuple[Any, Any]:
    random = np.random.RandomState(seed)
    return (random.randint(0, 21, (n, 1)) / 20).astype(np.float32), random.randint(0, 2, (n, 1))


@pytest.mark.parametrize("kind", ["Precision", "Recall"])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("tensors", [False, True])
def test_precision_and_recall_equal_paddles(kind: str, flat: bool, tensors: bool, paddle: Any) -> None:
    ours, theirs = getattr(metric, kind)(), getattr(paddle.metric, kind)()
    assert ours.name() == theirs.name()
    assert ours.accumulate() == theirs.accumulate() == 0.0
    for seed in range(3):
        p, t = binary(40, seed)  # a value of exactly 1/2 is among them
        if flat:
            p, t = p[:, 0], t[:, 0]
        ours.update(*((to_tensor(p), to_tensor(t)) if tensors else (p, t)))
        theirs.update(*((paddle.to_tensor(p), paddle.to_tensor(t)) if tensors else (p, t)))
        assert ours.accumulate() == theirs.accumulate()
        assert type(ours.accumulate()) is float
    ours.reset()
    assert ours.accumulate() == 0.0


def test_precision_and_recall_by_hand() -> None:
    p, t = np.array([0.9, 0.8, 0.1, 0.2, 0.7]), np.array([1, 0, 1, 0, 1])
    precision, recall = metric.Precision(), metric.Recall("found")
    precision.update(p, t)
    recall.update(p, t)
    assert (precision.tp, precision.fp, recall.tp, recall.fn) == (2, 1, 2, 1)
    assert recall.name() == "found"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        precision.update(np.array([NAN]), np.array([1]))
    assert precision.accumulate() == 2 / 3


@pytest.mark.parametrize("bins", [4095, 10])
def test_auc_equals_paddles(bins: int, paddle: Any) -> None:
    ours, theirs = metric.Auc(num_thresholds=bins), paddle.metric.Auc(num_thresholds=bins)
    assert ours.name() == theirs.name() == "auc"
    assert ours.accumulate() == theirs.accumulate() == 0.0
    random = np.random.RandomState(1)
    for n in (1, 50, 200):
        score = random.rand(n).astype(np.float32)
        label = (random.rand(n, 1) < score[:, None]).astype(np.int64)
        pair = np.stack([1 - score, score], axis=1)
        ours.update(to_tensor(pair), to_tensor(label))
        theirs.update(pair, label)
        assert ours.accumulate() == pytest.approx(theirs.accumulate(), rel=1e-14)  # ours sums whole numbers
    ours.reset()
    assert ours.accumulate() == 0.0


def test_auc_by_hand() -> None:
    auc = metric.Auc("PR", name="area")
    score = np.array([0.9, 0.8, 0.7, 0.1, 1.0, 0.0])
    auc.update(np.stack([1 - score, score], axis=1), np.array([1, 0, 1, 0, 1, 0]))
    assert auc.accumulate() == 8 / 9  # of nine pairs of a positive and a negative, one is the wrong way round
    assert auc.name() == "area"


# ---- a metric of one's own ------------------------------------------------------------------------------------------


def test_a_metric_of_ones_own() -> None:
    class Seen(metric.Metric):
        def __init__(self) -> None:
            super().__init__()
            self.reset()

        def reset(self) -> None:
            self.n = 0

        def update(self, pred: Any, label: Any) -> int:
            self.n += len(label)
            return self.n

        def accumulate(self) -> int:
            return self.n

        def name(self) -> str:
            return "seen"

    seen = Seen()
    seen.update(*seen.compute([1, 2], [3, 4]))
    assert seen.accumulate() == 2
    with pytest.raises(TypeError, match="abstract"):
        metric.Metric()  # type: ignore[abstract]


X = np.zeros((4, 3), np.float32)
BAD = [
    (lambda: metric.Accuracy(5), TypeError, r"Accuracy\(topk\): got int 5.*Type topk=\(5,\)"),
    (lambda: metric.Accuracy("1"), TypeError, r"Accuracy\(topk\)"),
    (lambda: metric.Accuracy(()), ValueError, "got no k"),
    (lambda: metric.Accuracy((0,)), ValueError, r"Accuracy\(topk\): got 0"),
    (lambda: metric.Accuracy((1.5,)), TypeError, r"Accuracy\(topk\): got float 1.5"),
    (
        lambda: metric.Accuracy().compute(X, np.zeros(5)),
        ValueError,
        r"shape \[5\], expected \[4, 1\], \[4\] or one-hot",
    ),
    (lambda: metric.Accuracy().compute(X[0], np.zeros(1)), ValueError, r"shape \[3\], expected scores \[N, C\]"),
    (lambda: metric.Accuracy().update(np.float32(1)), ValueError, r"what compute\(\) returned"),
    (lambda: metric.accuracy(X, np.zeros((4, 1), np.float32)), ValueError, "dtype float32, expected int64 or int32"),
    (lambda: metric.accuracy(X, np.zeros((4, 3), np.int64)), ValueError, r"label.argmax\(axis=-1\)"),
    (lambda: metric.accuracy(X, np.zeros((5, 1), np.int64)), ValueError, r"shape \[5, 1\], expected \[4, 1\] or \[4\]"),
    (lambda: metric.accuracy(X, np.zeros((4, 1), np.int64), 4), ValueError, "at most the number of classes, 3"),
    (lambda: metric.accuracy(X, np.zeros((4, 1), np.int64), 0), ValueError, r"accuracy\(k\): got 0"),
    (lambda: metric.accuracy(X[0], np.zeros((4, 1), np.int64)), ValueError, r"shape \[3\], expected scores \[N, C\]"),
    (lambda: metric.accuracy(X[:0], np.zeros((0, 1), np.int64)), ValueError, "N at least 1"),
    (lambda: metric.Precision().update([0.5], np.array([1])), ValueError, r"Precision.update\(preds\): got list"),
    (lambda: metric.Recall().update(np.array([0.5]), [1]), ValueError, r"Recall.update\(labels\): got list"),
    (lambda: metric.Recall().update(np.ones((2, 2)), np.ones(2)), ValueError, "one probability for each label"),
    (lambda: metric.Auc("XYZ"), ValueError, "one of 'ROC', 'PR'"),
    (lambda: metric.Auc(num_thresholds=0), ValueError, r"Auc\(num_thresholds\)"),
    (lambda: metric.Auc().update([[0.5, 0.5]], np.ones(1)), ValueError, r"Auc.update\(preds\): got list"),
    (lambda: metric.Auc().update(np.ones((3, 1)), np.ones(3)), ValueError, r"probabilities \[3, 2\]"),
    (lambda: metric.Auc().update(np.full((1, 2), 1.5), np.ones(1)), ValueError, "Apply softmax to the logits first"),
    (lambda: metric.Auc().update(np.full((1, 2), NAN), np.ones(1)), ValueError, r"values outside \[0, 1\]"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input(case: int) -> None:
    make, kind, text = BAD[case]
    with pytest.raises(kind, match=text):
        make()
