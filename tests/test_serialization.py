"""Files, both ways with real Paddle; files that are damaged, foreign or hostile; and writes that are cut short."""

from __future__ import annotations

import collections
import contextlib
import errno
import fcntl
import io
import json
import os
import pickle
import signal
import stat
import struct
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

import lenet
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.modelfile import serialization as files


def arrays() -> dict[str, Any]:
    random = np.random.RandomState(0)
    return {
        "conv.weight": random.randn(2, 1, 3, 3).astype(np.float32),
        "conv.bias": np.zeros(2, np.float32),
        "count": np.array(7),
        "empty": np.zeros((0, 3), np.float32),
        "mask": np.array([True, False]),
        "wide": np.asfortranarray(random.randn(3, 4)),
    }


def same(a: Any, b: Any) -> None:
    """Equal structure, types and numbers, of our values or Paddle's."""
    if hasattr(a, "numpy") or isinstance(a, np.ndarray):
        a, b = (x.numpy() if hasattr(x, "numpy") else x for x in (a, b))
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert (type(a), len(a)) == (type(b), len(b))
        for x, y in zip(a, b, strict=True):
            same(x, y)
    else:
        assert (a, type(a)) == (b, type(b))


# ---- with Paddle ----------------------------------------------------------------------------------------------------


def their_net(paddle: Any) -> Any:
    nn = paddle.nn
    return nn.Sequential(nn.Conv2D(1, 2, 3), nn.BatchNorm2D(2), nn.Flatten(), nn.Linear(72, 3)).eval()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_their_parameters_are_read(protocol: int, paddle: Any, tmp_path: Path) -> None:
    state = their_net(paddle).state_dict()
    name = str(tmp_path / "net.pdparams")
    paddle.save(state, name, protocol=protocol)
    found = files.load(name)
    assert list(found) == list(state)
    for key, tensor in found.items():
        assert isinstance(tensor, Tensor)
        assert tensor.stop_gradient
        assert tensor.name == state[key].name
        np.testing.assert_array_equal(tensor.numpy(), state[key].numpy())
    plain = files.load(Path(name), return_numpy=True)
    assert all(type(array) is np.ndarray and array.flags.writeable for array in plain.values())
    same(plain, found)


