"""Draws docs/images/operations.svg, ``python -m bench.operations [FILE]``: why training can be below the dense floor.

The counts are the engine's own, an image of a training step of LeNet's plan; nothing is measured.
Read by nobody.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bench.machine import ROOT

FILE = ROOT / "docs" / "images" / "operations.svg"
BLUE, ORANGE, GREEN, PURPLE, GREY, PALE = "#1f5fa8", "#c8641b", "#2a8a4a", "#7a4fa0", "#757575", "#dcdcdc"
# Of 100 products that two by two outputs of a 5x5 kernel have by definition: how many are computed, and why.
WAYS = (
    ("forward", BLUE, 49, "Neighbouring outputs share\nsums of pixels: 7 products\ninstead of 10, in both directions."),
    ("weights' gradient", ORANGE, 25, "Behind a 2×2 maximum one\ngradient of four isn't 0.\nIts pixel is chosen first."),
    ("input's gradient", GREEN, 36, "The same one gradient reaches\n6×6 pixels: each picks the\nweight that it meets."),
)  # fmt: skip


def counts() -> list[tuple[str, str, float, float]]:
    """LeNet's parts, a colour, and multiply-adds an image: needed by definition, and done."""
    from bench.peers._lenet_plan import SIZES, prepared

    plan = prepared(SIZES, 64, 64)[1]
    names, work = plan.names, plan.work
    n, found = len(names), []
    convolutions = [r for r in range(n) if names[r].startswith("conv")]
    for at, r in enumerate(convolutions):
        found.append((f"convolution {at + 1}\nforward", BLUE, *work[r]))
    first, second = convolutions  # images want no gradient
    found.append(("convolution 1\nweights' gradient", ORANGE, *work[n + first]))
    found.append(("convolution 2\nboth gradients", PURPLE, *work[n + second]))
    rest = [sum(work[i][k] for i in range(2 * n + 4) if i % n not in convolutions or i >= 2 * n) for k in (0, 1)]
    return [*found, ("linear layers", GREY, rest[0], rest[1])]


def grid(panel: Any, title: str, colour: str, done: int, why: str) -> None:
    """A hundred squares, as many of them in colour as products are computed."""
    from matplotlib.patches import Rectangle

    for i in range(100):
        panel.add_patch(Rectangle((i % 10, 9 - i // 10), 0.84, 0.84, color=colour if i < done else PALE))
    panel.set(xlim=(-0.2, 10.2), ylim=(-0.2, 10.2), aspect="equal")
    panel.axis("off")
    panel.set_title(f"{title}: {done} of 100 products", color=colour, fontweight="bold", fontsize=9)
    panel.text(5, -0.6, why, ha="center", va="top", fontsize=9, color="#222222")


def bars(panel: Any, parts: list[tuple[str, str, float, float]]) -> None:
    needed, done = (sum(part[i] for part in parts) for i in (2, 3))
    for height, column, title in ((1, 2, "by definition"), (0, 3, "as computed")):
        at = 0.0
        for part in parts:
            size = part[column] / 1000
            panel.barh(height, size, left=at, height=0.55, color=part[1], edgecolor="white", linewidth=1.5)
            number = 9 if size > 40 else 7
            panel.text(at + size / 2, height, f"{size:.0f}", ha="center", va="center", color="white", fontsize=number)
            if height:
                panel.text(at + size / 2, 1.36, part[0], ha="center", va="bottom", fontsize=8, color="#222222")
            at += size
        panel.text(-12, height, title, ha="right", va="center", fontsize=10, fontweight="bold", color="#222222")
        panel.text(at + 12, height, f"{at:,.0f} thousand", ha="left", va="center", fontsize=10, fontweight="bold")
    panel.set(xlim=(-180, needed / 1000 * 1.2), ylim=(-0.75, 2.0))
    panel.axis("off")
    panel.text(
        0,
        -0.48,
        f"The dense floor is the time of the upper bar at the machine's peak. The lower bar is {done / needed:.0%} of it:\n"
        f"kernels that compute it at more than {done / needed:.0%} of the peak are done before that.",
        va="top",
        fontsize=9,
        color="#222222",
    )


def draw(file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with matplotlib.rc_context({"svg.hashsalt": "lenet", "font.size": 9}):
        figure = pyplot.figure(figsize=(9, 6.2), facecolor="white")
        over = figure.add_gridspec(1, 3, left=0.02, right=0.98, top=0.87, bottom=0.6, wspace=0.05)
        figure.text(0.02, 0.955, "2×2 outputs of a 5×5 kernel, one channel in, one out", fontsize=11, color="#222222")
        for at, way in enumerate(WAYS):
            grid(figure.add_subplot(over[at]), *way)
        title = "LeNet, one image of a training step: thousands of multiply-adds"
        figure.text(0.02, 0.425, title, fontsize=11, color="#222222")
        bars(figure.add_axes((0.02, 0.02, 0.96, 0.4)), counts())
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None, dpi=110)
        pyplot.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if sys.argv[1:] else FILE)
