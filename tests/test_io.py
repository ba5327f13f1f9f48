"""Data sets, samplers, batches: orders and batches as in real Paddle, and errors that arrive as themselves."""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lenet.io as io
from lenet.autograd import random
from lenet.autograd.tensor import CPUPlace, Tensor, to_tensor


class Squares(io.Dataset):
    """Sample i is (float32 [2] of i², int i)."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __getitem__(self, i: int) -> Any:
        if not -self.n <= i < self.n:
            raise IndexError(i)
        return np.full(2, i * i, np.float32), i

    def __len__(self) -> int:
        return self.n


class Fast(Squares):
    """The same samples, and whole batches of them; counts how often each was asked for."""

    def __init__(self, n: int, able: bool = True) -> None:
        super().__init__(n)
        self.able = able
        self.asked: list[list[int]] = []
        self.single = 0

    def __getitem__(self, i: int) -> Any:
        self.single += 1
        return super().__getitem__(i)

    def _batch(self, indices: list[int]) -> Any:
        self.asked.append(indices)
        if not self.able:
            return None
        i = np.array(indices)
        return np.repeat((i * i).astype(np.float32)[:, None], 2, axis=1), i


class Counting(io.IterableDataset):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[Any]:
        for i in range(self.n):
            yield np.array([i], np.float32), i


def shape_of(batch: Any) -> Any:
    """What a batch is made of, in words that are the same for Paddle's Tensors and ours."""
    if hasattr(batch, "stop_gradient"):
        return ("Tensor", list(batch.shape), str(batch.dtype), batch.numpy().tolist(), batch.stop_gradient)
    if isinstance(batch, (list, tuple)):
        return [type(batch).__name__, [shape_of(item) for item in batch]]
    if isinstance(batch, dict):
        return {key: shape_of(item) for key, item in batch.items()}
    return type(batch).__name__, batch


def order(loader: Any) -> list[int]:
    return [int(i) for batch in loader for i in np.asarray(batch[1].numpy())]


# ---- orders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 5, 64, 1000])
def test_shuffled_order_equals_paddles(n: int, paddle: Any) -> None:
    data = [(np.zeros(1, np.float32), i) for i in range(n)]
    seen = []
    for module in (io, paddle.io):
        np.random.seed(7)
        loader = module.DataLoader(data, batch_size=3, shuffle=True)
        seen.append([order(loader), order(loader()), np.random.rand()])
    assert seen[0] == seen[1]
    assert sorted(seen[0][0]) == list(range(n))


def test_first_shuffled_epoch_is_numpys_permutation() -> None:
    np.random.seed(0)
    first = order(io.DataLoader(Squares(8), batch_size=3, shuffle=True))
    assert first == [6, 2, 1, 7, 3, 0, 5, 4]


def test_the_order_is_drawn_when_iteration_starts() -> None:
    loader = io.DataLoader(Squares(8), batch_size=8, shuffle=True)
    np.random.seed(0)
    batches = loader()
    np.random.seed(1)
    assert next(batches)[1].tolist() == [6, 2, 1, 7, 3, 0, 5, 4]


SAMPLERS = {
    "sequence": lambda m: m.SequenceSampler(range(7)),
    "random": lambda m: m.RandomSampler(range(23)),
    "random-some": lambda m: m.RandomSampler(range(23), num_samples=5),
    "random-again": lambda m: m.RandomSampler(range(5), replacement=True, num_samples=40),
    "random-generator": lambda m: m.RandomSampler(range(5), generator=iter([4, 2, 4])),
    "random-generator-long": lambda m: m.RandomSampler(range(3), generator=iter(range(9))),
    "weighted": lambda m: m.WeightedRandomSampler([0.1, 0.3, 0.5, 0.7, 0.2], 11),
    "weighted-once": lambda m: m.WeightedRandomSampler((1, 0, 2, 3), 3, False),
    "weighted-rows": lambda m: m.WeightedRandomSampler(np.array([[1.0, 3.0], [2.0, 2.0]]), 6),
    "batch": lambda m: m.BatchSampler(range(10), batch_size=4),
    "batch-drop": lambda m: m.BatchSampler(range(10), batch_size=4, drop_last=True),
    "batch-shuffle": lambda m: m.BatchSampler(range(10), shuffle=True, batch_size=3),
    "batch-sampler": lambda m: m.BatchSampler(sampler=m.RandomSampler(range(10)), batch_size=3),
    "batch-list": lambda m: m.BatchSampler(sampler=[5, 6, 7], batch_size=2),
}
NO_LENGTH_IN_PADDLE = {"weighted", "weighted-once"}  # its len() asks a list for .shape


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_equal_paddles(name: str, paddle: Any) -> None:
    seen = []
    for module in (io, paddle.io):
        np.random.seed(3)
        sampler = SAMPLERS[name](module)
        seen.append([[i for i in sampler], [i for i in sampler]])  # noqa: C416  list() would ask for the length
        if name not in NO_LENGTH_IN_PADDLE:
            seen[-1].append(len(sampler))
    assert seen[0] == seen[1]
    if not name.startswith("random-generator"):
        assert len(SAMPLERS[name](io)) == len(seen[0][0])