SCHEDULERS = {
    "number": lambda lr: 0.1,
    "step": lambda lr: lr.StepDecay(0.1, 3),
    "warm-up": lambda lr: lr.LinearWarmup(lr.CosineAnnealingDecay(0.1, 5), 3, 0.0, 0.1),
    "plateau": lambda lr: lr.ReduceOnPlateau(0.1),
    "plateau of numpy": lambda lr: lr.ReduceOnPlateau(0.1),
}


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "Momentum", "SGD", "RMSProp", "Adagrad"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_their_optimizer_states_are_read(optimizer: str, scheduler: str, paddle: Any, tmp_path: Path) -> None:
    net = their_net(paddle)
    rate = SCHEDULERS[scheduler](paddle.optimizer.lr)
    opt = getattr(paddle.optimizer, optimizer)(rate, parameters=net.parameters())
    for _ in range(2):
        loss = net(paddle.ones([2, 1, 8, 8])).mean()
        loss.backward()
        opt.step()
        if scheduler != "number":
            watched = {"plateau": loss, "plateau of numpy": np.float64(1.5)}
            rate.step(*([watched[scheduler]] if scheduler in watched else []))
    name = str(tmp_path / "opt.pdopt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle warns when it saves an empty dict, as plain SGD's is
        paddle.save(opt.state_dict(), name)
    same(files.load(name), paddle.load(name))
    same(files.load(name, return_numpy=True), paddle.load(name, return_numpy=True))


def nested(module: Any) -> dict[str, Any]:
    """The same values for Paddle and for us; ``module`` gives to_tensor."""
    t = module.to_tensor
    return {
        "tensor": t([1.5, 2.5]),
        "0-D": t(3.0),
        "list": [t([1]), 3, "text", None, True, {"a": t([[0.5]])}, (1, 2.5)],
        "checkpoint": {"model": collections.OrderedDict(w=t([[1.0, 2.0]]), b=t([0.0])), "epoch": 3},
        "flat": {"w": t([1.0]), "LR_Scheduler": {"last_epoch": 3, "last_lr": 0.1}},
        "arrays": {"w": np.ones((2, 3), np.float32), "n": np.arange(3)},
        "mixed": {"w": t([1.0]), "array": np.ones(2), "scalar": np.float32(2)},
        "empty": {},
    }


@pytest.mark.parametrize("case", sorted(nested(files)))
@pytest.mark.parametrize("protocol", [2, 4])
def test_nested_values_go_both_ways(case: str, protocol: int, paddle: Any, tmp_path: Path) -> None:
    ours, theirs = nested(lenet.tensor)[case], nested(paddle)[case]
    mine, yours = str(tmp_path / "ours.pd"), str(tmp_path / "theirs.pd")
    files.save(ours, mine, protocol)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle warns when it saves an empty dict
        paddle.save(theirs, yours, protocol=protocol)
    expected = paddle.load(yours)
    same(paddle.load(mine), expected)
    same(files.load(yours), expected)
    same(files.load(mine), expected)
    same(files.load(mine, return_numpy=True), paddle.load(yours, return_numpy=True))


def test_our_state_dict_is_theirs(paddle: Any, tmp_path: Path) -> None:
    state = {key: to_tensor(array) for key, array in arrays().items()}
    for i, tensor in enumerate(state.values()):
        tensor.name = f"param_{i}.w_0"
    name = str(tmp_path / "deep" / "er" / "net.pdparams")
    files.save(state, name)
    found = paddle.load(name)
    same(found, state)
    assert [tensor.name for tensor in found.values()] == [tensor.name for tensor in state.values()]
    with open(name, "rb") as file:
        content = pickle.load(file)  # the file is plain: no paddle, no lenet in it
    assert content["StructuredToParameterName@@"] == {key: tensor.name for key, tensor in state.items()}
    assert all(type(value) is np.ndarray for key, value in content.items() if "@@" not in key)


def test_a_buffer_in_memory(paddle: Any) -> None:
    buffer = io.BytesIO()
    files.save({"w": to_tensor([1.0, 2.0])}, buffer)
    buffer.seek(0)
    same(paddle.load(buffer), {"w": to_tensor([1.0, 2.0])})
    buffer.seek(0)
    same(files.load(buffer), {"w": to_tensor([1.0, 2.0])})


def test_shared_tensors_stay_shared(tmp_path: Path) -> None:
    tensor = to_tensor([1.0])
    files.save([tensor, [tensor]], tmp_path / "x.pd")
    first, (second,) = files.load(tmp_path / "x.pd", return_numpy=True)
    assert first is second


def test_arrays_of_the_other_byte_order(tmp_path: Path) -> None:
    (tmp_path / "x.pd").write_bytes(pickle.dumps({"w": np.array([1, 2], ">f4"), "n": np.array([3], ">i8")}, 4))
    found = files.load(tmp_path / "x.pd", return_numpy=True)
    same(found, {"w": np.array([1, 2], np.float32), "n": np.array([3])})


SAVE_BAD = [
    (lambda p: files.save(lenet.nn.Linear(1, 1), p / "x"), ValueError, r"Save net.state_dict\(\)"),
    (lambda p: files.save({"net": lenet.nn.Linear(1, 1)}, p / "x"), ValueError, "a Linear, which is a Layer"),
    (lambda p: files.save({}, ""), ValueError, "a file name after the folder"),
    (lambda p: files.save({}, f"{p}/"), ValueError, "a file name after the folder"),
    (lambda p: files.save({}, 3), ValueError, r"save\(path\): got int 3"),
    (lambda p: files.save({}, p / "x", 5), ValueError, "expected 2, 3 or 4"),
    (lambda p: files.save({}, p / "x", "4"), ValueError, "expected 2, 3 or 4"),
    (lambda p: files.save({"f": print}, p / "x"), TypeError, r"save\(\): got builtin_function_or_method"),
    (lambda p: files.save({"s": {1, 2}}, p / "x"), TypeError, r"save\(\): got set"),
    (lambda p: files.save({"a": np.array(["x"])}, p / "x"), TypeError, r"save\(\): got ndarray of str"),
    (lambda p: files.save([1], p / "x.safetensors"), TypeError, "a dict of Tensors or arrays"),
    (lambda p: files.save({"a": 1}, p / "x.safetensors"), TypeError, "tensor 'a': got int 1, expected an ndarray"),
    (lambda p: files.save({}, p), IsADirectoryError, "a file name"),
]


@pytest.mark.parametrize("case", range(len(SAVE_BAD)))
def test_what_cannot_be_saved(case: int, tmp_path: Path) -> None:
    make, kind, text = SAVE_BAD[case]
    with pytest.raises(kind, match=text):
        make(tmp_path)
    assert not list(tmp_path.iterdir())


def test_values_that_hold_themselves_are_refused(tmp_path: Path) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        files.save(loop, tmp_path / "x")
    (tmp_path / "x").write_bytes(pickle.dumps(loop))
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        files.load(tmp_path / "x")


# ---- hostile, foreign, damaged pickles ------------------------------------------------------------------------------


class Runs:
    """A pickle of this calls a function when it is read."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


def test_a_hostile_pickle_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for function, args, name in (
        (os.system, (f"touch {marker}",), "posix.system"),
        (eval, (f"open({str(marker)!r}, 'w')",), "(builtins|__builtin__).eval"),
        (subprocess.call, (["touch", str(marker)],), "(subprocess|commands).call"),
        (os.mkdir, (str(marker),), "posix.mkdir"),
    ):
        for protocol in (0, 2, 4):
            content = pickle.dumps({"w": np.ones(2), "x": Runs(function, *args)}, protocol)
            (tmp_path / "x.pdparams").write_bytes(content)
            with pytest.raises(ValueError, match=rf"a pickle that asks for {name}.*Nothing was run"):
                files.load(tmp_path / "x.pdparams")
            assert not marker.exists()
    pickle.loads(content)  # the file does what it says it does
    assert marker.exists()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_several_objects_in_one_stream(protocol: int) -> None:
    stream = io.BytesIO()
    values = [{"w": to_tensor(np.arange(3.0))}, [1, "two"], {"step": 7, "big": np.zeros(100_000)}]
    for value in values:
        files.save(value, stream, protocol)
    stream.seek(0)
    assert files.load(stream)["w"].numpy().tolist() == [0, 1, 2]
    assert files.load(stream) == [1, "two"]
    assert files.load(stream)["step"] == 7
    assert stream.read() == b""


def test_admitted_names_cannot_be_turned() -> None:
    """Each of these uses only names that are admitted, in ways that no file of Paddle's does."""
    ndarray, reconstruct = b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n"
    dtype = b"cnumpy\ndtype\n"
    for content, text in (
        (ndarray + b"(I1000000000000\ntR.", "a call of numpy.ndarray"),
        (reconstruct + b"(" + ndarray + b"(I1000000000000\ntC\x01btR.", "not built as numpy builds one"),
        (reconstruct + b"(" + dtype + b"(I0\ntC\x01btR.", "not built as numpy builds one"),
        (dtype + b"(Vobject\ntR.", "the dtype 'object'"),
        (dtype + b"(VO8\ntR.", "the dtype 'O8'"),
        (dtype + b"(Vf4\ntR(I3\nV<\n(I1\ntNNI-1\nI-1\nI0\ntb.", "a structured dtype"),
        (reconstruct + b"(dVx\nVy\nsb.", "a state for a name"),
        (ndarray + b"}Vmake\nNsb.", "a state for a name"),
        (b"ccollections\nOrderedDict\n)R}Vitems\nNsb.", "a state for a ordereddict"),
        (b"cbuiltins\ntuple\n(Vabc\ntR.", "a tuple of a str"),
        (b"c_codecs\nencode\n(Vabc\nVrot13\ntR.", "the encoding rot13"),
        (ndarray + b".", "a name"),
        (dtype + b"(Vf4\ntR.", "a dtype"),
        (b"\x80\x04\x8f.", "a set"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "cannot be read"),
        (b"\x80\x02\x82\x01.", "cannot be read"),
        (b"Pabc\n.", "cannot be read"),
        (b"(i__builtin__\neval\n.", "__builtin__.eval"),
    ):
        with pytest.raises(ValueError, match=text):
            files.load(io.BytesIO(content))


def test_a_small_file_cannot_ask_for_much_memory() -> None:
    huge = b"\x80\x02]" + b"r" + struct.pack("<I", 2**31 - 1) + b"."  # the C unpickler makes room for 2**32 memos
    assert files.load(io.BytesIO(huge)) == []
    text = b"\x80\x02X" + struct.pack("<I", 10**6) + b"x" * 10**6 + b"q\x00c_codecs\nencode\nq\x01]q\x02"
    piece = b"h\x01h\x00Vlatin1\n\x86Ra"  # the same million bytes once more
    with pytest.raises(ValueError, match="more bytes than the file has"):
        files.load(io.BytesIO(text + piece * 1000 + b"."))
    bomb: Any = []
    for _ in range(60):
        bomb = [bomb, bomb]  # 2**60 items if it were unfolded
    found = files.load(io.BytesIO(pickle.dumps(bomb, 4)), return_numpy=True)
    assert found[0] is found[1]


def test_foreign_objects_are_named(tmp_path: Path) -> None:
    for value, name in (
        (Path("x"), "pathlib"),
        (collections.Counter("ab"), "collections.Counter"),
        (np.random.RandomState(0), "numpy.random"),
        (np.array(["a"], object), "the dtype 'O8'"),
        (np.array(["a"]), "the dtype 'U1'"),
    ):
        (tmp_path / "x.pd").write_bytes(pickle.dumps({"x": value}, 4))
        with pytest.raises(ValueError, match=rf"x.pd: got a pickle that asks for {name}"):
            files.load(tmp_path / "x.pd")


def test_damaged_pickles(tmp_path: Path) -> None:
    content = pickle.dumps(arrays(), 4)
    name = tmp_path / "x.pdparams"
    for cut in [0, 1, 2, 10, 100, *range(11, len(content) - 1, 97), len(content) - 1]:
        name.write_bytes(content[:cut])
        with pytest.raises(
            ValueError, match=rf"x.pdparams: got (a pickle that asks for|{cut} bytes that cannot be read)"
        ):
            files.load(name)
    for garbage in (
        b"garbage",
        b"<html></html>",
        b"\x1f\x8b\x08\x00",
        b"PK\x03\x04",
        bytes(100),
        os.urandom(50) + b"\xff",
    ):
        name.write_bytes(garbage)
        with pytest.raises(ValueError, match=r"x\.pdparams: got"):
            files.load(name)


def test_every_flipped_byte_is_read_or_refused() -> None:
    content = bytearray(pickle.dumps({"w": np.arange(4, dtype=np.float32), "n": [1, 2.5, "x"]}, 4))
    for at in range(len(content)):
        for flip in (1, 0x40, 0xFF):
            content[at] ^= flip
            # TypeError: an array whose dtype became one that no Tensor has
            with contextlib.suppress(ValueError, TypeError):
                files.load(io.BytesIO(bytes(content)))
            content[at] ^= flip


def test_a_missing_file_says_what_is_there(tmp_path: Path) -> None:
    files.save({}, tmp_path / "net.pdparams")
    with pytest.raises(ValueError, match=r"Give the full name: .*net.pdparams"):
        files.load(tmp_path / "net")
    with pytest.raises(ValueError, match=r"other, which is no file, .*Check the path"):
        files.load(tmp_path / "other")
    with pytest.raises(ValueError, match="which is no file"):
        files.load(tmp_path)


# ---- the model file -------------------------------------------------------------------------------------------------

META = {"name": "lenet", "labels": ["null", "één"], "epochs": 2, "accuracy": 0.991, "deep": {"b": [1, None], "a": True}}


def test_a_model_file_holds_everything(tmp_path: Path) -> None:
    name = tmp_path / "deep" / "net.safetensors"
    files.write_model(name, arrays(), META)
    tensors, meta = files.read_model(name)
    assert meta == META
    for key, array in arrays().items():
        same(tensors[key], np.asarray(array, order="C"))
        tensors[key][...] = 0  # one's own, and writable
    assert list(tensors) == sorted(arrays())
    same(files.load(name), {key: to_tensor(value) for key, value in files.read_model(name)[0].items()})


def test_other_programs_read_the_model_file(tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file

    files.write_model(tmp_path / "x.safetensors", arrays(), META)
    same(
        dict(sorted(load_file(tmp_path / "x.safetensors").items())),
        {k: v.copy("C") for k, v in sorted(arrays().items())},
    )
    with safe_open(tmp_path / "x.safetensors", framework="np") as file:
        metadata = file.metadata()
    assert list(metadata) == ["lenet"]
    assert metadata["lenet"] == json.dumps(META, sort_keys=True, separators=(",", ":"))


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    backwards = dict(reversed(list(arrays().items())))
    files.write_model(tmp_path / "a", arrays(), META)
    files.write_model(tmp_path / "b", backwards, dict(reversed(list(META.items()))))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_model_file_of_another_program(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"w": np.ones(2, np.float32)}, tmp_path / "x.safetensors", metadata={"format": "pt"})
    tensors, meta = files.read_model(tmp_path / "x.safetensors")
    assert meta == {}
    assert tensors["w"].tolist() == [1, 1]
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "y.safetensors")
    assert files.read_model(tmp_path / "y.safetensors")[1] == {}


