"""PyTorch's data sets, loaders and tensors where ours are taken; memory that both see; weights in their files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import export, nn
from lenet.utils.dlpack import from_dlpack, to_dlpack

torch = pytest.importorskip("torch", reason="no PyTorch: pip install torch")

IMAGES = np.random.RandomState(0).standard_normal((96, 1, 6, 6)).astype(np.float32)
LABELS = (IMAGES.mean(axis=(1, 2, 3)) > 0).astype(np.int64)


def fitted(data: Any, **settings: Any) -> list[Any]:
    lenet.seed(0)
    model = lenet.Model(nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 2)))
    model.prepare(lenet.optimizer.Adam(0.01, parameters=model.parameters()), nn.CrossEntropyLoss())
    model.fit(data, epochs=2, verbose=0, **settings)
    return [p.numpy() for p in model.parameters()]


class Own(torch.utils.data.Dataset):
    def __getitem__(self, index: int) -> tuple[Any, int]:
        return torch.from_numpy(IMAGES[index]), int(LABELS[index])

    def __len__(self) -> int:
        return len(IMAGES)


class Stream(torch.utils.data.IterableDataset):
    def __iter__(self) -> Any:
        return iter(Own()[k] for k in range(len(IMAGES)))


def pairs() -> Any:
    return torch.utils.data.TensorDataset(torch.from_numpy(IMAGES), torch.from_numpy(LABELS))


def test_fit_takes_data_sets_and_loaders() -> None:
    ours = fitted(lenet.io.TensorDataset([IMAGES, LABELS]), batch_size=32, shuffle=False)
    for data, settings in (
        (pairs(), {"batch_size": 32, "shuffle": False}),
        (Own(), {"batch_size": 32, "shuffle": False}),
        (Stream(), {"batch_size": 32}),
        (torch.utils.data.DataLoader(pairs(), batch_size=32), {}),
        (torch.utils.data.DataLoader(Own(), batch_size=32), {}),
        (torch.utils.data.Subset(pairs(), range(96)), {"batch_size": 32, "shuffle": False}),
    ):
        for a, b in zip(fitted(data, **settings), ours, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)  # the same batches, by a plan or not


def test_evaluate_and_predict_take_them() -> None:
    model = lenet.Model(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)))
    model.prepare(loss=nn.CrossEntropyLoss(), metrics=lenet.metric.Accuracy())
    loader = torch.utils.data.DataLoader(pairs(), batch_size=32)
    found = model.evaluate(loader, verbose=0)
    assert found["acc"] == model.evaluate(lenet.io.TensorDataset([IMAGES, LABELS]), batch_size=32, verbose=0)["acc"]
    assert model.predict(loader, verbose=0, stack_outputs=True)[0].shape == (96, 2)


def test_to_tensor_copies_a_tensor() -> None:
    for theirs in (
        torch.arange(6.0).reshape(2, 3).T,
        torch.ones(3, requires_grad=True),
        torch.tensor(3),
        torch.tensor([True]),
    ):
        ours = lenet.to_tensor(theirs)
        np.testing.assert_array_equal(ours.numpy(), theirs.detach().numpy())
        assert ours.dtype.numpy == theirs.detach().numpy().dtype
    theirs = torch.zeros(3)
    ours = lenet.to_tensor(theirs)
    theirs += 1
    assert ours.sum() == 0
    with pytest.raises(
        TypeError, match=r"to_tensor\(\): got Tensor of torch.bfloat16, expected .* x.float\(\) in PyTorch"
    ):
        lenet.to_tensor(torch.zeros(3, dtype=torch.bfloat16))


def test_memory_is_shared_both_ways() -> None:
    theirs = torch.arange(6.0).reshape(2, 3)
    ours = from_dlpack(theirs)
    assert ours.data_array().__array_interface__["data"][0] == theirs.data_ptr()
    back = torch.from_dlpack(ours)
    assert back.data_ptr() == theirs.data_ptr()
    layer = nn.Linear(3, 2)
    assert torch.from_dlpack(layer.weight).data_ptr() == layer.weight.data_array().__array_interface__["data"][0]
    assert torch.utils.dlpack.from_dlpack(to_dlpack(ours)).tolist() == theirs.tolist()
    np.testing.assert_array_equal(np.from_dlpack(ours), theirs.numpy())
    turned = from_dlpack(theirs.T)  # not dense: a copy
    np.testing.assert_array_equal(turned.numpy(), theirs.T.numpy())
    with pytest.raises(TypeError, match=r"from_dlpack\(x\): got list"):
        from_dlpack([1.0])
    with pytest.raises(TypeError, match=r"to_dlpack\(x\): got ndarray"):
        to_dlpack(np.zeros(3))


# ---- weights -------------------------------------------------------------------------------------------------------------


class Theirs(torch.nn.Module):
    """The tutorial's network as somebody writes it in PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = torch.nn.Conv2d(6, 16, 5)
        self.linear1 = torch.nn.Linear(400, 120)
        self.linear2 = torch.nn.Linear(120, 84)
        self.linear3 = torch.nn.Linear(84, 10)

    def forward(self, x: Any) -> Any:
        f = torch.nn.functional
        x = f.relu(f.max_pool2d(f.relu(self.conv1(x)), 2))
        x = f.max_pool2d(self.conv2(x), 2)
        x = x.view(x.size(0), -1)
        return self.linear3(f.relu(self.linear2(f.relu(self.linear1(x)))))


