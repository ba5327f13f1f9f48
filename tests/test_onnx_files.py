"""ONNX files: what stands around the network, others' files, and files that are damaged or mean harm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from command import run
from onnx import TensorProto, helper, numpy_helper

import lenet
from lenet import export, nn
from lenet.export.graph import answers
from lenet.train import Trained

onnxruntime.set_default_logger_severity(3)


def session(path: Any) -> Any:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


# ---- ours ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_pixels_in_calibrated_probabilities_out(kind: str, model: Path, held: Any, tmp_path: Path) -> None:
    images, file = held[0][:1000, None], tmp_path / "model.onnx"
    trained = Trained.load(model)
    written = export.onnx(model, file, kind)
    assert (written.compared, written.of) == (1000, "of MNIST's test images")
    assert written.difference <= 1e-5
    made = session(file)
    assert [(one.name, one.type, one.shape) for one in made.get_inputs()] == [
        ("images", f"tensor({'uint8' if kind == 'uint8' else 'float'})", ["N", 1, 28, 28])
    ]
    assert made.get_outputs()[0].shape == ["N", 10]
    assert trained.temperature != 1
    for some in (images, images[:1], images[:7]):
        found = made.run(None, {"images": some.astype(kind)})[0]
        np.testing.assert_allclose(found, trained.probabilities(some), atol=1e-5)
    about = made.get_modelmeta().custom_metadata_map
    assert json.loads(about["labels"])["labels"] == trained.labels
    assert about["digest"] == trained.digest
    assert json.loads(about["lenet"])["training"] == trained.meta["training"]
    proto = onnx.load(file)
    assert (proto.ir_version, proto.opset_import[0].version, proto.producer_name) == (8, 17, "lenet")


def test_the_same_model_gives_the_same_bytes_and_its_weights_come_back(model: Path, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        export.onnx(model, tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    back, ours = lenet.from_onnx(tmp_path / "a.onnx"), Trained.load(model).network.state_dict()
    assert {name: t.numpy().tobytes() for name, t in back.state_dict().items()} == {
        name: t.numpy().tobytes() for name, t in ours.items()
    }


def test_a_model_that_was_fitted_knows_its_pixels(small_mnist: Path, tmp_path: Path) -> None:
    normalise = lenet.vision.transforms.Normalize(mean=[127.5], std=[127.5], data_format="CHW")
    data = lenet.vision.datasets.MNIST(
        image_path=str(small_mnist / "t10k-images-idx3-ubyte"), label_path=str(small_mnist / "t10k-labels-idx1-ubyte"),
        mode="test", transform=normalise,
    )  # fmt: skip
    model = lenet.Model(lenet.LeNet())
    model.prepare(lenet.optimizer.Adam(parameters=model.parameters()), nn.CrossEntropyLoss())
    model.fit(data, batch_size=64, verbose=0)
    export.onnx(model, tmp_path / "fitted.onnx", probabilities=False)
    pixels = np.random.RandomState(0).randint(0, 256, (5, 1, 28, 28)).astype(np.uint8)
    found = session(tmp_path / "fitted.onnx").run(None, {"images": pixels})[0]
    np.testing.assert_allclose(found, answers(model.network, pixels.astype(np.float32) / 127.5 - 1), atol=1e-4)


def test_a_model_of_rows_takes_squares(tmp_path: Path) -> None:
    draw = np.random.RandomState(0)
    x, y = draw.randint(0, 256, (80, 64)).astype(np.uint8), draw.randint(0, 3, 80)
    model = lenet.Model(nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3)))
    model.prepare(lenet.optimizer.Adam(parameters=model.parameters()), nn.CrossEntropyLoss())
    model.fit(x, y, batch_size=16, verbose=0)
    export.onnx(model, tmp_path / "rows.onnx", probabilities=False)
    found = session(tmp_path / "rows.onnx").run(None, {"images": x.reshape(-1, 1, 8, 8)})[0]
    np.testing.assert_allclose(found, model.predict(x, batch_size=80, stack_outputs=True, verbose=0)[0], atol=1e-5)


def test_a_network_that_ends_in_softmax(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 4), nn.Softmax())
    export.onnx(network, tmp_path / "soft.onnx")
    x = np.random.RandomState(0).rand(3, 1, 28, 28).astype(np.float32)
    np.testing.assert_allclose(
        session(tmp_path / "soft.onnx").run(None, {"images": x})[0], answers(network, x), atol=1e-6
    )


def test_wishes_that_can_not_be(tmp_path: Path, model: Path) -> None:
    class Sorts(nn.Layer):
        def forward(self, x: Any) -> Any:
            return lenet.sort(x.flatten(1))[:, :10]

    for call, error, text in (
        (lambda: export.onnx(lenet.LeNet(), tmp_path / "a"), ValueError, r"a name ending in .onnx. Type .*a.onnx"),
        (lambda: export.onnx(lenet.LeNet(), tmp_path / "a.onnx", "int8"), ValueError, "one of 'uint8', 'float32'"),
        (lambda: export.onnx(lenet.LeNet(), tmp_path / "a.onnx", "uint8"), ValueError, "without mean and std"),
        (
            lambda: export.onnx(Sorts(), tmp_path / "a.onnx"),
            ValueError,
            r"got take_along_axis \(test_onnx_files.py, line \d+\)",
        ),
        (
            lambda: export.onnx(nn.Linear(3, 2), tmp_path / "a.onnx"),
            ValueError,
            r"images of \[1, 28, 28\] were tried; type shape=",
        ),
        (
            lambda: export.onnx(tmp_path / "none.safetensors", tmp_path / "a.onnx"),
            FileNotFoundError,
            "none.safetensors",
        ),
        (lambda: export.onnx(3, tmp_path / "a.onnx"), TypeError, "export: got int 3, expected a network, a Model"),
    ):
        with pytest.raises(error, match=text):
            call()
    assert os.listdir(tmp_path) == []


def test_answers_that_differ_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lenet.export import onnx_file

    monkeypatch.setattr(onnx_file, "answers", lambda network, images: answers(network, images) + 1)
    with pytest.raises(
        ValueError, match=r"export.onnx, ONNX Runtime: got answers that differ by 1.0e\+00 on 1,000 of MNIST's"
    ):
        export.onnx(lenet.LeNet(), tmp_path / "a.onnx", probabilities=False)
    assert os.listdir(tmp_path) == []


def test_the_command_line(model: Path, tmp_path: Path, command_line: None) -> None:
    os.symlink(model, "digits.safetensors")
    found = run("export", "digits.safetensors", "--json")
    assert found.exit_code == 0, found.stderr
    result = json.loads(found.stdout)
    assert (result["file"], result["compared"]) == ("digits.onnx", 1000)
    assert result["bytes"] == os.path.getsize("digits.onnx")
    for to in ("torch", "paddle"):
        assert run("export", "digits.safetensors", "--to", to).exit_code == 0
    state = lenet.load("digits.pdparams")
    theirs = lenet.load("digits.torch.safetensors")
    np.testing.assert_array_equal(state["linear1.weight"].numpy().T, theirs["linear1.weight"].numpy())
    for arguments, text in (
        (("none.safetensors",), "model: got none.safetensors, which does not exist"),
        (("digits.safetensors", "--to", "keras"), "to: got 'keras', expected one of 'onnx', 'torch', 'paddle'."),
        (
            ("digits.safetensors", "--out", "a.tflite"),
            "out: got 'a.tflite', expected another file's name ending in .onnx",
        ),
        (
            ("digits.safetensors", "--to", "torch", "--out", "digits.safetensors"),
            "expected another file's name ending in",
        ),
        (
            ("digits.safetensors", "--to", "paddle", "--logits"),
            "--to paddle: got --logits, expected it with --to onnx alone",
        ),
    ):
        found = run("export", *arguments)
        assert found.exit_code == 2
        assert text in found.stderr
        assert "Traceback" not in found.stderr


# ---- others' -------------------------------------------------------------------------------------------------------------


def proto(
    nodes: list[Any], tensors: dict[str, Any], shape: Any = (1, 1, 28, 28), output: str = "y", **more: Any
) -> Any:
    settings: dict[str, Any] = {"opset": 12, "ir": 7, "kind": TensorProto.FLOAT} | more
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", settings["kind"], shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )  # fmt: skip
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", settings["opset"])], ir_version=settings["ir"]
    )


def weights(*shape: int) -> Any:
    return np.random.RandomState(sum(shape)).standard_normal(shape).astype(np.float32) * np.float32(0.2)


def zoo() -> Any:
    """The form of the ONNX model zoo's MNIST: weights reshaped by nodes, biases added behind, one image at a time."""
    node = helper.make_node
    nodes = [
        node("Reshape", ["Parameter193", "shape1"], ["Parameter193_reshape1"]),
        node("Conv", ["x", "Parameter5"], ["Convolution28"], auto_pad="SAME_UPPER", kernel_shape=[5, 5], strides=[1, 1],
             dilations=[1, 1], group=1),
        node("Add", ["Convolution28", "Parameter6"], ["Plus30"]),
        node("Relu", ["Plus30"], ["ReLU32"]),
        node("MaxPool", ["ReLU32"], ["Pooling66"], auto_pad="NOTSET", kernel_shape=[2, 2], pads=[0, 0, 0, 0], strides=[2, 2]),
        node("Conv", ["Pooling66", "Parameter87"], ["Convolution110"], auto_pad="SAME_UPPER", kernel_shape=[5, 5],
             strides=[1, 1], dilations=[1, 1], group=1),
        node("Add", ["Convolution110", "Parameter88"], ["Plus112"]),
        node("Relu", ["Plus112"], ["ReLU114"]),
        node("MaxPool", ["ReLU114"], ["Pooling160"], auto_pad="NOTSET", kernel_shape=[3, 3], pads=[0, 0, 0, 0], strides=[3, 3]),
        node("Reshape", ["Pooling160", "shape0"], ["Pooling160_reshape0"]),
        node("MatMul", ["Pooling160_reshape0", "Parameter193_reshape1"], ["Times212"]),
        node("Add", ["Times212", "Parameter194"], ["Plus214"], name="Plus214"),
    ]  # fmt: skip
    tensors = {
        "Parameter193": weights(16, 4, 4, 10), "shape1": np.array([256, 10], np.int64), "Parameter5": weights(8, 1, 5, 5),
        "Parameter6": weights(8, 1, 1), "Parameter87": weights(16, 8, 5, 5), "Parameter88": weights(16, 1, 1),
        "shape0": np.array([1, 256], np.int64), "Parameter194": weights(1, 10),
    }  # fmt: skip
    return proto(nodes, tensors, output="Plus214", opset=8, ir=3)