def test_save_to_a_safetensors_name(tmp_path: Path) -> None:
    state = {"w": to_tensor([1.0, 2.0]), "b": np.zeros(2, np.float32)}
    files.save(state, tmp_path / "x.safetensors")
    assert files.read_model(tmp_path / "x.safetensors")[1] == {}
    same(dict(sorted(files.load(tmp_path / "x.safetensors", True).items())), {"b": state["b"], "w": state["w"].numpy()})


def header(text: bytes, data: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text + data


def with_meta(meta: str) -> bytes:
    from safetensors.numpy import save

    return save({"w": np.ones(2, np.float32)}, metadata={"lenet": meta})


FOREIGN = {
    "empty": (b"", "0 bytes"),
    "short": (b"abc", "3 bytes"),
    "html": (b"<html><body>404</body></html>", "an HTML or XML page"),
    "pickle": (pickle.dumps({"w": 1}, 4), r"a pickle.*lenet.load\(\)"),
    "random": (b"\xff" * 64, "truncated, damaged, or another kind"),
    "zeros": (bytes(64), "truncated, damaged, or another kind"),
    "no JSON": (header(b'{"a":'), "truncated, damaged, or another kind"),
    "a list": (header(b"[]"), "truncated, damaged, or another kind"),
    "deep": (header(b"[" * 100000), "truncated, damaged, or another kind"),
    "beyond the end": (
        header(b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}', bytes(8)),
        "truncated, damaged, or another kind",
    ),
    "wrong size": (
        header(b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,8]}}', bytes(8)),
        "truncated, damaged, or another kind",
    ),
    "bfloat16": (
        header(b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}', bytes(2)),
        "truncated, damaged, or another kind",
    ),
    "meta no JSON": (with_meta("{"), "metadata that is no JSON"),
    "meta a list": (with_meta("[1]"), "metadata that is a list, expected a JSON object"),
    "meta NaN": (with_meta('{"a":NaN}'), "NaN is not JSON"),
    "meta deep": (with_meta("[" * 10**5), "metadata that is no JSON"),
    "meta long number": (with_meta('{"a":' + "9" * 10**5 + "}"), "metadata that is no JSON"),
    "meta large": (with_meta(" " * (files.META_LIMIT + 1)), "bytes of metadata, expected at most"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_damaged_and_foreign_model_files(name: str, tmp_path: Path) -> None:
    content, text = FOREIGN[name]
    (tmp_path / "net.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=f"net.safetensors: got .*{text}"):
        files.read_model(tmp_path / "net.safetensors")


def test_a_truncated_model_file_at_any_length(tmp_path: Path) -> None:
    files.write_model(tmp_path / "x.safetensors", arrays(), META)
    content = (tmp_path / "x.safetensors").read_bytes()
    for cut in [*range(0, len(content), 53), len(content) - 1]:
        (tmp_path / "x.safetensors").write_bytes(content[:cut])
        with pytest.raises(ValueError, match=f"{cut} bytes"):
            files.read_model(tmp_path / "x.safetensors")


def test_a_missing_model_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.read_model(tmp_path / "x.safetensors")
    with pytest.raises(IsADirectoryError, match="the folder"):
        files.read_model(tmp_path)


MODEL_BAD = [
    (lambda p: files.write_model(p, {"a": [1.0]}, {}), TypeError, r"tensor 'a': got list \[1.0\], expected an ndarray"),
    (lambda p: files.write_model(p, {1: np.ones(1)}, {}), TypeError, "name of a tensor: got int 1"),
    (lambda p: files.write_model(p, {"a": np.ones(1, complex)}, {}), TypeError, "tensor 'a': got dtype complex128"),
    (lambda p: files.write_model(p, {"a": np.array(["x"])}, {}), TypeError, "tensor 'a': got dtype <U1"),
    (lambda p: files.write_model(p, {}, {"a": float("nan")}), ValueError, "metadata of a model file.*finite numbers"),
    (lambda p: files.write_model(p, {}, {"a": np.float32(1)}), TypeError, r"float32.*with float\(\)"),
    (lambda p: files.write_model(p, {}, {"a": "x" * files.META_LIMIT}), ValueError, "bytes of JSON"),
]


@pytest.mark.parametrize("case", range(len(MODEL_BAD)))
def test_what_no_model_file_can_hold(case: int, tmp_path: Path) -> None:
    make, kind, text = MODEL_BAD[case]
    with pytest.raises(kind, match=text):
        make(tmp_path / "x.safetensors")
    assert not list(tmp_path.iterdir())


# ---- the digest -----------------------------------------------------------------------------------------------------


def test_digest_is_of_names_types_shapes_and_bytes() -> None:
    base = {"a": np.arange(6, dtype=np.float32), "b": np.ones(2, np.float32)}
    first = files.digest(base)
    assert first == files.digest({"b": base["b"], "a": base["a"]})
    assert first == files.digest({"a": base["a"].astype(">f4"), "b": base["b"][::-1]})
    others = [
        {"a": base["a"].reshape(2, 3), "b": base["b"]},
        {"a": base["a"].view(np.int32), "b": base["b"]},
        {"a": base["a"] + 1, "b": base["b"]},
        {"c": base["a"], "b": base["b"]},
        {"a": base["a"]},
    ]
    assert len({first, *map(files.digest, others)}) == 6
    assert files.digest({"w": np.array([1.5], np.float32)}) == (
        # sha256 of b"w\0<f4\0[1]\0" and the bytes 00 00 c0 3f
        "2fd8e1a7703c23d97505781bb0038122b409c966551bf492257e17119760cc35"
    )


def test_digest_does_not_depend_on_the_meta(tmp_path: Path) -> None:
    files.write_model(tmp_path / "x", arrays(), META)
    assert files.digest(files.read_model(tmp_path / "x")[0]) == files.digest(arrays())


def test_an_earlier_model_is_kept(tmp_path: Path) -> None:
    name = tmp_path / "net.safetensors"
    assert files.keep_previous(name) is None
    files.write_model(name, arrays(), META)
    tag = files.digest(arrays())
    kept = tmp_path / f"net.{tag[:8]}.safetensors"
    assert files.keep_previous(name) == (kept, True)
    assert name.samefile(kept)  # until something else takes the name
    files.write_model(name, arrays(), {})  # the same weights again: the same name
    assert files.read_model(kept)[1] == META
    assert files.keep_previous(str(name)) == (kept, False)
    assert files.keep_previous(name) == (kept, False)  # both are one file already
    assert files.read_model(kept)[1] == {}
    assert names(tmp_path) == [kept.name, name.name]


def test_where_a_file_can_have_one_name_alone_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*args: object, **options: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    name = tmp_path / "net.safetensors"
    files.write_model(name, arrays(), META)
    monkeypatch.setattr(os, "link", none)
    kept = files.keep_previous(name)
    assert kept is not None
    assert kept[0].read_bytes() == name.read_bytes()
    assert not name.samefile(kept[0])


def test_an_earlier_model_is_kept_whatever_bears_its_name(tmp_path: Path) -> None:
    name = tmp_path / "net.safetensors"
    files.write_model(name, arrays(), META)
    tag = files.digest(arrays())
    (tmp_path / f"net.{tag[:8]}.safetensors").write_bytes(b"something else")
    assert files.keep_previous(name) == (tmp_path / f"net.{tag[:16]}.safetensors", True)
    assert (tmp_path / f"net.{tag[:8]}.safetensors").read_bytes() == b"something else"
    name.write_bytes(b"no model")
    kept = files.keep_previous(name)
    assert kept is not None
    assert kept[0].read_bytes() == b"no model"


# ---- writes that are cut short --------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_atomic_write(tmp_path: Path) -> None:
    name = tmp_path / "a" / "b" / "file"
    files.atomic_write(name, b"one")
    assert name.read_bytes() == b"one"
    files.atomic_write(str(name), lambda file: file.write(b"two"))
    assert name.read_bytes() == b"two"
    assert names(name.parent) == ["file"]
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(name.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_link_is_written_through(tmp_path: Path) -> None:
    files.atomic_write(tmp_path / "there" / "file", b"one")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    files.atomic_write(tmp_path / "link", b"two")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"two"


def test_a_relative_name_and_a_long_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files.atomic_write("file", b"one")
    files.atomic_write("x" * 255, b"two")
    files.atomic_write("模" * 85, b"three")
    assert names(tmp_path) == ["file", "x" * 255, "模" * 85]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError("mine"), OSError(errno.EIO, "bad disk")])
def test_an_exception_in_mid_write(error: BaseException, tmp_path: Path) -> None:
    def fails(file: BinaryIO) -> None:
        file.write(b"half of")
        raise error

    files.atomic_write(tmp_path / "file", b"old")
    with pytest.raises(type(error)) as caught:
        files.atomic_write(tmp_path / "file", fails)
    assert caught.value is error  # itself, unless there is something to explain
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (errno.ENOSPC, r"a full disk.*another folder\. The file there before is intact"),
        (errno.EDQUOT, "a full disk quota"),
        (errno.EROFS, "a read-only file system"),
    ],
)
def test_a_full_disk(code: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_model(tmp_path / "net.safetensors", arrays(), META)
    old = (tmp_path / "net.safetensors").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=text) as caught:
        files.write_model(tmp_path / "net.safetensors", {"w": np.ones(5)}, {})
    assert caught.value.errno == code
    assert (tmp_path / "net.safetensors").read_bytes() == old
    assert names(tmp_path) == ["net.safetensors"]