@pytest.mark.parametrize("n", [1, 7, 10, 33])
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_distributed_batches_equal_paddles(n: int, ranks: int, shuffle: bool, paddle: Any) -> None:
    for rank in range(ranks):
        for drop_last in (False, True):
            ours, theirs = (
                m.DistributedBatchSampler(list(range(n)), 4, ranks, rank, shuffle, drop_last) for m in (io, paddle.io)
            )
            assert [list(ours), list(ours), len(ours)] == [list(theirs), list(theirs), len(theirs)]
            for sampler in (ours, theirs):
                sampler.set_epoch(9)
            assert list(ours) == list(theirs)


def test_distributed_alone_is_one_process() -> None:
    sampler = io.DistributedBatchSampler(Squares(5), 2)
    assert (sampler.nranks, sampler.local_rank) == (1, 0)
    assert list(sampler) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("lengths", [[8, 2], [0.75, 0.25], [0.5, 0.3, 0.2], [1.0], [10, 0]])
def test_random_split_equals_paddles(lengths: list[float], paddle: Any) -> None:
    random.seed(5)
    ours = [list(part.indices) for part in io.random_split(Squares(10), lengths)]
    paddle.seed(5)
    theirs = [list(part.indices) for part in paddle.io.random_split(list(range(10)), lengths)]
    assert ours == theirs
    assert sorted(i for part in ours for i in part) == list(range(10))


def test_random_split_says_when_a_part_is_empty() -> None:
    with pytest.warns(UserWarning, match="part 1 gets no sample of the 3 there are"):
        parts = io.random_split(Squares(3), [0.9, 0.1])
    assert [len(part) for part in parts] == [3, 0]


def test_subset_random_sampler_equals_paddles(paddle: Any) -> None:
    random.seed(11)
    ours = list(io.SubsetRandomSampler([3, 5, 8, 13, 21]))
    paddle.seed(11)
    assert ours == [int(i) for i in paddle.io.SubsetRandomSampler([3, 5, 8, 13, 21])]
    assert len(io.SubsetRandomSampler([3, 5])) == 2


# ---- batches --------------------------------------------------------------------------------------------------------

Pair = collections.namedtuple("Pair", "image label")


def row(i: int) -> Any:
    return np.arange(i, i + 2, dtype=np.float32)


