"""docs/paddle.md: every public name of Paddle's namespaces that concern us, and how it is here.

    python -m bench.paddle_names      needs real Paddle; writes docs/paddle.md, which a test holds to this script

Same: there under the same name; the tests compare numbers. Kinder: there, and different on
purpose (``KINDER`` says how). Absent: not there (``WHY`` and the namespace say why).
"""

from __future__ import annotations

import inspect
import operator
import sys
import warnings
from pathlib import Path
from types import ModuleType

import lenet

OUT = Path(__file__).parents[1] / "docs" / "paddle.md"

NAMESPACES = {
    "": "whatever isn't plain arithmetic on the processor",
    "nn": "one- and three-dimensional, recurrent and attention layers, and rare losses",
    "nn.functional": "one- and three-dimensional, recurrent and attention functions, and rare losses",
    "nn.initializer": "rare ones",
    "nn.utils": "weight and spectral normalisation",
    "optimizer": "rules that small networks don't need",
    "optimizer.lr": "rare schedules",
    "metric": "",
    "io": "",
    "regularizer": "",
    "static": "static programs: everything here runs as it is written",
    "jit": "export of programs",
    "callbacks": "",
    "vision.transforms": "perspective",
    "vision.datasets": "sets that aren't of small images, or whose files can't be checked against published sums",
    "vision.models": "networks for 224×224 images",
}

# Reasons for absent names, by what the name contains.
WHY = {
    "complex numbers": ("complex", "real", "imag", "conj", "angle", "polar"),
    "graphics cards and other devices": ("CUDA", "cuda", "XPU", "Place", "rng_state", "ipu", "rocm", "cinn", "xpu"),
    "half precision and quantisation": ("float16", "bfloat16", "fp8", "float8", "quant", "amp"),
    "several machines": ("Parallel", "distribut", "Distributed"),
    "one- and three-dimensional layers": ("1D", "3D", "1d", "3d"),
    "recurrent networks and attention": (
        "LSTM",
        "GRU",
        "RNN",
        "Transformer",
        "ttention",
        "flash",
        "BeamSearch",
        "SimpleRNN",
    ),
}

KINDER = {
    "Tensor.detach": "a copy: no two tensors share memory",
    "Tensor.__setitem__": "a value repeated under an index has its true gradient; Paddle's is unwritten memory",
    "mean": "whole numbers become floats first; Paddle's mean of 0, 1, 2, 3 is 1",
    "var": "whole numbers become floats first",
    "prod": "the gradient is right where an element is 0; Paddle's is NaN",
    "empty": "zeros instead of whatever memory held",
    "multinomial": "draws of our own from the same shares",
    "enable_static": "NotImplementedError that says what to do",
    "full": "a tensor of one number is taken, and TypeError names anything else",
    "nn.initializer.Assign": "ValueError for a value of another shape; Paddle changes the parameter's shape",
    "nn.initializer.TruncatedNormal": "the same draws, values within a few 1e-7 · std",
    "nn.initializer.Normal": "TypeError for a tensor as mean, which Paddle ignores; float64 gets float32's draws",
    "nn.LayerNorm": "the gradient is right with frozen or left-out weights, too",
    "nn.functional.layer_norm": "the gradient is right with frozen or left-out weights, too",
    "nn.BatchNorm2D": "no warning at every training pass",
    "nn.BatchNorm1D": "no warning at every training pass",
    "nn.functional.relu": "NaN stays NaN; Paddle's becomes 0",
    "nn.functional.max_pool2d": "NaN wins; Paddle ignores it",
    "nn.functional.cross_entropy": "NaN stays NaN; [N, 1] labels may be smoothed",
    "nn.Dropout": "a p outside 0 to 1 is refused at once",
    "nn.ClipGradByValue": "ValueError for bounds that exclude everything",
    "optimizer.lr.LinearWarmup": "ValueError for warmup_steps=0",
    "optimizer.SGD": "TypeError for plain tensors: parameters come from a layer or create_parameter",
    "io.DataLoader": "an exception in the data set is raised, not waited for; TypeError for a sampler as data set",
    "io.BatchSampler": "ValueError instead of AssertionError",
    "callbacks.ReduceLROnPlateau": "the new rate reaches the update",
    "callbacks.VisualDL": "NotImplementedError that names TensorBoard",
    "callbacks.WandbCallback": "NotImplementedError that names MLflow",
    "vision.transforms.RandomRotation": "works on grey images",
    "vision.datasets.MNIST": "plain files, too; content is checked, not the archive's bytes",
    "jit.to_static": "compiles chains of layers; other functions come back as they are",
}


def _names(module: ModuleType) -> list[str]:
    listed = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    return sorted({n for n in listed if not inspect.ismodule(getattr(module, n, None))})


def _get(root: ModuleType, path: str) -> object | None:
    try:
        return operator.attrgetter(path)(root)
    except (AttributeError, ImportError):
        return None


def page(paddle: ModuleType) -> str:
    """The whole page, Markdown."""
    parts = [
        "# Paddle's names here",
        "",
        f"Made by `python -m bench.paddle_names` from Paddle {paddle.__version__}'s own lists of public names. *Same*: there,",
        "and the tests compare its numbers with Paddle's, live. *Kinder*: there, and different on purpose. *Absent*:",
        "not there, for the reason given.",
        "",
        "| Namespace | same | kinder | absent |",
        "|---|---|---|---|",
    ]
    sections: list[str] = []
    for space, usual in NAMESPACES.items():
        theirs, ours = (_get(root, space) if space else root for root in (paddle, lenet))
        same, kinder, absent = [], [], {}
        names = _names(theirs)  # type: ignore[arg-type]
        if not space:
            names += [f"Tensor.{n}" for n in _methods(paddle)]
        for name in names:
            path = f"{space}.{name}" if space else name
            if ours is None or _get(ours, name) is None:  # type: ignore[arg-type]
                absent.setdefault(_why(name, usual), []).append(name)
            elif path in KINDER:
                kinder.append((name, KINDER[path]))
            else:
                same.append(name)
        title = f"paddle.{space}" if space else "paddle and paddle.Tensor"
        parts.append(f"| {title} | {len(same)} | {len(kinder)} | {sum(map(len, absent.values()))} |")
        sections += ["", f"## {title}", ""]
        if same:
            sections += ["Same: " + ", ".join(f"`{n}`" for n in same) + ".", ""]
        if kinder:
            sections += ["| Kinder | how |", "|---|---|", *(f"| `{n}` | {how} |" for n, how in kinder), ""]
        for why, missing in sorted(absent.items()):
            sections += [f"Absent ({why}): " + ", ".join(f"`{n}`" for n in missing) + ".", ""]
    return "\n".join([*parts, *sections]).rstrip() + "\n"


def _methods(paddle: ModuleType) -> list[str]:
    inplace = [n for n in dir(paddle.Tensor) if not n.startswith("_") and callable(getattr(paddle.Tensor, n, None))]
    return [n for n in inplace if n not in set(_names(paddle))] + ["__setitem__"]


def _why(name: str, usual: str) -> str:
    for reason, marks in WHY.items():
        if any(mark in name for mark in marks):
            return reason
    return usual or "rare"


def main() -> None:
    """Write the page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import paddle
    OUT.write_text(page(paddle), encoding="utf-8")
    print(f"{OUT} written")


if __name__ == "__main__":
    sys.exit(main())
