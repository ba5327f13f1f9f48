"""Results in words: each suite's table in Markdown, for the terminal and for the pages, and the picture of growth."""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path
from typing import Any

Result = dict[str, Any]

NAMES = {
    "lenet.fit": "**lenet**, `Model.fit`",
    "lenet.static": "**lenet**, own loop with `jit.to_static`",
    "lenet.loop": "**lenet**, own loop",
    "lenet.evaluate": "**lenet**, `Model.evaluate`",
    "lenet.image_batch": "**lenet**, `Model.predict_batch`",
    "lenet.image_static": "**lenet**, `net` through `jit.to_static`",
    "lenet.image_net": "**lenet**, `net`, eager",
    "lenet.train": "**lenet**, `lenet train`",
    "torch.loop": "PyTorch {torch}, own loop, data in memory",
    "torch.loader": "PyTorch {torch}, TensorDataset and DataLoader",
    "torch.compile": "PyTorch {torch}, `torch.compile`, data in memory",
    "torch.evaluate": "PyTorch {torch}",
    "torch.image": "PyTorch {torch}",
    "torch.cold": "PyTorch {torch}, a tuned script",
    "jax.loop": "JAX {jax}, jitted step",
    "jax.evaluate": "JAX {jax}, jitted",
    "jax.image": "JAX {jax}, jitted",
    "keras.fit": "Keras {keras}, `fit`",
    "keras.evaluate": "Keras {keras}, as a graph",
    "keras.image": "Keras {keras}, as a graph",
    "tinygrad.loop": "tinygrad {tinygrad}, `TinyJit`",
    "tinygrad.evaluate": "tinygrad {tinygrad}, `TinyJit`",
    "tinygrad.image": "tinygrad {tinygrad}, `TinyJit`",
    "paddle.loop": "Paddle {paddle}, own loop, data in memory",
    "paddle.fit": "Paddle {paddle}, `Model.fit`",
    "paddle.evaluate": "Paddle {paddle}",
    "paddle.image": "Paddle {paddle}",
    "onnxruntime.evaluate1": "ONNX Runtime {onnxruntime}, one thread",
    "onnxruntime.evaluate2": "ONNX Runtime {onnxruntime}, two threads",
    "onnxruntime.image1": "ONNX Runtime {onnxruntime}, one thread",
    "onnxruntime.image2": "ONNX Runtime {onnxruntime}, two threads",
    "opencv.evaluate": "OpenCV {opencv}, dnn",
    "opencv.image": "OpenCV {opencv}, dnn",
    "openvino.evaluate": "OpenVINO {openvino}",
    "openvino.image": "OpenVINO {openvino}",
}


def named(key: str, about: Result) -> str:
    short = {name: version.split("+")[0].split("-")[0] for name, version in about["versions"].items()}
    return NAMES[key].format(**short)


def spread(values: dict[str, float]) -> str:
    return f"{values['median']:.1f}× ({values['min']:.1f}–{values['max']:.1f})"


def footer(
    result: Result, how: str = "Medians of {rounds} interleaved rounds (lowest–highest ratio in brackets)"
) -> str:
    """How and where it was measured, who was absent, and whether the machine held still."""
    about = result["about"]
    text = f"{how.format(**about)} on {about['cores']} cores of {about['machine']}, {about['date']}."
    for key, reason in about.get("absent", {}).items():
        text += f" Absent: {key} ({reason})."
    peak = result.get("peak")
    if peak and not peak["steady"]:
        text += f" **The machine was not steady: its peak moved by {peak['moved']:.0%}.**"
    return text


def compared(values: dict[str, list[float]], result: Result, against: str, digits: int) -> list[str]:
    """Rows of name, median, ratio."""
    rows = []
    for key in (key for key in NAMES if key in values):  # in the order of NAMES, whatever order they ran in
        ratio = result["ratios"].get(f"{key} / {against}")
        rows.append(
            f"| {named(key, result['about'])} | {statistics.median(values[key]):.{digits}f} | "
            f"{spread(ratio) if ratio else '–'} |"
        )
    return rows


def speed(result: Result) -> str:
    """One epoch of the tutorial, by library, and how many times longer than ours."""
    rows = ["| one epoch of MNIST, batch 64, Adam | seconds | against `lenet`'s `Model.fit` |", "|---|---|---|"]
    rows += compared(result["seconds"], result, "lenet.fit", 2)
    return "\n".join([*rows, "", f"{footer(result)} `python -m bench` measures it anew."])


def evaluate(result: Result) -> str:
    rows = ["| 10,000 images evaluated | seconds | against `lenet`'s `Model.evaluate` |", "|---|---|---|"]
    rows += compared(result["seconds"], result, "lenet.evaluate", 3)
    agree = (
        "All give the same accuracy."
        if result["agree"]
        else "**Their accuracies differ: a peer is not the same network.**"
    )
    return "\n".join([*rows, "", f"{footer(result)} {agree}"])


def image(result: Result) -> str:
    rows = ["| one image from Python | p50, µs | p99, µs | p50 against `predict_batch` |", "|---|---|---|---|"]
    for key in (key for key in NAMES if key in result["p50"]):
        ratio = result["ratios"].get(f"{key} / lenet.image_batch")
        p50, p99 = (statistics.median(result[part][key]) for part in ("p50", "p99"))
        rows.append(f"| {named(key, result['about'])} | {p50:.0f} | {p99:.0f} | {spread(ratio) if ratio else '–'} |")
    return "\n".join([*rows, "", footer(result)])


