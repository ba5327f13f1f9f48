"""Results in words: each suite's table in Markdown, for the terminal and for the pages, and the picture of growth."""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path
from typing import Any

from bench import works

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


OTHERS = {
    "vgg": "small VGG",
    "vgg_norm": "small VGG, normalised",
    "resnet": "ResNet-20",
    "resnet_8": "ResNet-20, batch 8",
    "mlp": "MLP",
    "page": "page net",
}
TASKS = {"train": "training", "answer": "answering", "whole": "a page of 2.5 megapixels"}
FORMS = {
    "lenet": "**lenet**",
    "torch": "PyTorch {torch}",
    "jax": "JAX {jax}, jitted",
    "keras": "Keras {keras}, as a graph",
    "onnxruntime": "ONNX Runtime {onnxruntime}",
}
for _peer, _work in works.OTHERS:
    _name, _task = _work.removesuffix("_compiled").rsplit("_", 1)
    _form = FORMS[_peer] + (", `torch.compile`" if _work.endswith("_compiled") else "")
    NAMES[f"{_peer}.{_work}"] = f"{_form}: {OTHERS[_name]}, {TASKS[_task]}"


LIBRARIES = {
    "lenet": "**lenet**",
    "torch": "PyTorch",
    "paddle": "Paddle",
    "keras": "Keras on TensorFlow",
    "jax": "JAX",
    "tinygrad": "tinygrad",
    "onnxruntime": "ONNX Runtime",
    "opencv": "OpenCV",
    "openvino": "OpenVINO",
    "numpy": "numpy alone",
    "python": "Python alone",
}


def named(key: str, about: Result) -> str:
    short = {name: version.split("+")[0].split("-")[0] for name, version in about["versions"].items()}
    return NAMES[key].format(**short)


def spread(values: dict[str, float]) -> str:
    return f"{values['median']:.1f}× ({values['min']:.1f}–{values['max']:.1f})"


ROUNDS = "Medians of {rounds} interleaved rounds"
RATIOS = ROUNDS + " (lowest–highest ratio in brackets)"


def footer(result: Result, how: str = RATIOS) -> str:
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


def networks(result: Result) -> str:
    """Every work beside ours of the same network and task."""
    rows = ["| several steps or answers | seconds | against `lenet`'s |", "|---|---|---|"]
    for key in (f"{peer}.{work}" for peer, work in works.OTHERS):
        if key in result["seconds"]:
            ratio = result["ratios"].get(f"{key} / lenet.{key.split('.')[1].removesuffix('_compiled')}")
            median = statistics.median(result["seconds"][key])
            rows.append(f"| {named(key, result['about'])} | {median:.3f} | {spread(ratio) if ratio else '–'} |")
    return "\n".join([*rows, "", footer(result)])