def images(n: int = 7) -> Any:
    return np.random.RandomState(1).standard_normal((n, 1, 28, 28)).astype(np.float32)


def answer(module: Any, x: Any) -> Any:
    with torch.no_grad():
        return module(torch.from_numpy(x)).numpy()


def test_state_dicts_go_both_ways(tmp_path: Path) -> None:
    ours, theirs = lenet.LeNet(), Theirs().eval()
    theirs.load_state_dict(export.torch_state(ours))
    np.testing.assert_allclose(answer(theirs, images()), ours(lenet.to_tensor(images())).numpy(), atol=1e-5)
    other = lenet.LeNet()
    export.load_torch_state(other, Theirs.state_dict(theirs))
    for name, tensor in ours.state_dict().items():
        assert tensor.numpy().tobytes() == other.state_dict()[name].numpy().tobytes()
    from safetensors.torch import load_file, save_file

    export.save_torch_state(ours, tmp_path / "theirs.safetensors")
    theirs.load_state_dict(load_file(tmp_path / "theirs.safetensors"))
    np.testing.assert_allclose(answer(theirs, images()), ours(lenet.to_tensor(images())).numpy(), atol=1e-5)
    save_file({k: v.contiguous() for k, v in theirs.state_dict().items()}, tmp_path / "saved.safetensors")
    third = lenet.LeNet()
    export.load_torch_state(third, tmp_path / "saved.safetensors")
    np.testing.assert_array_equal(third.linear1.weight.numpy(), ours.linear1.weight.numpy())


def test_square_weights_are_turned_too() -> None:
    ours = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Linear(10, 10))
    state = export.torch_state(ours)
    np.testing.assert_array_equal(state["2.weight"].numpy(), ours[2].weight.numpy().T)