def run(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *args], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_limit_that_the_system_enforces(tmp_path: Path) -> None:
    """The kernel itself refuses the write, after some of it was written."""
    script = """
import resource, sys
from lenet.modelfile import serialization as files
files.atomic_write(sys.argv[1], b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    files.atomic_write(sys.argv[1], bytes(1_000_000))
except OSError as error:
    print(error)
"""
    done = run(script, str(tmp_path / "file"))
    assert "a limit on the size of files, expected a place to write to" in done.stdout, done.stderr
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_kill_in_mid_save(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from lenet.modelfile import serialization as files
def dies(file):
    file.write(b"half of")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
files.atomic_write(sys.argv[1], dies)
"""
    name = tmp_path / "net.safetensors"
    files.write_model(name, arrays(), META)
    done = run(script, str(name))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert files.read_model(name)[1] == META
    (left,) = (entry for entry in tmp_path.iterdir() if entry != name)
    assert left.name[:17] + left.name[-5:] == ".net.safetensors..part"
    # Others' files stay, however old and whatever their name; a leftover goes as soon as nobody holds its lock.
    others = [".net.safetensors.part", ".other.0123456789ab.part", "net.part", ".net.safetensors.0123456789AB.part"]
    for other in others:
        (tmp_path / other).touch()
        os.utime(tmp_path / other, (0, 0))
    with left.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        files.write_model(name, arrays(), {})
        assert left.exists()
    files.write_model(name, arrays(), {})
    assert names(tmp_path) == sorted([*others, "net.safetensors"])


def test_without_locks_a_leftover_goes_after_ten_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*args: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", none)
    name, left = tmp_path / "net.safetensors", tmp_path / ".net.safetensors.0123456789ab.part"
    left.touch()
    files.write_model(name, arrays(), META)
    assert left.exists()
    old = time.time() - 601
    os.utime(left, (old, old))
    files.write_model(name, arrays(), META)
    assert names(tmp_path) == ["net.safetensors"]


def test_a_file_being_written_while_others_write_it(tmp_path: Path) -> None:
    """A living writer's temp file is nobody's leftover, and each of four threads finds its own content whole."""
    name = tmp_path / "file"

    def write(content: bytes) -> None:
        for _ in range(25):
            files.atomic_write(name, content)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [bytes([n]) * 10_000 for n in range(4)]))
    assert len(set(name.read_bytes())) == 1
    assert names(tmp_path) == ["file"]


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OSError, match="a file where a folder should be"):
        files.atomic_write(tmp_path / "file" / "net", b"y")
    with pytest.raises(OSError, match="a file where a folder should be"):
        files.atomic_write(tmp_path / "file" / "deep" / "net", b"y")
    with pytest.raises(IsADirectoryError, match="expected a file name"):
        files.atomic_write(tmp_path, b"y")
    with pytest.raises(IsADirectoryError, match="expected a file name"):
        files.atomic_write(f"{tmp_path}/new/", b"y")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By way of patches: for root, every folder is writable."""

    def denied(*args: Any, **options: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "makedirs", denied)
        with pytest.raises(PermissionError, match=r"writing .*net: got no permission .*Choose a folder"):
            files.atomic_write(tmp_path / "net", b"x")
    files.atomic_write(tmp_path / "net", b"old")
    monkeypatch.setattr(os, "access", lambda *args: False)
    with pytest.raises(PermissionError, match=r"the file is write-protected.*The file there before is intact"):
        files.atomic_write(tmp_path / "net", b"x")
    assert (tmp_path / "net").read_bytes() == b"old"
