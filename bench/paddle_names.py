"""docs/paddle.md: every public name of Paddle's namespaces that concern us, and how it is here.

    python -m bench.paddle_names      needs real Paddle; writes docs/paddle.md, which a test holds to this script

There: under the same name; *compared* if a test runs a call of it in both libraries (``paddle_compared`` reads the tests).
Kinder: there, and different on purpose (``KINDER`` says how). Absent: not there, for a reason that ``paddle_absent`` gives.
"""

from __future__ import annotations

import inspect
import operator
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType

import lenet
from bench.paddle_absent import NAMESPACES, reason
from bench.paddle_compared import is_compared

OUT = Path(__file__).parents[1] / "docs" / "paddle.md"

KINDER = {
    "Tensor.detach": "a copy: no two tensors share memory",
    "Tensor.__setitem__": "a value repeated under an index has its true gradient; Paddle's is unwritten memory",
    "mean": "whole numbers become floats first; Paddle's mean of 0, 1, 2, 3 is 1",
    "var": "whole numbers become floats first",
    "prod": "the gradient is right where an element is 0; Paddle's is NaN",
    "empty": "zeros instead of whatever memory held",
    "multinomial": "draws of our own from the same shares",
    "enable_static": "a warning that says what to do; what belongs to static programs raises NotImplementedError",
    "lerp": "the weight has its gradient, too",
    "masked_fill": "the value has its gradient, too",
    "diagonal_scatter": "what is written has its gradient, too",
    "diag_embed": "gradients pass",
    "unfold": "an element in several windows has the sum of their gradients; Paddle's leaves some out",
    "nanmedian": "whole numbers become floats first",
    "poisson": "draws of our own from the same distribution",
    "binomial": "draws of our own from the same distribution",
    "standard_gamma": "draws of our own from the same distribution",
    "bernoulli_": "draws of our own from the same distribution",
    "cauchy_": "draws of our own from the same distribution",
    "geometric_": "draws of our own from the same distribution",
    "Tensor.exponential_": "draws of our own from the same distribution",
    "Tensor.random_": "draws of our own from the same distribution",
    "Tensor.fill_diagonal_tensor": "what is written has its gradient, too",
    "Tensor.apply": "what the function returns may be an array, too",
    "from_numpy": "a copy: no two tensors share memory",
    "asarray": "a copy: no two tensors share memory",
    "as_tensor": "a copy: no two tensors share memory",
    "view": "a copy: no two tensors share memory",
    "DataParallel": "one machine: the network within, called as itself",
    "flops": "a line a layer instead of a drawn table; works beside numpy 2.4",
    "full": "a tensor of one number is taken, and TypeError names anything else",
    "nn.initializer.Assign": "ValueError for a value of another shape; Paddle changes the parameter's shape",
    "nn.initializer.TruncatedNormal": "the same draws, values within a few 1e-7 · std",
    "nn.initializer.Normal": "a warning for a layer's weight as mean, which fills nothing; float64 gets float32's draws",
    "nn.initializer.Constant": "a warning for a layer's weight as value, which fills nothing",
    "nn.initializer.XavierUniform": "a warning for a layer's weight as fan_in, which fills nothing",
    "nn.GroupNorm": "the gradient is right without weight and bias, too",
    "nn.functional.group_norm": "the gradient is right without weight and bias, too",
    "nn.SpectralNorm": "the gradient is that of the value which came out",
    "nn.SyncBatchNorm": "one machine: BatchNorm2D, which works on the processor",
    "nn.functional.gaussian_nll_loss": "the variance has its gradient, too",
    "nn.GaussianNLLLoss": "the variance has its gradient, too",
    "nn.functional.gumbel_softmax": "draws of our own from the same distribution",
    "nn.functional.nll_loss": "returns with an ignored label, too; some of Paddle's calls never do",
    "nn.NLLLoss": "returns with an ignored label, too; some of Paddle's calls never do",
    "nn.LayerNorm": "the gradient is right with frozen or left-out weights, too",
    "nn.functional.layer_norm": "the gradient is right with frozen or left-out weights, too",
    "nn.BatchNorm2D": "no warning at every training pass",
    "nn.BatchNorm1D": "no warning at every training pass",
    "nn.functional.relu": "NaN stays NaN; Paddle's becomes 0",
    "nn.functional.max_pool2d": "NaN wins; Paddle ignores it",
    "nn.functional.cross_entropy": "NaN stays NaN; [N, 1] labels may be smoothed",
    "nn.Dropout": "a p outside 0 to 1 is refused at once",
    "nn.ClipGradByValue": "ValueError for bounds that exclude everything",
    "optimizer.lr.LinearWarmup": "ValueError instead of AssertionError for warmup_steps=0",
    "optimizer.NAdam": "Paddle's steps; the saved state holds other numbers of the same meaning",
    "optimizer.RAdam": "Paddle's steps; the saved state holds other numbers of the same meaning",
    "io.DataLoader": "an exception in the data set is raised, not waited for; TypeError for a sampler as data set",
    "io.BatchSampler": "ValueError instead of AssertionError",
    "callbacks.ReduceLROnPlateau": "the new rate reaches the update",
    "callbacks.VisualDL": "NotImplementedError that names TensorBoard",
    "callbacks.WandbCallback": "NotImplementedError that names MLflow",
    "vision.transforms.RandomRotation": "works on grey images",
    "vision.transforms.RandomPerspective": "what is outside is filled; Paddle leaves fill out, and it is black",
    "vision.transforms.perspective": "what is outside is filled; Paddle leaves fill out, and it is black",
    "vision.datasets.MNIST": "plain files, too; content is checked, not the archive's bytes",
    "callbacks.ProgBarLogger": "in a log, where nothing can be drawn over, a line for each tenth of the way",
    "vision.datasets.Cifar10": "the archive's pickles can make arrays and numbers alone",
    "vision.datasets.Cifar100": "the archive's pickles can make arrays and numbers alone",
    "jit.save": "one file of ours, with rows and weights; what can't be described is named by its line",
    "jit.load": "reads what jit.save here wrote; nothing in the file is run",
    "jit.TranslatedLayer": "what jit.load gives",
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
        f"Made by `python -m bench.paddle_names` from Paddle {paddle.__version__}'s own lists of public names. *Compared*:",
        "there, and a test runs a call of it in both libraries and compares what comes out. *There*: under the same name,",
        "tested here or a second name, but not beside Paddle. *Kinder*: there, and different on purpose. *Absent*: not there,",
        "for the reason given.",
        "",
        "| Namespace | compared | there | kinder | absent |",
        "|---|---|---|---|---|",
    ]
    sections: list[str] = []
    for space in NAMESPACES:
        theirs, ours = (_get(root, space) if space else root for root in (paddle, lenet))
        compared, there, kinder, absent = [], [], [], {}
        names = _names(theirs)  # type: ignore[arg-type]
        if not space:
            names += [f"Tensor.{n}" for n in _methods(paddle)]
        for name in names:
            path = f"{space}.{name}" if space else name
            if ours is None or not _has(ours, name):  # type: ignore[arg-type]
                absent.setdefault(reason(space, name), []).append(name)
            elif path in KINDER:
                kinder.append((name, KINDER[path]))
            else:
                (compared if is_compared(space, name) else there).append(name)
        title = f"paddle.{space}" if space else "paddle and paddle.Tensor"
        counts = (len(compared), len(there), len(kinder), sum(map(len, absent.values())))
        parts.append(f"| {title} | {' | '.join(map(str, counts))} |")
        sections += ["", f"## {title}", ""]
        for head, listed in (("Compared", compared), ("There", there)):
            if listed:
                sections += [f"{head}: " + ", ".join(f"`{n}`" for n in listed) + ".", ""]
        if kinder:
            sections += ["| Kinder | how |", "|---|---|", *(f"| `{n}` | {how} |" for n, how in kinder), ""]
        for why, missing in sorted(absent.items()):
            sections += [f"Absent ({why}): " + ", ".join(f"`{n}`" for n in missing) + ".", ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join([*parts, *sections])).rstrip() + "\n"


def _has(root: ModuleType, path: str) -> bool:
    try:
        operator.attrgetter(path)(root)
    except (AttributeError, ImportError):
        return False
    return True


def _methods(paddle: ModuleType) -> list[str]:
    inplace = [n for n in dir(paddle.Tensor) if not n.startswith("_") and callable(getattr(paddle.Tensor, n, None))]
    return [n for n in inplace if n not in set(_names(paddle))] + ["__setitem__"]


def main() -> None:
    """Write the page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import paddle
    OUT.write_text(page(paddle), encoding="utf-8")
    print(f"{OUT} written")


if __name__ == "__main__":
    sys.exit(main())