SAMPLES = {
    "array": [row(0), row(1), row(2)],
    "tuple": [(row(0), 1), (row(1), 2), (row(2), 3)],
    "list": [[row(0), np.int32(1)]] * 3,
    "named": [Pair(row(0), 1), Pair(row(1), 2), Pair(row(2), 3)],
    "one field": [(row(0),)] * 3,
    "dict": [{"a": row(0), "b": 1}, {"a": row(1), "b": 2}, {"a": row(2), "b": 3}],
    "text": [(row(0), "x"), (row(1), "y"), (row(2), "z")],
    "bytes": [(row(0), b"x")] * 3,
    "nested": [(row(0), (1, {"c": np.float64(2.5)}))] * 3,
    "ints": [1, 2, 3],
    "bools": [True, False, True],
    "float32": [np.float32(0.5)] * 3,
    "float64": [np.float64(0.5)] * 3,
    "uint8": [np.zeros((2, 2), np.uint8)] * 3,
    "range": range(3),
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_equal_paddles(name: str, drop_last: bool, paddle: Any) -> None:
    seen = [
        [shape_of(batch) for batch in module.DataLoader(SAMPLES[name], batch_size=2, drop_last=drop_last)]
        for module in (io, paddle.io)
    ]
    assert seen[0] == seen[1] != []


@pytest.mark.parametrize("name", ["array", "tuple", "dict", "nested", "named", "text"])
def test_samples_without_batching_equal_paddles(name: str, paddle: Any) -> None:
    loaders = [module.DataLoader(SAMPLES[name], batch_size=None) for module in (io, paddle.io)]
    seen = [[shape_of(sample) for sample in loader] for loader in loaders]
    assert seen[0] == seen[1]
    assert len(loaders[0]) == len(loaders[1]) == 3


COLLATES = {
    "array": lambda samples: row(1),
    "tuple": lambda samples: (row(1), np.ones(3, np.int64)),
    "mixed": lambda samples: [row(1), 7, None, 1.5],
    "dict": lambda samples: {"x": row(1), "y": "text"},
    "samples": lambda samples: samples,
}


@pytest.mark.parametrize("name", COLLATES)
def test_own_collate_equals_paddles(name: str, paddle: Any) -> None:
    seen = [
        [shape_of(b) for b in module.DataLoader(SAMPLES["tuple"], batch_size=2, collate_fn=COLLATES[name])]
        for module in (io, paddle.io)
    ]
    assert seen[0] == seen[1]


def test_tensors_are_stacked(paddle: Any) -> None:
    ours = [shape_of(b) for b in io.DataLoader([to_tensor(row(i)) for i in range(3)], batch_size=2)]
    theirs = [shape_of(b) for b in paddle.io.DataLoader([paddle.to_tensor(row(i)) for i in range(3)], batch_size=2)]
    assert ours == theirs
    scalars = next(iter(io.DataLoader([to_tensor(1.5), to_tensor(2.5)], batch_size=2)))
    assert scalars.tolist() == [1.5, 2.5]


def test_python_floats_become_float32() -> None:
    """Paddle makes float64 of them, which its own layers then refuse."""
    (batch,) = io.DataLoader([(1.5, [2, 2.5]), (2.5, [3, 3.5])], batch_size=2)
    assert shape_of(batch[0]) == ("Tensor", [2], "paddle.float32", [1.5, 2.5], True)
    assert batch[1][1].dtype == "float32"
    (mixed,) = io.DataLoader([1, 2.5], batch_size=2)
    assert mixed.dtype == "float32"


def test_bare_text_is_a_list_of_text() -> None:
    assert list(io.DataLoader(["a", "b", "c"], batch_size=2)) == [["a", "b"], ["c"]]


def test_a_batch_does_not_share_memory_with_the_data_set() -> None:
    data = np.zeros((4, 2), np.float32)
    for samples in (io.TensorDataset([data]), [(data,)], list(data)):
        for batch in io.DataLoader(samples, batch_size=1, collate_fn=None):
            field = batch if isinstance(batch, Tensor) else batch[0]
            assert not np.shares_memory(np.asarray(field), data)
    for batch in io.DataLoader(list(data), batch_size=1, collate_fn=lambda samples: samples[0]):
        assert not np.shares_memory(np.asarray(batch), data)


def test_loader_is_called_iterated_and_measured() -> None:
    loader = io.DataLoader(Squares(10), None, CPUPlace(), True, batch_size=4, num_workers=2, use_shared_memory=False)
    assert len(loader) == len(loader()) == len(list(loader)) == 3
    assert [len(batch[1]) for batch in loader()] == [4, 4, 2]
    assert len(io.DataLoader(Squares(10), batch_size=4, drop_last=True)) == 2
    assert isinstance(next(loader()), list)
    assert (loader.batch_size, loader.drop_last, loader.dataset.n) == (4, False, 10)
    assert io.get_worker_info() is None


@pytest.mark.parametrize("places", [None, "cpu", CPUPlace(), [CPUPlace()], ["cpu"]])
def test_places_are_accepted(places: Any) -> None:
    assert io.DataLoader(Squares(2), places=places).places == [CPUPlace()]


def test_a_batch_sampler_decides_the_batches() -> None:
    loader = io.DataLoader(Squares(10), batch_sampler=io.BatchSampler(sampler=[9, 3, 1], batch_size=2))
    assert [batch[1].tolist() for batch in loader] == [[9, 3], [1]]
    assert len(loader) == 2
    assert [b[1].tolist() for b in io.DataLoader(Squares(10), batch_sampler=[(0, 2), np.array([4])])] == [[0, 2], [4]]


def test_single_samples_may_be_shuffled() -> None:
    np.random.seed(0)
    assert [int(s[1]) for s in io.DataLoader(Squares(8), batch_size=None, shuffle=True)] == [6, 2, 1, 7, 3, 0, 5, 4]


# ---- iterable data sets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 5, 9, None])
def test_iterable_equals_paddles(batch_size: int | None, drop_last: bool, paddle: Any) -> None:
    class Theirs(paddle.io.IterableDataset):  # type: ignore[misc]
        def __iter__(self) -> Iterator[Any]:
            return iter(Counting(5))

    ours = [shape_of(b) for b in io.DataLoader(Counting(5), batch_size=batch_size, drop_last=drop_last)]
    loader = paddle.io.DataLoader(Theirs(), batch_size=batch_size, drop_last=drop_last)
    assert ours == [shape_of(b) for b in loader()]


def test_iterable_has_no_length_and_no_index() -> None:
    loader = io.DataLoader(Counting(3), batch_size=2)
    for kind in (TypeError, ValueError, RuntimeError):
        with pytest.raises(kind, match="an IterableDataset has no length"):
            len(loader)
        with pytest.raises(kind, match="an IterableDataset has no length"):
            len(Counting(3))
    assert len(list(loader)) == 2
    assert len(list(io.ChainDataset([Counting(3), Counting(2)]))) == 5
    with pytest.raises(RuntimeError, match="Counting: got an index"):
        Counting(3)[0]


# ---- data sets ------------------------------------------------------------------------------------------------------


def test_tensor_dataset() -> None:
    x, y = to_tensor(np.arange(6, dtype=np.float32).reshape(3, 2)), np.arange(3)
    data = io.TensorDataset([x, y])
    assert len(data) == 3
    assert data[1][0].tolist() == [2, 3]
    assert data[-1][1] == 2
    batches = [shape_of(b) for b in io.DataLoader(data, batch_size=2)]
    assert batches == [shape_of(b) for b in io.DataLoader([data[i] for i in range(3)], batch_size=2)]


def test_compose_concat_subset() -> None:
    composed = io.ComposeDataset([Squares(3), [7, 8, 9]])
    assert len(composed) == 3
    assert composed[2][1:] == (2, 9)
    joined = io.ConcatDataset([Squares(2), Squares(3)])
    assert [joined[i][1] for i in range(-5, 5)] == [0, 1, 0, 1, 2] * 2
    with pytest.raises(IndexError, match="index 5, expected an index below its length 5"):
        joined[5]
    assert [sample[1] for sample in joined] == [0, 1, 0, 1, 2]  # plain iteration ends
    part = io.Subset(joined, [4, 0])
    assert [part[i][1] for i in range(len(part))] == [2, 0]


def test_base_classes_say_what_to_define() -> None:
    class Empty(io.Dataset):
        pass

    class EmptyIterable(io.IterableDataset):
        pass

    with pytest.raises(NotImplementedError, match="'__getitem__' not implemented in class Empty"):
        Empty()[0]
    with pytest.raises(NotImplementedError, match="'__len__' not implemented in class Empty"):
        len(Empty())
    with pytest.raises(NotImplementedError, match="'__iter__' not implemented in class EmptyIterable"):
        iter(EmptyIterable())
    with pytest.raises(NotImplementedError, match="'__iter__' not implemented in class Sampler"):
        iter(io.Sampler())


# ---- whole batches --------------------------------------------------------------------------------------------------


def test_batch_hook_gives_the_same_batches() -> None:
    expected = [shape_of(b) for b in io.DataLoader(Squares(7), batch_size=3)]
    fast = Fast(7)
    assert [shape_of(b) for b in io.DataLoader(fast, batch_size=3)] == expected
    assert fast.asked == [[0, 1, 2], [3, 4, 5], [6]]
    assert fast.single == 0


def test_batch_hook_reaches_through_subsets() -> None:
    fast = Fast(9)
    part = io.Subset(io.Subset(fast, [8, 7, 6, 5]), np.array([3, 0]))
    (batch,) = io.DataLoader(part, batch_size=2)
    assert batch[1].tolist() == [5, 8]
    assert fast.asked == [[5, 8]]
    assert [b[1].tolist() for b in io.DataLoader(io.Subset(Squares(9), [4, 2]), batch_size=2)] == [[4, 2]]


def test_batch_hook_may_decline_and_own_collate_wins() -> None:
    unable = Fast(4, able=False)
    assert order(io.DataLoader(unable, batch_size=2)) == [0, 1, 2, 3]
    assert (len(unable.asked), unable.single) == (2, 4)
    fast = Fast(4)
    assert list(io.DataLoader(fast, batch_size=2, collate_fn=len)) == [2, 2]
    assert (fast.asked, fast.single) == ([], 4)


def test_batch_hook_does_not_speak_for_a_redefined_getitem() -> None:
    class Negated(Fast):
        def __getitem__(self, i: int) -> Any:
            image, label = super().__getitem__(i)
            return -image, label

    class Shifted(io.Subset):
        def __getitem__(self, i: int) -> Any:
            return self.dataset[self.indices[i]][1] + 100

    (batch,) = io.DataLoader(Negated(3), batch_size=3)
    assert batch[0].tolist() == [[0, 0], [-1, -1], [-4, -4]]
    (inner,) = io.DataLoader(io.Subset(Negated(3), [2]), batch_size=1)
    assert inner[0].tolist() == [[-4, -4]]
    (shifted,) = io.DataLoader(Shifted(Fast(3), [1, 2]), batch_size=2)
    assert shifted.tolist() == [101, 102]


def test_getitems_gives_samples() -> None:
    asked: list[list[int]] = []

    class Several(Squares):
        def __getitems__(self, indices: list[int]) -> Any:
            asked.append(indices)
            return [self[i] for i in indices]

    data = Several(5)
    assert [shape_of(b) for b in io.DataLoader(data, batch_size=2)] == [
        shape_of(b) for b in io.DataLoader(Squares(5), batch_size=2)
    ]
    assert asked == [[0, 1], [2, 3], [4]]
    assert list(io.DataLoader(data, batch_size=2, collate_fn=len)) == [2, 2, 1]

    class Short(Squares):
        def __getitems__(self, indices: list[int]) -> Any:
            return [self[indices[0]]]

    with pytest.raises(ValueError, match=r"Short.__getitems__: got 1 samples for 2 indices"):
        next(io.DataLoader(Short(5), batch_size=2)())


# ---- exceptions -----------------------------------------------------------------------------------------------------


class Broken(Squares):
    def __getitem__(self, i: int) -> Any:
        if i == 3:
            raise LookupError("sample 3 is gone")
        return super().__getitem__(i)


def test_an_exception_in_a_data_set_arrives_as_itself() -> None:
    threads = threading.active_count()
    batches = io.DataLoader(Broken(5), batch_size=2, num_workers=2)()
    assert next(batches)[1].tolist() == [0, 1]
    with pytest.raises(LookupError, match="sample 3 is gone"):
        next(batches)
    assert threading.active_count() == threads


def test_an_exception_in_a_collate_function_arrives_as_itself() -> None:
    def fails(samples: list[Any]) -> Any:
        raise ZeroDivisionError("my own")

    with pytest.raises(ZeroDivisionError, match="my own"):
        next(io.DataLoader(Squares(5), collate_fn=fails)())


def test_an_exception_in_an_iterable_arrives_as_itself() -> None:
    class Ends(io.IterableDataset):
        def __iter__(self) -> Iterator[Any]:
            yield 1
            raise OSError("the disk went away")

    for batch_size in (1, 4, None):
        with pytest.raises(OSError, match="the disk went away"):
            list(io.DataLoader(Ends(), batch_size=batch_size))


def test_ragged_samples_are_named() -> None:
    with pytest.raises(ValueError, match=r"shape \[3\] in sample 1 and \[2\] in sample 0"):
        next(io.DataLoader([np.zeros(2), np.zeros(3)], batch_size=2)())
    with pytest.raises(RuntimeError, match=r"samples of \[1, 2\] fields"):
        next(io.DataLoader([(1, 2), (1,)], batch_size=2)())


def test_an_image_without_transform_says_what_to_do() -> None:
    from PIL import Image

    with pytest.raises(TypeError, match=r"transform=lenet.vision.transforms.ToTensor\(\)"):
        next(io.DataLoader([(Image.new("L", (2, 2)), 1)])())


@pytest.mark.parametrize("sample", [None, object(), {1, 2}, 1j])
def test_foreign_samples_are_refused(sample: Any) -> None:
    with pytest.raises(TypeError, match="expected arrays, Tensors, numbers, text, or lists or dicts of them"):
        next(io.DataLoader([sample])())


def test_mixed_samples_are_refused() -> None:
    with pytest.raises(TypeError, match="str 'x' in sample 1, expected numbers, as in sample 0"):
        next(io.DataLoader([1, "x"], batch_size=2)())


BAD = [
    (lambda: io.DataLoader(Squares(5), 64), TypeError, "Type batch_size=64: the second place is feed_list"),
    (lambda: io.DataLoader([], batch_size=4), ValueError, "an empty data set"),
    (lambda: io.DataLoader([], batch_size=4, shuffle=True), ValueError, "an empty data set"),
    (lambda: io.DataLoader(Squares(5), batch_size=0), ValueError, r"DataLoader\(batch_size\): got 0"),
    (lambda: io.DataLoader(Squares(5), batch_size=-1), ValueError, r"DataLoader\(batch_size\): got -1"),
    (lambda: io.DataLoader(Squares(5), batch_size=2.0), TypeError, r"DataLoader\(batch_size\): got float 2.0"),
    (lambda: io.DataLoader(Squares(5), batch_size=True), TypeError, r"DataLoader\(batch_size\): got bool"),
    (
        lambda: io.DataLoader(Squares(5), shuffle="yes"),
        TypeError,
        r"\(shuffle\): got str 'yes', expected True or False",
    ),
    (lambda: io.DataLoader(Squares(5), drop_last=1), TypeError, r"\(drop_last\): got int 1"),
    (lambda: io.DataLoader(Squares(5), num_workers=-1), ValueError, r"DataLoader\(num_workers\): got -1"),
    (lambda: io.DataLoader(Squares(5), prefetch_factor=0), ValueError, r"DataLoader\(prefetch_factor\): got 0"),
    (lambda: io.DataLoader(Squares(5), timeout=-1), ValueError, r"DataLoader\(timeout\): got -1"),
    (lambda: io.DataLoader(Squares(5), collate_fn=3), TypeError, r"DataLoader\(collate_fn\): got int 3"),
    (
        lambda: io.DataLoader(Squares(5), places="gpu"),
        ValueError,
        r"got str 'gpu', expected lenet.CPUPlace\(\) or 'cpu'",
    ),
    (lambda: io.DataLoader(Squares(5), places=[0]), TypeError, r"DataLoader\(places\): got int 0"),
    (lambda: io.DataLoader(iter([1, 2])), TypeError, "Derive from lenet.io.IterableDataset"),
    (lambda: io.DataLoader(Squares(5), batch_sampler=3), TypeError, r"DataLoader\(batch_sampler\): got int 3"),
    (lambda: next(io.DataLoader(Squares(5), batch_sampler=[1, 2])()), TypeError, "a list of indices a batch"),
    (lambda: next(io.DataLoader(Squares(5), batch_sampler=[[]])()), ValueError, "batch: got no sample"),
    (lambda: io.DataLoader(Squares(5), batch_sampler=[[1]], shuffle=True), ValueError, "one or the other"),
    (lambda: io.DataLoader(Squares(5), batch_sampler=[[1]], batch_size=2), ValueError, "one or the other"),
    (lambda: io.DataLoader(Squares(5), batch_sampler=[[1]], drop_last=True), ValueError, "one or the other"),
    (lambda: io.DataLoader(Counting(5), shuffle=True), ValueError, "True with an IterableDataset"),
    (lambda: io.DataLoader(Counting(5), batch_sampler=[[1]]), ValueError, "one for an IterableDataset"),
    (lambda: io.TensorDataset(np.zeros(3)), TypeError, r"Put it in a list: TensorDataset\(\[x\]\)"),
    (lambda: io.TensorDataset([]), ValueError, "at least one Tensor or array"),
    (lambda: io.TensorDataset([np.zeros(3), [1, 2, 3]]), TypeError, "expected Tensors or arrays"),
    (lambda: io.TensorDataset([np.zeros(())]), ValueError, r"one number \(0-D\)"),
    (
        lambda: io.TensorDataset([np.zeros(3), np.zeros(4)]),
        ValueError,
        r"first axes of \[3, 4\], expected equal lengths",
    ),
    (lambda: io.ComposeDataset([]), ValueError, "at least one data set"),
    (lambda: io.ComposeDataset([Squares(2), Squares(3)]), ValueError, r"lengths \[2, 3\]"),
    (lambda: io.ComposeDataset([Counting(2)]), TypeError, "data sets with an index and a length"),
    (lambda: io.ChainDataset([]), ValueError, "at least one data set"),
    (lambda: io.ChainDataset([Squares(2)]), TypeError, "with ConcatDataset"),
    (lambda: io.ConcatDataset([]), ValueError, "at least one data set"),
    (lambda: io.ConcatDataset([Counting(2)]), TypeError, "data sets with an index and a length"),
    (lambda: io.random_split(Squares(10), [5, 4]), ValueError, r"\[5, 4\] \(sum 9\), expected whole numbers that sum"),
    (lambda: io.random_split(Squares(10), [11, -1]), ValueError, r"\[11, -1\]"),
    (lambda: io.random_split(Squares(10), [0.5, 0.4]), ValueError, "shares from 0 to 1 that sum to 1"),
    (lambda: io.random_split(Squares(10), [1.5, -0.5]), ValueError, "shares from 0 to 1 that sum to 1"),
    (lambda: io.RandomSampler([]), ValueError, "an empty data set"),
    (lambda: io.RandomSampler([1], replacement=1), TypeError, r"RandomSampler\(replacement\)"),
    (lambda: io.RandomSampler([1], num_samples=2), ValueError, "Pass replacement=True"),
    (lambda: io.RandomSampler([1], num_samples=0), ValueError, r"RandomSampler\(num_samples\): got 0"),
    (lambda: io.RandomSampler([1], generator=7), TypeError, "an iterator of indices or None"),
    (lambda: io.WeightedRandomSampler([1, 2], 0), ValueError, r"\(num_samples\): got 0"),
    (lambda: io.WeightedRandomSampler([1, -2], 1), ValueError, "negative, infinite or NaN weights"),
    (lambda: io.WeightedRandomSampler([1, float("nan")], 1), ValueError, "negative, infinite or NaN weights"),
    (lambda: io.WeightedRandomSampler([0, 0], 1), ValueError, "at least 1 positive weight"),
    (lambda: io.WeightedRandomSampler([1, 0], 2, False), ValueError, "Pass replacement=True"),
    (lambda: io.WeightedRandomSampler([[[1]]], 2), ValueError, "one weight a sample"),
    (lambda: io.WeightedRandomSampler(["a"], 2), TypeError, r"WeightedRandomSampler\(weights\)"),
    (lambda: io.WeightedRandomSampler([1], 2, "no"), TypeError, r"WeightedRandomSampler\(replacement\)"),
    (lambda: io.SubsetRandomSampler([]), ValueError, "got no index"),
    (lambda: io.BatchSampler(), ValueError, "neither of dataset and sampler"),
    (lambda: io.BatchSampler([1], [0]), ValueError, "both of dataset and sampler"),
    (lambda: io.BatchSampler(sampler=3), TypeError, "something that yields indices"),
    (lambda: io.BatchSampler(sampler=[1], shuffle=True), ValueError, r"sampler=RandomSampler\(dataset\)"),
    (lambda: io.BatchSampler(Counting(3)), TypeError, "a data set with a length"),
    (lambda: io.BatchSampler([1], batch_size=0), ValueError, r"BatchSampler\(batch_size\): got 0"),
    (lambda: io.BatchSampler([1], shuffle=None), TypeError, r"BatchSampler\(shuffle\)"),
    (lambda: io.DistributedBatchSampler([1], 2, 2, 2), ValueError, "a rank below num_replicas = 2"),
    (lambda: io.DistributedBatchSampler([1], 2, 0), ValueError, r"\(num_replicas\): got 0"),
    (lambda: io.DistributedBatchSampler([1], 2, 2, -1), ValueError, r"\(rank\): got -1"),
    (lambda: io.DistributedBatchSampler([], 2), ValueError, "an empty data set"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input(case: int) -> None:
    make, kind, text = BAD[case]
    with pytest.raises(kind, match=text):
        make()
