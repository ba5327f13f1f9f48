"""``lenet train``: ``lenet.train.train`` with a progress display, signals and a summary."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lenet import progress
from lenet.cli.shared import DEFAULT_MODEL, exit_codes, percent, print_json, score_text, show
from lenet.cli.signals import Signals, Terminated
from lenet.train import RECIPES, Interrupted, State
from lenet.train import train as run_training

__all__ = ["train"]

_LINES = 10  # of progress in a log, about

_RECIPES = "; ".join(f"{name}: {recipe.about}" for name, recipe in RECIPES.items())


def train(
    dataset: Annotated[
        str | None,
        typer.Option(
            help="mnist, fashion-mnist, or a FOLDER with a folder of images for each class. [mnist]", metavar="NAME"
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="The folder of the data set's four IDX files, instead of looking for them.", metavar="DIR"),
    ] = None,
    recipe: Annotated[str | None, typer.Option(help=f"How to train. {_RECIPES}. [fast]", metavar="NAME")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the images. [the recipe's]", metavar="N")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step. [the recipe's]", metavar="N")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same weights. [0]", metavar="N")] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads to compute on; they change no bit. [all processors]", metavar="N")
    ] = None,
    out: Annotated[
        str, typer.Option(help="The model file; an earlier one is renamed.", metavar="FILE")
    ] = DEFAULT_MODEL,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run of the same --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Train a network and write it to a file.

    The test images are looked at once, at the end. Ctrl-C and SIGTERM save the model so far; --resume goes on to the
    very weights of an uninterrupted run.

    Examples:

    - `lenet train`

    - `lenet train --recipe tutorial --seed 7 --out tutorial.safetensors`

    - `lenet train --dataset fashion-mnist --epochs 5`

    - `lenet train --dataset my-digits/` with images in my-digits/0/, my-digits/1/ …
    """
    with exit_codes(), Signals() as signals:
        display = _Display()
        try:
            result = run_training(
                recipe,
                dataset,
                data=data,
                seed=seed,
                epochs=epochs,
                batch_size=batch_size,
                threads=threads,
                out=out,
                resume=resume,
                stop=signals.stop,
                progress=display.update,
                say=display.say,
            )
        except Interrupted as stopped:
            again = "lenet train --resume" + (f" --out {out}" if out != DEFAULT_MODEL else "")
            display.say(f"{stopped}\ngo on with: {again}")
            raise typer.Exit(128 + signals.caught) from None
        except Terminated:
            raise typer.Exit(143) from None
        finally:
            display.close()
        if as_json:
            print_json(result.as_json())
        held = f"; held out {score_text(result.held_out)}" if result.held_out is not None else ""
        speed = f"{result.images_per_second:,.0f} images/s"
        show(f"test accuracy {score_text(result.test)}{held}", aside=as_json)
        show(f"trained in {result.seconds:.1f} s ({speed}); written to {result.out}", aside=as_json)


class _Display:
    """A live bar on a terminal; a line at the end of an epoch, or of several if there are many."""

    def __init__(self) -> None:
        self._bar: progress.Progress | None = None
        self._terminal = progress.on_terminal(sys.stderr)

    def update(self, state: State) -> None:
        numbers = f"loss {state.loss:.4f}  accuracy {percent(state.accuracy)}  {state.images_per_second:,.0f} images/s"
        if self._terminal:
            if self._bar is None:
                self._bar = progress.Progress("training", state.steps, unit="steps", delay=0.3)
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