def test_the_zoos_mnist(tmp_path: Path, mnist_dir: Path) -> None:
    file = tmp_path / "mnist.onnx"
    made = zoo()
    made.graph.input.extend(  # as IR 3 has it: weights are inputs, too
        [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in made.graph.initializer]
    )
    onnx.save(made, file)
    network = lenet.from_onnx(file)
    images = np.fromfile(mnist_dir / "t10k-images-idx3-ubyte", np.uint8)[16 : 16 + 784 * 200].reshape(-1, 1, 28, 28)
    x = images.astype(np.float32) / 255
    theirs = session(file)
    one_by_one = np.concatenate([theirs.run(None, {"x": x[k : k + 1]})[0] for k in range(len(x))])
    np.testing.assert_allclose(answers(network, x), one_by_one, atol=1e-5 * np.abs(one_by_one).max())
    state = network.state_dict()
    assert state["Parameter6"].numpy().tobytes() == weights(8, 1, 1).tobytes()
    assert state["Parameter193"].shape == [256, 10]
    assert lenet.jit.plan.compile(
        network, None, None, [lenet.zeros([1, 1, 28, 28])]
    ).shapes  # biases joined: a plan runs it


OTHERS: dict[str, tuple[list[Any], dict[str, Any], int]] = {
    "shapes computed in the graph": (
        [
            helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Constant", [], ["zero"], value_int=0),
            helper.make_node("Gather", ["s", "zero"], ["n"]), helper.make_node("Constant", [], ["last"], value_ints=[-1]),
            helper.make_node("Unsqueeze", ["n", "axes"], ["n1"]), helper.make_node("Concat", ["n1", "last"], ["to"], axis=0),
            helper.make_node("Reshape", ["x", "to"], ["flat"]), helper.make_node("Gemm", ["flat", "w", "b"], ["y"], transB=1),
        ], {"axes": np.array([0], np.int64), "w": weights(5, 784), "b": weights(5)}, 13,
    ),
    "attributes of old opsets": (
        [
            helper.make_node("Pad", ["x"], ["p"], pads=[0, 0, 1, 1, 0, 0, 2, 0], value=0.5),
            helper.make_node("Slice", ["p"], ["q"], starts=[0, 2], ends=[20, 9999], axes=[2, 3]),
            helper.make_node("Clip", ["q"], ["c"], min=0.1, max=0.9), helper.make_node("Unsqueeze", ["c"], ["u"], axes=[4]),
            helper.make_node("Squeeze", ["u"], ["v"], axes=[4]), helper.make_node("Flatten", ["v"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["m"]), helper.make_node("Softmax", ["m"], ["y"]),
        ], {"w": weights(20 * 27, 6)}, 9,
    ),
    "axes as inputs of new ones": (
        [
            helper.make_node("Split", ["x", "parts"], ["a", "b"], axis=2), helper.make_node("Add", ["a", "b"], ["c"]),
            helper.make_node("ReduceMean", ["c", "axes"], ["m"], keepdims=0), helper.make_node("PRelu", ["m", "slope"], ["p"]),
            helper.make_node("Flatten", ["p"], ["flat"]), helper.make_node("Gemm", ["flat", "w"], ["g"]),
            helper.make_node("LogSoftmax", ["g"], ["l"]), helper.make_node("Mish", ["l"], ["y"]),
        ], {"parts": np.array([14, 14], np.int64), "axes": np.array([3], np.int64), "slope": weights(1), "w": weights(14, 4)}, 18,
    ),
    "pooling of all kinds": (
        [
            helper.make_node("AveragePool", ["x"], ["a"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1],
                             count_include_pad=1),
            helper.make_node("MaxPool", ["a"], ["b"], kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER"),
            helper.make_node("Conv", ["b", "k"], ["c"], group=1), helper.make_node("GlobalAveragePool", ["c"], ["d"]),
            helper.make_node("GlobalMaxPool", ["c"], ["e"]), helper.make_node("Concat", ["d", "e"], ["f"], axis=1),
            helper.make_node("Identity", ["f"], ["h"]), helper.make_node("Flatten", ["h"], ["y"]),
        ], {"k": weights(4, 1, 3, 3)}, 17,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_programs_graphs(name: str, tmp_path: Path) -> None:
    nodes, tensors, opset = OTHERS[name]
    file = tmp_path / "other.onnx"
    onnx.save(proto(nodes, tensors, ("N", 1, 28, 28), opset=opset, ir=8), file)
    x = np.random.RandomState(0).rand(5, 1, 28, 28).astype(np.float32)
    theirs = session(file).run(None, {"x": x})[0]
    np.testing.assert_allclose(answers(lenet.from_onnx(file), x), theirs, atol=1e-5, rtol=1e-5)


# ---- refused -------------------------------------------------------------------------------------------------------------


def flat(*more: Any, tensors: Any = None, **settings: Any) -> Any:
    nodes = [
        *more,
        helper.make_node("Flatten", ["z" if more else "x"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    return proto(nodes, {"w": weights(784, 3)} | (tensors or {}), **settings)


def external() -> Any:
    made = flat()
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return made


def lying() -> Any:
    made = flat()
    made.graph.initializer[0].dims[0] = 1 << 40
    return made


def looping() -> Any:
    body = helper.make_graph([], "body", [], [])
    return flat(helper.make_node("If", ["x"], ["z"], then_branch=body, else_branch=body))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "operator": (
        lambda: flat(helper.make_node("Det", ["x"], ["z"], name="my/det")),
        r"from_onnx, bad.onnx, node 0 my/det, Det: got the operator 'Det', expected one that a network here has",
    ),
    "another domain": (
        lambda: flat(helper.make_node("Relu", ["x"], ["z"], domain="com.evil")), "got the operator Relu of 'com.evil'",
    ),
    "a name that is a method": (lambda: flat(helper.make_node("__class__", ["x"], ["z"])), "got the operator '__class__'"),
    "a graph in a node": (looping, "got the operator 'If'"),
    "numbers elsewhere": (external, r"'w': got numbers in another file, expected numbers in this one. Write one file"),
    "a size that lies": (lying, "'w': got a damaged tensor"),
    "old opset": (lambda: flat(opset=6), "got opset 6, expected one of 7 to 25"),
    "new opset": (lambda: flat(opset=99), "got opset 99, expected one of 7 to 25"),
    "double": (lambda: flat(kind=TensorProto.DOUBLE), "input 'x': got double, expected float32 or uint8"),
    "double weights": (
        lambda: flat(helper.make_node("Add", ["x", "d"], ["z"]), tensors={"d": np.zeros(5000).reshape(1, 1, 5000)[..., :28]}),
        "node 0, Add: got numbers of float64, expected float32",
    ),
    "shape": (lambda: flat(shape=(1, 1, 9, 9)), r"node 1, MatMul: got 'weights \(784, 3\).* on \[81\]', expected"),
    "open shape": (lambda: flat(shape=(1, 1, "h", "w")), r"got shape \['N', 1, 'open', 'open'\], expected known sizes"),
    "no image": (
        lambda: proto([helper.make_node("Relu", ["w"], ["y"])], {"w": weights(3)}),
        "got an output 'y' that no node makes of images",
    ),
    "huge": (
        lambda: flat(helper.make_node("Pad", ["x", "p"], ["z"]), tensors={"p": np.array([0, 0, 4000, 4000, 0, 0, 4000, 4000])}),
        "node 0, Pad: got .*, expected at most 1048576 numbers a sample",
    ),
    "unknown input": (lambda: flat(helper.make_node("Relu", ["nothing"], ["z"])), "got 'nothing', which no node before it makes"),
    "mixed images": (
        lambda: flat(helper.make_node("Reshape", ["x", "s"], ["z"]), tensors={"s": np.array([7, 112])}), "which mixes images",
    ),
    "too few inputs": (lambda: flat(helper.make_node("Conv", ["x"], ["z"])), "node 0, Conv: got Conv with other inputs"),
    "several outputs": (
        lambda: (made := flat(), made.graph.output.add(name="f"))[0], "got 1 inputs and 2 outputs, expected one of each",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_can_not_come_are_named_with_their_place(name: str, tmp_path: Path) -> None:
    make, text = REFUSED[name]
    (tmp_path / "bad.onnx").write_bytes(make().SerializeToString())
    with pytest.raises(ValueError, match=text) as found:
        lenet.from_onnx(tmp_path / "bad.onnx")
    assert len(str(found.value)) <= 300
    assert "\n" not in str(found.value)


def damaged() -> Iterator[bytes]:
    """Files cut short, of other kinds, and graphs with a few bytes changed."""
    whole = flat().SerializeToString()
    yield from (b"", b"no", b"\x80\x04\x95", b"<html>" * 50, whole[: len(whole) // 2], whole[:-1], b"\x0a" * 4000)
    wholes = [made.SerializeToString() for made in (flat(), zoo())]
    wholes += [
        proto(nodes, tensors, opset=opset, ir=8).SerializeToString() for nodes, tensors, opset in OTHERS.values()
    ]
    draw = np.random.RandomState(0)
    for k in range(300):
        some = bytearray(wholes[k % len(wholes)])
        for _ in range(draw.randint(1, 6)):
            first = draw.rand() < 0.6  # where the graph stands, or at the end, where inputs and outputs do
            place = draw.randint(0, min(len(some), 1500)) if first else len(some) - 1 - draw.randint(0, 300)
            some[place] = draw.randint(256)
        yield bytes(some)


def test_damaged_files(tmp_path: Path) -> None:
    file, refused = tmp_path / "bad.onnx", 0
    for content in damaged():
        file.write_bytes(content)
        said = ""
        try:
            lenet.from_onnx(file)
        except ValueError as error:
            refused, said = refused + 1, str(error)
        assert not said or said.startswith("from_onnx, bad.onnx")
        assert "\n" not in said
        assert len(said) <= 301
    assert refused >= 100
    with pytest.raises(FileNotFoundError, match=r"from_onnx, none.onnx: got no such file"):
        lenet.from_onnx(tmp_path / "none.onnx")


def bomb(op: str) -> Any:
    """A few thousand bytes that would unfold into billions of numbers."""
    long, lying = np.zeros((1 << 15, 1), np.int64), np.zeros((1, 1 << 15), np.int64)
    nodes = {
        "Mul": [helper.make_node("Mul", ["a", "b"], ["m"])],
        "Gather": [helper.make_node("Gather", ["b", "a"], ["m"], axis=0)],
        "Concat": [helper.make_node("Concat", ["a"] * 600, ["m"], axis=0)],
    }[op]
    return flat(*nodes, helper.make_node("Relu", ["x"], ["z"]), tensors={"a": long, "b": lying})


@pytest.mark.parametrize("op", ["Mul", "Gather", "Concat"])
def test_nothing_unfolds(op: str, tmp_path: Path) -> None:
    import tracemalloc

    (tmp_path / "bad.onnx").write_bytes(bomb(op).SerializeToString())
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=rf"node 0, {op}: got \d+ numbers, expected at most 16777216"):
            lenet.from_onnx(tmp_path / "bad.onnx")
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()