def cold(result: Result) -> str:
    rows = [
        "| process start to saved model | seconds | of at least 99.0 % | worst | against `lenet train` |",
        "|---|---|---|---|---|",
    ]
    about = result["about"] | {"versions": {"torch": "", **result["about"]["versions"]}}
    for key in (key for key in NAMES if key in result["seconds"]):
        ratio = result["ratios"].get(f"{key} / lenet.train")
        accuracy = result["accuracy"][key]
        rows.append(
            f"| {named(key, about)} | {statistics.median(result['seconds'][key]):.2f} | {result['enough'][key]} of "
            f"{len(accuracy)} | {100 * min(accuracy):.2f} % | {spread(ratio) if ratio else '–'} |"
        )
    return "\n".join([*rows, "", footer(result)])


def footprint(result: Result) -> str:
    rows = [
        "| | import, s | most memory in an epoch, MB | environment on disk, MB | of it the library itself |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in result["import"].items():
        size = result["size"].get(name)
        memory = result["memory"].get(name)
        disk = f"{size['environment']:.0f} | {size['module']:.0f}" if size else "– | –"
        title = {"numpy": "numpy alone", "python": "Python alone", "lenet": "**lenet**"}.get(name, name)
        rows.append(f"| {title} | {statistics.median(seconds):.2f} | {f'{memory:.0f}' if memory else '–'} | {disk} |")
    return "\n".join([*rows, "", footer(result)])


def busy(result: Result) -> str:
    alone, beside = (statistics.median(result[part]) for part in ("alone", "beside"))
    return (
        f"An epoch of `Model.fit` takes {alone:.2f} s alone and {beside:.2f} s beside a process that burns one core: "
        f"{spread(result['slowdown'])}. {footer(result)}"
    )


def kernels(result: Result) -> str:
    peak, epoch = max(result["peak"][end]["gflops"]["1"] for end in ("before", "after")), result["epoch"]
    rows = ["| kernel, one thread | GFLOP/s | of the peak | share of time |", "|---|---|---|---|"]
    for row in result["rows"]:
        g = row["gflops"]
        rows.append(f"| {row['name']} | {f'{g:.0f} | {g / peak:.0%}' if g else '– | –'} | {row['share']:.1%} |")
    rows.append(f"| **the whole epoch** | **{epoch['gflops']:.0f}** | **{epoch['gflops'] / peak:.0%}** | 100 % |")
    return "\n".join(
        [
            *rows,
            "",
            f"The machine's own peak on one thread: {peak:.0f} GFLOP/s of multiply-adds, {result['copy']:.0f} GB/s of copying "
            f"(level {result['level']}). {footer(result)}",
        ]
    )


def growth(result: Result) -> str:
    """Four short tables below one another."""
    blocks = []
    for part, columns in {
        "batch": {"train": "training", "answer": "inference"},
        "samples": {"train": "training"},
        "width": {"train": "training", "gflops": "GFLOP/s"},
        "threads": {"train": "training"},
    }.items():
        rows = [f"| {part} | {' | '.join(columns.values())} |", "|---|" + "---|" * len(columns)]
        rows += [f"| {row[part]:,} | {' | '.join(f'{row[c]:.0f}' for c in columns)} |" for row in result[part]]
        blocks.append("\n".join(rows))
    unit = "Microseconds for each group of sixteen images; a group that isn't full costs what a full one does. "
    return "\n\n".join([*blocks, unit + footer(result)])


TABLES = {
    "speed": speed,
    "evaluate": evaluate,
    "image": image,
    "cold": cold,
    "footprint": footprint,
    "busy": busy,
    "kernels": kernels,
    "growth": growth,
}


def write(file: Path, result: Result) -> None:
    """Whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    os.replace(part, file)


def picture(result: Result, file: Path) -> None:
    """Four panels: time for each group of sixteen images against batch, samples, width and threads."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {
        "svg.hashsalt": "lenet",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, 2, figsize=(8.4, 6), layout="constrained")
    titles = {
        "batch": "images in a batch",
        "samples": "images in an epoch, batch 64",
        "width": "width of every layer, times the tutorial's",
        "threads": f"threads asked for, on {result['about']['cores']} cores",
    }
    for panel, (part, title) in zip(panels.flat, titles.items(), strict=True):
        rows = result[part]
        x = [row[part] for row in rows]
        drawn = {"train": ("training", "#1f5fa8"), "answer": ("inference", "#c8641b")}
        unit = "µs per group of 16"
        if part == "width":
            drawn, unit = {"gflops": ("training", "#1f5fa8")}, "GFLOP/s"
        for column, (label, colour) in drawn.items():
            if column in rows[0]:
                y = [row[column] for row in rows]
                panel.plot(x, y, "o-", color=colour, markersize=4, label=label)
        panel.set_xscale("log", base=10 if part == "samples" else 2)
        if part != "samples":
            shown = x[::2] if len(x) > 8 else x
            panel.set_xticks(shown, [f"{value}" for value in shown])
            panel.minorticks_off()
        panel.set_ylim(bottom=0)
        panel.set_xlabel(title)
        panel.set_ylabel(unit)
        panel.grid(alpha=0.25)
    panels[0, 0].legend(frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if file.suffix == ".svg" else None
    figure.savefig(file, metadata=metadata, dpi=120)
    pyplot.close(figure)
