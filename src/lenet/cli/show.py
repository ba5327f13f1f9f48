"""``lenet show``: the images of a data set, an augmented batch, or how many images each class has."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, cast

import numpy as np
import typer

from lenet import plots
from lenet.cli.shared import exit_codes, write
from lenet.cli.shared import show as say
from lenet.messages.check import choice, message, positive_int
from lenet.plots import _images
from lenet.plots._style import name_text
from lenet.train import RECIPES
from lenet.train.data import Part, load, load_test
from lenet.train.recipes import recipe_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lenet.data.augment import Augmentation

__all__ = ["show"]

_PICTURE = "lenet-show.png"
_COUNT, _AUGMENTED_COUNT = 40, 20
_BETWEEN = 2  # columns between two images on a terminal

_MOVING = [name for name, recipe in RECIPES.items() if recipe.augment != type(recipe.augment)()]


def show(
    dataset: Annotated[
        str, typer.Argument(help="mnist, fashion-mnist, or a FOLDER of class folders.", metavar="DATASET")
    ] = "mnist",
    data: Annotated[
        str | None,
        typer.Option(
            help="The folder with the data set's four IDX files. [default: found or downloaded]", metavar="DIR"
        ),
    ] = None,
    mode: Annotated[str, typer.Option(help="Which images to show: train or test.", metavar="MODE")] = "train",
    count: Annotated[
        int | None,
        typer.Option(help="How many images. [default: 40; 20 with --augment; two rows with --terminal]", metavar="N"),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            help=f"Below each image, show it as this recipe distorts it: {' or '.join(_MOVING)}.", metavar="RECIPE"
        ),
    ] = None,
    counts: Annotated[bool, typer.Option("--counts", help="Show how many images each class has.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed picks other images.", metavar="N")] = 0,
    out: Annotated[
        str | None, typer.Option(help="Write the picture to this file: .png, .svg or .pdf.", metavar="FILE")
    ] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Draw with characters in this terminal.")] = False,
) -> None:
    """Show images of a data set with their labels.

    They appear in a window, or, where there is no display, in the file lenet-show.png.

    Examples:

    - `lenet show`

    - `lenet show fashion-mnist --mode test --count 60 --out fashion.png`

    - `lenet show --augment best           # how that recipe distorts its images`

    - `lenet show my-digits/ --counts      # are the classes balanced?`

    - `lenet show --terminal --count 2     # no window, no file`
    """
    with exit_codes():
        _check(augment, counts, terminal, out)
        moving = _augmentation(augment)
        classes, part, line = _part(dataset, data, choice("mode", mode, ("train", "test")))
        say(line, aside=True)
        number = None if count is None else positive_int("count", count)
        positive_int("seed", seed, least=0)
        if not len(part.labels):
            raise ValueError(message(dataset, f"no {mode} images", "at least one image"))
        if terminal:
            text = _bars(part, classes) if counts else _drawn(part, classes, number, seed, moving)
            write(text + "\n")
            return
        chosen = _images.drawn(len(part.labels), number or (_AUGMENTED_COUNT if moving else _COUNT), seed)
        kind = "training" if mode == "train" else mode
        if counts:
            figure, about = plots.class_counts(part.labels, classes), f"{len(part.labels):,} {kind} images by class"
        else:
            about = f"{len(chosen):,} of {len(part.labels):,} {kind} images"
            if moving is not None:
                figure, about = (
                    plots.augmented(part.images[chosen], moving, seed),
                    f"{about}, augmented as by {augment}",
                )
            else:
                figure = plots.pictures(part.images[chosen], [classes[at] for at in part.labels[chosen]])
        if out is None and _window(figure):
            return
        _write(figure, about, out)


def _check(augment: str | None, counts: bool, terminal: bool, out: str | None) -> None:
    if counts and augment is not None:
        raise ValueError(message("show", "--counts and --augment", "one of the two"))
    if terminal and out is not None:
        raise ValueError(message("show", "--terminal and --out", "one of the two"))


def _augmentation(recipe: str | None) -> Augmentation | None:
    if recipe is None:
        return None
    chosen = recipe_named(recipe)
    if chosen.name not in _MOVING:
        raise ValueError(message("augment", f"{recipe}, a recipe that moves no image", " or ".join(_MOVING)))
    return chosen.augment


def _part(dataset: str, folder: str | None, mode: str) -> tuple[list[str], Part, str]:
    name = os.path.expanduser(dataset)
    if mode == "test":
        return load_test(name, folder)
    found = load(name, folder)
    return found.classes, found.train, found.line


# ---- a window or a file ------------------------------------------------------------------------------------------------


def _window(figure: Figure) -> bool:
    """Show the figure until its window is closed; False where there is no display or no toolkit for windows."""
    if sys.platform not in ("darwin", "win32") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        from matplotlib import pyplot

        # pyplot owns windows; it takes our finished figure where it would make one
        shown = pyplot.figure(FigureClass=cast("type[Figure]", lambda *_, **__: figure))
    except (ImportError, RuntimeError):  # MPLBACKEND asks for what this machine lacks
        return False
    if shown.canvas.required_interactive_framework is None:
        pyplot.close(shown)
        return False
    pyplot.show(block=True)
    return True


def _write(figure: Figure, about: str, out: str | None) -> None:
    target = _free(_PICTURE) if out is None else out
    there = os.path.exists(target)
    plots.save(figure, target)
    say(f"{about}: written to {target}" + (", replacing the file that was there" if there else ""))


def _free(name: str) -> str:
    """The name, or where there is such a file already, the first free one with a number."""
    start, ending = os.path.splitext(name)
    number, found = 1, name
    while os.path.lexists(found):
        number += 1
        found = f"{start}-{number}{ending}"
    return found


# ---- a terminal --------------------------------------------------------------------------------------------------------


def _drawn(part: Part, classes: list[str], count: int | None, seed: int, moving: Augmentation | None) -> str:
    """Images side by side, their classes above them; with ``moving`` each above itself as moved."""
    from shutil import get_terminal_size

    screen = get_terminal_size().columns
    wide = min(part.images.shape[-1], screen)
    wide = -(-part.images.shape[-1] // -(-part.images.shape[-1] // wide))  # smaller by a whole factor
    across = max(1, (screen + _BETWEEN) // (wide + _BETWEEN))
    chosen = _images.drawn(len(part.labels), 2 * across if count is None else count, seed)
    shown = [part.images[chosen]] if moving is None else list(_images.warped(part.images[chosen], moving, seed))
    names = [name_text(classes[at], wide).ljust(wide) for at in part.labels[chosen]]
    colour, plain = _colours(), not _can_print("▀░▒▓█")
    lines: list[str] = []
    for start in range(0, len(chosen), across):
        row = slice(start, start + across)
        lines.append((" " * _BETWEEN).join(names[row]).rstrip())
        for images in shown:
            drawings = [
                plots.terminal(image, width=screen, colour=colour and not plain, ascii_only=plain).split("\n")
                for image in images[row]
            ]
            lines += [(" " * _BETWEEN).join(cells).rstrip(" ") for cells in zip(*drawings, strict=True)]
        lines.append("")
    return "\n".join(lines[:-1])


def _bars(part: Part, classes: list[str]) -> str:
    """A line for each class: its name, a bar, how many images."""
    from shutil import get_terminal_size

    counts = np.bincount(part.labels, minlength=len(classes))
    names = [name_text(name, 24) for name in classes]
    wide, figures = max(map(len, names)), len(f"{counts.max():,}")
    room = max(get_terminal_size().columns - wide - figures - 4, 1)
    block = "█" if _can_print("█") else "#"
    return "\n".join(
        f"{name:<{wide}}  {count:>{figures},}  {block * round(room * count / counts.max())}".rstrip()
        for name, count in zip(names, counts, strict=True)
    )


def _colours() -> bool:
    """Whether standard output is a terminal that says it has 24-bit colours, and nobody asked for none."""
    return (
        sys.stdout.isatty()
        and os.environ.get("COLORTERM") in ("truecolor", "24bit")
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