def cold(result: Result) -> str:
    rows = [
        "| process start to saved model | seconds | of at least 99.0 % | worst | against `lenet train` |",
        "|---|---|---|---|---|",
    ]
    for key in (key for key in NAMES if key in result["seconds"]):
        ratio = result["ratios"].get(f"{key} / lenet.train")
        accuracy = result["accuracy"][key]
        rows.append(
            f"| {named(key, result['about'])} | {statistics.median(result['seconds'][key]):.2f} | {result['enough'][key]} of "
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
        rows.append(
            f"| {LIBRARIES[name]} | {statistics.median(seconds):.2f} | {f'{memory:.0f}' if memory else '–'} | {disk} |"
        )
    return "\n".join([*rows, "", footer(result, ROUNDS)])


def busy(result: Result) -> str:
    alone, beside = (statistics.median(result[part]) for part in ("alone", "beside"))
    return (
        f"An epoch of `Model.fit` takes {alone:.2f} s alone and {beside:.2f} s beside a process that burns one core: "
        f"{spread(result['slowdown'])}. {footer(result, 'Medians of {rounds} pairs (lowest–highest ratio in brackets)')}"
    )


def kernel_rows(part: Result, peak: float, whole: str) -> list[str]:
    """A row for each kernel and one for all of them. Results from before the engine counted what it does lack that."""
    rows = [
        "| kernel, one thread | GFLOP needed | done | needed a second | of the peak | done, of the peak | share of time |",
        "|---|---|---|---|---|---|---|",
    ]
    epoch = part["epoch"]
    total = {"name": f"**{whole}**", "needed": epoch["work"], "done": epoch.get("done"), "seconds": epoch["seconds"]}
    for row in [*part["rows"], {**total, "gflops": epoch["gflops"], "share": 1.0}]:
        name, seconds, rate, did = row["name"], row["seconds"], row["gflops"], row.get("done")
        cells = ["–"] * 5
        if rate:
            needed = row.get("needed", rate * seconds)
            cells = [f"{needed:.3g}", "–", f"{rate:.0f}", f"{rate / peak:.0%}", "–"]
            if did is not None:
                cells[1], cells[4] = f"{did:.3g}", f"{did / seconds / peak:.0%}"
        rows.append(f"| {name} | {' | '.join(cells)} | {row['share']:.1%} |")
    return rows


def kernels(result: Result) -> str:
    peak, epoch = max(result["peak"][end]["gflops"]["1"] for end in ("before", "after")), result["epoch"]
    text = [
        *kernel_rows(result, peak, "the whole epoch"),
        "",
        f"The machine's own peak on one thread: {peak:.0f} GFLOP/s of multiply-adds, {result['copy']:.0f} GB/s of copying "
        f"(level {result['level']}). The epoch's multiply-adds are {epoch['work']:.0f} GFLOP: at the peak they alone "
        f"would take {epoch['work'] / peak:.2f} s; the whole epoch takes {epoch['seconds']:.2f} s. "
        f"{footer(result, 'Means of {rounds} epochs')}",
    ]
    for name, part in result.get("networks", {}).items():
        table = "\n".join(kernel_rows(part, peak, "the whole step"))
        text += ["", f"<details><summary>A training step of {OTHERS[name]}</summary>\n\n{table}\n\n</details>"]
    return "\n".join(text)


def growth(result: Result) -> str:
    """Four short tables below one another."""
    blocks = []
    for part, columns in {
        "batch": {
            "train": "training, one thread",
            "train_all": "training, all threads",
            "answer": "inference, one thread",
        },
        "samples": {"train": "training"},
        "width": {"train": "training", "gflops": "GFLOP/s"},
        "threads": {"train": "training"},
    }.items():
        rows = [f"| {part} | {' | '.join(columns.values())} |", "|---|" + "---|" * len(columns)]
        rows += [f"| {row[part]:,} | {' | '.join(f'{row[c]:.0f}' for c in columns)} |" for row in result[part]]
        blocks.append("\n".join(rows))
    unit = (
        "Microseconds for each group of sixteen images, or for what there is of one. A batch of one group is work for one "
        "thread, a larger one for as many as it has groups. "
    )
    return "\n\n".join([*blocks, unit + footer(result, "Best of three")])


TABLES = {
    "speed": speed,
    "evaluate": evaluate,
    "image": image,
    "networks": networks,
    "cold": cold,
    "footprint": footprint,
    "busy": busy,
    "kernels": kernels,
    "growth": growth,
}


def write(file: Path, result: Result) -> None:
    """Whole or not at all."""
    part = file.with_suffix(".part")
    try:
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def picture(result: Result, file: Path) -> None:
    """Four panels: what a group of sixteen images costs against batch, samples and threads, and GFLOP/s against width."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    style = {"svg.hashsalt": "lenet", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    blue, orange, green, grey = "#1f5fa8", "#c8641b", "#2a8a4a", "#777777"
    drawn = {
        "train": ("training", blue),
        "train_all": ("training, all threads", green),
        "answer": ("inference", orange),
        "gflops": ("training", blue),
    }
    group, used = "µs per group of 16 images", str(result["threads_used"])
    peak = max(end["gflops"].get(used, 0) for end in (result["peak"]["before"], result["peak"]["after"]))
    panels = {
        "batch": (["train", "train_all", "answer"], "images in a batch, on one thread unless said", group),
        "samples": (["train"], "images in an epoch, training at batch 64", group),
        "width": (["gflops"], "width of every layer, times the tutorial's", "GFLOP/s"),
        "threads": (["train"], f"threads asked for, training on {result['about']['cores']} cores", group),
    }
    with matplotlib.rc_context(style):
        figure, axes = pyplot.subplots(2, 2, figsize=(8.4, 6), layout="constrained")
        for panel, (part, (columns, across, up)) in zip(axes.flat, panels.items(), strict=True):
            rows = result[part]
            x = [row[part] for row in rows]
            for column in columns:
                label, colour = drawn[column]
                panel.plot(x, [row[column] for row in rows], "o-", color=colour, markersize=4, label=label)
            if part == "width":
                panel.axhline(peak, color=grey, linestyle="--", linewidth=1, label="the machine's peak")
            panel.set_xscale("log", base=2)
            shown = x[::2] if len(x) > 6 else x
            panel.set_xticks(shown, [f"{n // 1000}k" if n >= 1000 and part == "samples" else f"{n:,}" for n in shown])
            panel.minorticks_off()
            highest = max(row[column] for row in rows for column in columns)
            panel.set_ylim(0, 1.15 * max(highest, peak if part == "width" else 0))
            panel.set_xlabel(across)
            panel.set_ylabel(up)
            panel.grid(alpha=0.25)
            if len(panel.get_lines()) > 1:
                panel.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.25 if part == "width" else 0.61))
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None, dpi=120)
        pyplot.close(figure)
