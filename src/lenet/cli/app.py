"""``lenet`` and its commands, with the help that ``lenet --help`` shows."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lenet.cli.compare import compare
from lenet.cli.evaluate import evaluate
from lenet.cli.info import info
from lenet.cli.predict import predict
from lenet.cli.read import read
from lenet.cli.runs import runs
from lenet.cli.shared import show
from lenet.cli.show import show as show_images
from lenet.cli.train import train
from lenet.messages.check import MOST, one_line
from lenet.messages.version import version

__all__ = ["app"]


class _Commands(TyperGroup):
    """The commands, whose options say what is wrong with a number in our words, not in a library's."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if type(error).__name__ == "BadParameter":
                error.message = _in_our_words(error)  # type: ignore[attr-defined]
            raise


def _in_our_words(error: Any) -> str:
    """``got 'abc', expected a whole number`` for what Typer says of it, in whichever of its versions."""
    text = str(error.message)
    found: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    given = repr(found[0].get("input")) if found else text.partition(" is not a valid ")[0]
    about = str(found[0].get("type")) if found else text.rpartition(" is not a valid ")[2]
    if about.startswith("int"):
        return f"got {one_line(given, 80)}, expected a whole number."
    if about.startswith("float"):
        return f"got {one_line(given, 80)}, expected a number."
    return one_line(text, MOST)


app = typer.Typer(
    name="lenet",
    cls=_Commands,
    help="""Train small networks on small images, in seconds, on this computer's processor.

The commands, in the order in which you will want them:

`lenet train` finds or fetches MNIST, trains a network of over 99 %, and writes lenet.safetensors.

`lenet read photo.jpg` reads the digits on a photo or a scan, without any training.

`lenet predict seven.png` says which digit an image shows.

`lenet evaluate` measures a model on the test images; with --report it writes a page with pictures.

`lenet show` shows a data set's images.

`lenet compare a.safetensors b.safetensors` says whether one model is better than another.

`lenet runs` lists all that `lenet train` has done.

`lenet info` says what this machine has; `lenet info lenet.safetensors` what a model is and how it was trained.

Each has a --help of its own, with examples.""",
    epilog="Results go to standard output, with --json as one JSON object; all else to standard error."
    " Exit codes: 0 done, 1 failed, 2 wrong use or bad input, 129 hung up, 130 interrupted, 143 terminated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        show(f"lenet {version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.command()(train)
app.command()(read)
app.command()(predict)
app.command()(evaluate)
app.command("show")(show_images)
app.command()(compare)
app.command()(runs)
app.command()(info)
