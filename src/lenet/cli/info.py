"""``lenet info``: what this machine has, or what a model file is and how it was trained."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from lenet import _core
from lenet.cli.shared import exit_codes, percent, print_json, share_text, show
from lenet.data import fetch as _fetch
from lenet.messages.check import one_line
from lenet.modelfile import serialization
from lenet.train import Trained
from lenet.train.record import machine

__all__ = ["info"]


def info(
    file: Annotated[str | None, typer.Argument(help="A model file.", metavar="FILE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")] = False,
) -> None:
    """Describe this machine, or a model file.

    Without FILE: the version of lenet, the processor, threads, and which data sets are here. With FILE: what the model
    is and how it was trained.

    Examples:

    - `lenet info`

    - `lenet info lenet.safetensors`
    """
    with exit_codes():
        found = _machine() if file is None else _model(file)
        if as_json:
            print_json(found)
        else:
            for line in _machine_lines(found) if file is None else _model_lines(found):
                show(line)


# ---- the machine ---------------------------------------------------------------------------------------------------


def _machine() -> dict[str, Any]:
    data = {}
    for name, known in _fetch.PUBLISHED.items():
        source = _fetch.find(name)
        data[name] = {"title": known.title, "found": source is not None, "line": source.line if source else ""}
        data[name]["paths"] = dict(source.paths) if source else {}
    others = [name for name, usable, _ in _core.levels() if usable and name != _core.level()]
    return machine() | {"other_levels": others, "data": data, "cache": _fetch.cache_folder()}


def _machine_lines(found: dict[str, Any]) -> list[str]:
    others = (
        f"; also usable: {', '.join(found['other_levels'])} (LENET_ISA=name chooses)" if found["other_levels"] else ""
    )
    lines = [
        f"lenet {found['lenet']}, Python {found['python']}, numpy {found['numpy']}, {found['system']}",
        f"processor      {found['cpu']}",
        f"CPU level      {found['level']}{others}",
        f"threads        {found['threads']}",
    ]
    for name, about in found["data"].items():
        fetch = f"not on this machine; `lenet train --dataset {name}` looks for it elsewhere"
        lines.append(f"{about['title']:<14} {about['line'] or fetch}")
    return [*lines, f"cache          {found['cache']}"]


# ---- a model file --------------------------------------------------------------------------------------------------


def _model(file: str) -> dict[str, Any]:
    tensors, meta = serialization.read_model(file)
    if "architecture" in meta:
        Trained.load(file)  # whatever is wrong with it is better said than shown
    return {
        "file": file,
        "bytes": os.path.getsize(file),
        "weights": serialization.digest(tensors),
        "parameters": int(sum(array.size for name, array in tensors.items() if not name.startswith("optimizer/"))),
        "tensors": {name: [str(array.dtype), *array.shape] for name, array in tensors.items()},
    } | {key: value for key, value in meta.items() if key not in ("weights", "tensors")}


def _model_lines(found: dict[str, Any]) -> list[str]:
    size = f"{found['parameters']:,} parameters, {found['bytes']:,} bytes"
    lines = [f"{found['file']}: {size}", f"weights    {found['weights']}"]
    if "architecture" in found:
        about = found["input"]
        shape = " x ".join(str(side) for side in about["shape"])
        lines += [
            f"input      {shape}, light on dark; a pixel x of 0 to 255 enters as (x - {about['mean']}) / {about['std']}",
            f"labels     {', '.join(one_line(name, 40) for name in found['labels'][:12])}"
            + (" …" if len(found["labels"]) > 12 else ""),
        ]
        lines += [f"           {line}" for line in _layer_lines(found)]
    else:
        lines += [f"           {name}  {dtype} {shape}" for name, (dtype, *shape) in found["tensors"].items()]
    for key, lines_of in (
        ("training", _training_lines),
        ("calibration", _calibration_lines),
        ("resume", _resume_lines),
    ):
        if key in found:
            try:
                lines += lines_of(found[key])
            except (KeyError, TypeError, ValueError, AttributeError):
                lines.append(f"{key:<10} an account that this version of lenet can't read")
    return lines


def _layer_lines(found: dict[str, Any]) -> list[str]:
    lines = []
    for row in found["architecture"]:
        output = " x ".join(str(size) for size in row.get("output", []))
        taken = row.get("inputs", row.get("parameters", []))
        weights = [name for name in taken if isinstance(name, str)]
        shapes = [f"{name} {found['tensors'][name][1:]}" for name in weights]
        lines.append(f"{row['op']:<11} -> {output:<12} {', '.join(shapes)}".rstrip())
    return lines


def _training_lines(training: dict[str, Any]) -> list[str]:
    if "command" in training:  # of the package's own weights, whose data have an account of their own
        held = training["held_out"]
        score = share_text(held["correct"], held["images"])
        return [f"training   {training['command']}, seed {training['seed']}", f"held out   accuracy {score}"]
    recipe, data, on = training["recipe"], training["data"], training["machine"]
    run = f"{training['epochs']} epochs of {training['images']:,} images, batches of {training['batch_size']}"
    network = f", network {training['network']}" if training.get("network", "lenet") != "lenet" else ""
    speed = f"{training['seconds']:.1f} s, {training['images_per_second']:,.0f} images/s"
    where = f"{on['cpu']}, level {on['level']}, {on['threads']} threads, lenet {on['lenet']}, numpy {on['numpy']}"
    lines = [
        f"recipe     {recipe['name']}{network}: {run}, seed {training['seed']}",
        f"trained    {speed} on {where}",
        f"data       {data['line']} (SHA-256 of all: {data['digest'][:16]}…)",
    ]
    if not training["complete"]:
        lines.append(f"unfinished {training['steps_done']:,} of {training['steps']:,} steps")
    for title, key in (("held out", "held_out"), ("test", "test")):
        score = training[key]
        if score is not None and score["images"]:
            accuracy = share_text(score["correct"], score["images"])
            lines.append(f"{title:<10} accuracy {accuracy}, loss {score['loss']:.4f}")
    return lines


def _calibration_lines(about: dict[str, Any]) -> list[str]:
    before, after = about["ece"]
    return [
        f"calibrated on {about['images']:,} held-out images: temperature {about['temperature']:.3f}, "
        f"expected calibration error {percent(before)} before, {percent(after)} after"
    ]


def _resume_lines(about: dict[str, Any]) -> list[str]:
    recipe, at = about["recipe"], about["position"]
    done = f"epoch {at['epoch'] + 1} of {recipe['epochs']}, step {at['step']:,}"
    return [f"state      of an interrupted run: recipe {recipe['name']}, seed {about['seed']}, stopped after {done}"]