def test_a_view_is_written_as_it_looks(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    view = np.arange(6, dtype=np.float32).reshape(2, 3).T
    lenet.save({"view": view, "strided": np.arange(10, dtype=np.float32)[::2]}, tmp_path / "view.safetensors")
    found = load_file(tmp_path / "view.safetensors")
    np.testing.assert_array_equal(found["view"], view)
    np.testing.assert_array_equal(found["strided"], [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(lenet.load(tmp_path / "view.safetensors")["view"].numpy(), view)


def test_normalisations_names_and_counts() -> None:
    ours = nn.Sequential(nn.Conv2D(1, 4, 3), nn.BatchNorm2D(4), nn.Flatten(), nn.Linear(4 * 26 * 26, 3))
    module = export.torch(ours)
    assert isinstance(module.get_submodule("1"), torch.nn.BatchNorm2d)
    assert set(module.state_dict()) == {
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked", "3.weight",
        "3.bias",
    }  # fmt: skip
    module.train()
    module(torch.from_numpy(images(8)))
    export.load_torch_state(ours, module.state_dict())
    np.testing.assert_array_equal(ours[1]._mean.numpy(), module.get_buffer("1.running_mean").numpy())


def test_what_does_not_fit_changes_nothing() -> None:
    ours, state = lenet.LeNet(), Theirs().state_dict()
    before = ours.conv1.weight.numpy()
    for changed, error, text in (
        ({k: v for k, v in state.items() if k != "linear3.bias"}, ValueError, r"load_torch_state: got no linear3.bias"),
        (state | {"more": torch.zeros(1)}, ValueError, "load_torch_state: got more, which the network has not"),
        (
            state | {"linear1.weight": state["linear1.weight"].T},
            ValueError,
            r"linear1.weight: got shape \[400, 120\], expected \[120, 400\]. It is turned",
        ),
        (state | {"conv1.bias": state["conv1.bias"].double()}, ValueError, "conv1.bias: got Tensor of torch.float64"),
        ([1], TypeError, "expected a state dict, or a safetensors file"),
    ):
        with pytest.raises(error, match=text):
            export.load_torch_state(ours, changed)
    np.testing.assert_array_equal(ours.conv1.weight.numpy(), before)


# ---- modules -------------------------------------------------------------------------------------------------------------


def test_a_module_of_ones_own_comes_here() -> None:
    theirs = Theirs()
    theirs.linear2.weight.requires_grad_(False)
    ours = lenet.from_torch(theirs)
    assert theirs.training
    assert not ours.training
    np.testing.assert_allclose(ours(lenet.to_tensor(images())).numpy(), answer(theirs.eval(), images()), atol=1e-5)
    np.testing.assert_array_equal(ours.state_dict()["linear1.weight"].numpy(), theirs.linear1.weight.detach().numpy().T)


def test_a_module_lives_on(tmp_path: Path) -> None:
    module = export.torch(lenet.LeNet())
    copy = pickle.loads(pickle.dumps(module))
    np.testing.assert_array_equal(answer(copy, images()), answer(module, images()))
    optimizer = torch.optim.Adam(module.parameters(), 1e-3)
    x, y = torch.from_numpy(images(32)), torch.arange(32) % 10
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.cross_entropy(module(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_frozen_weights_stay_frozen() -> None:
    ours = lenet.LeNet()
    ours.conv1.weight.stop_gradient = True
    module = export.torch(ours)
    assert [name for name, p in module.named_parameters() if not p.requires_grad] == ["conv1.weight"]


class Sorted(Theirs):
    def forward(self, x: Any) -> Any:
        return super().forward(torch.sort(x, dim=-1).values)


class Counted(Theirs):
    def forward(self, x: Any) -> Any:
        return super().forward(x) * x.shape[0]


def test_what_can_not_come_is_named_with_its_place() -> None:
    for module, error, text in (
        (Sorted(), ValueError, r"from_torch, .*\(test_torch_data.py:\d+\): got the operation aten.sort"),
        (Counted(), ValueError, "from_torch: got a network whose answers are .* apart .*, expected the same answers"),
        (
            Theirs().double(),
            ValueError,
            r"from_torch, conv1.weight: got torch.float64, expected float32. Type module.float\(\)",
        ),
        (Theirs, TypeError, r"from_torch: got the type Theirs, expected a torch.nn.Module. from_torch\(Net\(\)\)"),
        (Theirs().state_dict(), TypeError, r"load_torch_state\(net, state\) takes a state dict"),
        (
            torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(9, 2)),
            ValueError,
            r"fails on images \[1, 28, 28\].*Type shape=",
        ),
    ):
        with pytest.raises(error, match=text):
            lenet.from_torch(module)
    with pytest.raises(TypeError, match="export: got list"):
        export.torch([1])
