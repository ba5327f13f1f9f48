"""``lenet train``: ``lenet.train``'s ``train``, ``Runs.train`` or ``train_seeds``, with a progress display and a summary."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from lenet.cli import streams
from lenet.cli.shared import DEFAULT_MODEL, exit_codes, percent, print_json, score_text, show
from lenet.cli.signals import Signals, Terminated
from lenet.messages import progress
from lenet.messages.check import message
from lenet.train import RECIPES, Interrupted, Result, Runs, Seeds, State, Trained, train_seeds
from lenet.train import train as run_training
from lenet.train.data import Part
from lenet.train.networks import NETWORKS
from lenet.train.runs import FOLDER
from lenet.train.seeds import SeedsInterrupted

__all__ = ["train"]

_LINES = 10  # of progress in a log, about
_PAGE = "report.html"

_RECIPES = "; ".join(f"{name}: {recipe.about}" for name, recipe in RECIPES.items())


def train(
    dataset: Annotated[
        str | None,
        typer.Option(
            help="mnist, fashion-mnist, or a FOLDER with one folder of images per class. [default: mnist]",
            metavar="NAME",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="The folder with the data set's four IDX files. [default: found or downloaded]", metavar="DIR"
        ),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help=f"How to train. {_RECIPES}. [default: fast]", metavar="NAME")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images. [default: the recipe's]", metavar="N")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="Instead of epochs: how long it may take. Picks a recipe too if none is named.", metavar="S"),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Images per step. [default: the recipe's]", metavar="N")
    ] = None,
    held_out: Annotated[
        float | None,
        typer.Option(
            help="Share of the training images to hold out for model selection and calibration; 0 trains on all."
            " [default: the recipe's; 1/12, of MNIST 5,000 images]",
            metavar="SHARE",
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(NETWORKS)}, or FILE.py:NAME, a network of your own. [default: the recipe's]",
            metavar="NET",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Pixels a side, or HxW, to bring a folder's images to. [default: 28]", metavar="N"),
    ] = None,
    colour: Annotated[bool, typer.Option("--colour", "--color", help="Keep a folder's images in colour.")] = False,
    rate: Annotated[
        str | None,
        typer.Option(help="The highest learning rate: --set rate=R. [default: the recipe's]", metavar="R"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change numbers of the recipe: --set smoothing=0,augment.rotate=5. docs/recipes.md lists them.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same weights. [default: 0]", metavar="N")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Train this many seeds, starting at --seed; show how they vary and keep the median.", metavar="N"
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Threads to use; the result is the same for any number. [default: all processors]", metavar="N"
        ),
    ] = None,
    out: Annotated[
        str, typer.Option(help="Where to write the model; an earlier file of that name is renamed.", metavar="FILE")
    ] = DEFAULT_MODEL,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run with the same --out.")] = False,
    runs: Annotated[
        str | None,
        typer.Option(
            help=f"Folder for the history of this run, which `lenet runs` shows. [default: {FOLDER}]", metavar="DIR"
        ),
    ] = None,
    no_run: Annotated[bool, typer.Option("--no-run", help="Leave no history.")] = False,
    report: Annotated[
        bool, typer.Option("--report", help=f"Also write {_PAGE}, with pictures, into the run's folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")] = False,
) -> None:
    """Train a network on MNIST, another data set or your own images.

    The test images are used once, at the end. Ctrl-C, SIGTERM and a closed terminal save the model so far; --resume then
    continues to the very weights that an uninterrupted run would have had. Each run leaves a folder with its settings,
    training curve, model and results.

    A single run may be lucky: --seeds 5 trains five and shows mean, spread and worst. It keeps the median by held-out
    accuracy, or by test accuracy if nothing is held out.

    Examples:

    - `lenet train                        # MNIST, over 99 % accurate in seconds`

    - `lenet train --recipe best --report   # more accurate, with a report to open`

    - `lenet train --seconds 20           # as good as that time allows`

    - `lenet train --dataset fashion-mnist --epochs 5 --out fashion.safetensors`

    - `lenet train --dataset my-digits/   # my-digits/0/, my-digits/1/ ...`

    - `lenet train --dataset leaves/ --size 32 --colour   # a small VGG, in colour`

    - `lenet train --network net.py:Net   # a class of your own`

    - `lenet train --seeds 5              # five runs: how far does luck go?`
    """
    with exit_codes(), Signals() as signals:
        _check(seeds, resume, runs, no_run, report)
        asked: dict[str, Any] = {
            "data": data, "seed": seed, "epochs": epochs, "batch_size": batch_size, "held_out": held_out,
            "network": network, "size": _sides(size), "colour": colour, "settings": _settings(rate, settings), "seconds": seconds,
            "threads": threads, "out": out,
            "stop": signals.stop,
        }  # fmt: skip
        kept = None if no_run else Runs(FOLDER if runs is None else runs)
        display = _Display()
        try:
            if seeds is None:
                _one(recipe, dataset, asked | {"resume": resume}, kept, display, report, as_json)
            else:
                _several(seeds, recipe, dataset, asked, kept, display, report, as_json)
        except Interrupted as stopped:
            display.say(f"{stopped}\ngo on with: {_again(out, runs)}")
            raise typer.Exit(128 + signals.caught) from None
        except SeedsInterrupted as stopped:
            display.close()
            _show_interrupted(stopped, runs, as_json)
            raise typer.Exit(128 + signals.caught) from None
        except Terminated as ended:
            raise typer.Exit(128 + ended.number) from None
        finally:
            display.close()


def _sides(text: str | None) -> Any:
    """``32`` or ``32x48`` (height x width) as numbers; ValueError for anything else."""
    if text is None:
        return None
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise ValueError(message("--size", repr(text), "pixels a side, or height x width, such as 32 or 32x48"))
    return int(parts[0]) if len(parts) == 1 else tuple(map(int, parts))


def _settings(rate: str | None, texts: list[str] | None) -> dict[str, str]:
    """What --rate and --set change, by name; ValueError for what is no KEY=VALUE, and for a key given twice."""
    found = {} if rate is None else {"rate": rate}
    for pair in ",".join(texts or []).split(",") if texts else []:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not (key and equals and value):
            raise ValueError(message("--set", repr(pair), "KEY=VALUE, such as smoothing=0.1"))
        if key in found:
            raise ValueError(message("--set", f"{key} twice", "each number once"))
        found[key] = value
    return found


def _check(seeds: int | None, resume: bool, runs: str | None, no_run: bool, report: bool) -> None:
    """ValueError for options that contradict each other; ImportError if a report could not be written in the end."""
    if seeds is not None and resume:
        fix = "An interrupted seed goes on by itself: --resume --out NAME.seed3.safetensors"
        raise ValueError(message("train", "--seeds and --resume", "one of the two", fix))
    if no_run and (runs is not None or report):
        other = "--report" if report else "--runs"
        fix = "`lenet evaluate --report FILE.html` writes a report anywhere" if report else ""
        raise ValueError(message("train", f"--no-run and {other}", "one of the two", fix))
    if report:
        from lenet import plots

        plots.needed()


# ---- one run -----------------------------------------------------------------------------------------------------------


def _one(
    recipe: str | None, dataset: str | None, asked: dict[str, Any], runs: Runs | None, display: _Display,
    report: bool, as_json: bool,
) -> None:  # fmt: skip
    folder = ""
    following: dict[str, Any] = {"progress": display.update, "say": display.say}
    if runs is None:
        result = run_training(recipe, dataset, **asked, **following)
    else:
        result, folder, test, line = runs.train(recipe, dataset, **asked, **following)
    display.close()
    _tell(f"test accuracy {_scores(result)}", as_json)
    speed = f"{result.images_per_second:,.0f} images/s"
    _tell(f"trained in {result.seconds:.1f} s ({speed}); written to {result.out}", as_json)
    if folder:
        show(f"history: {folder}", aside=True)
        if report:
            _write_page(result, folder, test, line)
    if as_json:
        print_json(result.as_json() | {"run": folder or None})


def _tell(text: str, as_json: bool) -> None:
    """A line of the summary. The result is the model, so that a standard output which takes no line changes nothing."""
    try:
        show(text, aside=as_json)
    except OSError:
        streams.give_up()


def _scores(result: Result) -> str:
    held = f"; held out {score_text(result.held_out)}" if result.held_out is not None else ""
    return score_text(result.test) + held


def _write_page(result: Result, folder: str, test: Part, line: str) -> None:
    from lenet.report import write

    path = os.path.join(folder, _PAGE)
    # as it stands in its file: the result's own has neither a name nor an account of its training
    write(path, Trained.load(result.out), test.images, test.labels, line=line)
    show(f"report written to {path}", aside=True)


def _again(out: str, runs: str | None) -> str:
    """What to type to go on with an interrupted run."""
    return (
        "lenet train --resume" + (f" --out {out}" if out != DEFAULT_MODEL else "") + (f" --runs {runs}" if runs else "")
    )


# ---- several seeds -----------------------------------------------------------------------------------------------------


def _several(
    seeds: int, recipe: str | None, dataset: str | None, asked: dict[str, Any], runs: Runs | None, display: _Display,
    report: bool, as_json: bool,
) -> None:  # fmt: skip
    def each(result: Result, folder: str, test: tuple[Part, str] | None) -> None:
        display.close()
        where = f"; history: {folder}" if folder else ""
        _tell(f"seed {result.record['seed']}: test accuracy {_scores(result)}{where}", as_json)
        if report and test is not None and folder:
            _write_page(result, folder, *test)

    def update(seed: int, state: State) -> None:
        display.update(state, f"seed {seed}")

    done = train_seeds(seeds, recipe, dataset, **asked, runs=runs, progress=update, each=each, say=display.say)
    _show_spread(done, as_json)
    kept = done.results[done.kept]
    if done.by == "held_out":
        why = "the median by held-out accuracy"
    else:
        why = "the median by test accuracy, as nothing is held out: no independent measure of this model any more"
    _tell(f"kept seed {kept.record['seed']}, {why}; written to {done.out}", as_json)
    if as_json:
        print_json(done.as_json() | {"complete": True})


def _show_spread(done: Seeds, as_json: bool) -> None:
    named = [("test accuracy", done.test)] + ([("held out", done.held_out)] if done.held_out is not None else [])
    for title, spread in named:
        text = f"mean {percent(spread.mean)}, standard deviation {100 * spread.sd:.2f} points"
        ends = f"worst {percent(spread.worst)}, best {percent(spread.best)}"
        _tell(f"{title} of {len(done.results)} seeds: {text}, {ends}", as_json)


def _show_interrupted(stopped: SeedsInterrupted, runs: str | None, as_json: bool) -> None:
    done = stopped.done
    if as_json:
        print_json(
            ({"seeds": []} if done is None else done.as_json()) | {"complete": False, "kept": None, "model": None}
        )
    if done is not None:
        if len(done.results) > 1:
            _show_spread(done, as_json)
        show(f"finished: {', '.join(result.out for result in done.results)}", aside=True)
    show(str(stopped), aside=True)
    if stopped.stopped is not None:
        show(f"go on with that seed: {_again(stopped.stopped.out, runs)}", aside=True)


class _Display:
    """A live bar on a terminal; a line at the end of an epoch, or of several if there are many."""

    def __init__(self) -> None:
        self._bar: progress.Progress | None = None
        self._title = ""
        self._terminal = progress.on_terminal(sys.stderr)

    def update(self, state: State, title: str = "training") -> None:
        numbers = f"loss {state.loss:.4f}  accuracy {percent(state.accuracy)}  {state.images_per_second:,.0f} images/s"
        if self._terminal:
            if self._bar is None or title != self._title:
                self._bar, self._title = progress.Progress(title, state.steps, unit="steps", delay=0.3), title
            self._bar.update(state.step, numbers)
        every = -(-state.epochs // _LINES)
        if state.epoch_ended and (state.epoch % every == 0 or state.epoch == state.epochs):
            left = f"  {state.seconds_left:.0f} s left" if state.seconds_left >= 1 else ""
            self.say(f"epoch {state.epoch}/{state.epochs}  {numbers}{left}")

    def say(self, text: str) -> None:
        """A line that stays; the bar comes back below it."""
        self.close()
        show(text, aside=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
