"""``lenet export``: a model file as another library's: ONNX, PyTorch's weights, Paddle's weights."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from lenet.cli.shared import DEFAULT_MODEL, exit_codes, load_model, print_json, show
from lenet.export import onnx, save_torch_state
from lenet.export.onnx_file import KINDS
from lenet.messages.check import choice, message
from lenet.modelfile.serialization import save

__all__ = ["export"]

# Where a model goes: the ending of its file there, which --out may not contradict.
ENDINGS = {"onnx": ".onnx", "torch": ".torch.safetensors", "paddle": ".pdparams"}


def export(
    model: Annotated[str, typer.Argument(help="The model file.", metavar="MODEL")] = DEFAULT_MODEL,
    to: Annotated[str, typer.Option(help="onnx, torch or paddle.", metavar="NAME")] = "onnx",
    out: Annotated[
        str | None, typer.Option(help="The file to write. [default: MODEL with another ending]", metavar="FILE")
    ] = None,
    input: Annotated[str, typer.Option(help="Of ONNX: uint8 or float32 pixels of 0 to 255.", metavar="KIND")] = "uint8",
    logits: Annotated[bool, typer.Option("--logits", help="Of ONNX: leave the softmax at the end out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")] = False,
) -> None:
    """Write a model for another library.

    ONNX: one file for phones, servers and browsers that takes pixels and answers with calibrated probabilities; what a pixel
    goes through stands in it, and so do the labels. It is compared with ONNX Runtime, where that is installed, before it is
    written. It needs the package onnx.

    PyTorch and Paddle: the weights alone, under the names of the network's layers. PyTorch's is a safetensors file whose
    linear weights are transposed; Paddle's is a state dict for set_state_dict.

    Examples:

    - `lenet export                           # lenet.safetensors to lenet.onnx`

    - `lenet export digits.safetensors --to torch --out digits-torch.safetensors`

    - `lenet export --input float32 --logits`
    """
    with exit_codes():
        choice("to", to, ENDINGS)
        choice("input", input, KINDS)
        if to != "onnx" and (logits or input != "uint8"):
            given = "--logits" if logits else f"--input {input}"
            raise ValueError(message(f"--to {to}", given, "it with --to onnx alone", "Leave it out"))
        ending = f".{ENDINGS[to].rpartition('.')[2]}"
        target = os.path.splitext(model)[0] + ENDINGS[to] if out is None else out
        if not target.endswith(ending) or os.path.abspath(target) == os.path.abspath(model):
            fix = f"Type {os.path.splitext(os.path.basename(target))[0] or 'model'}{ENDINGS[to]}"
            raise ValueError(message("out", repr(target), f"another file's name ending in {ending}", fix))
        trained = load_model(model, "lenet export MODEL")
        result: dict[str, Any] = {"model": model, "weights": trained.digest, "to": to, "file": target}
        line = ""
        if to == "onnx":
            written = onnx(trained, target, input, not logits)
            result |= {"compared": written.compared, "of": written.of, "difference": written.difference}
            line = f"; ONNX Runtime's answers to {written.compared:,} {written.of} are within {written.difference:.1e} of ours"
            line = line if written.compared else f"; not compared: {written.of}"
        elif to == "torch":
            save_torch_state(trained, target)
        else:
            save(trained.network.state_dict(), target)
        size = os.path.getsize(target)
        if as_json:
            print_json(result | {"bytes": size})
        show(f"{target}: {size:,} bytes{line}", aside=as_json)
