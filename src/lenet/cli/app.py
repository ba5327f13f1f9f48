"""``lenet`` and its commands, with the help that ``lenet --help`` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lenet.cli import data
from lenet.cli.compare import compare
from lenet.cli.evaluate import evaluate
from lenet.cli.export import export
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


def _plain(params: list[Any]) -> list[Any]:
    """Parameters whose help names no Python types: an option with a value has its own word for it, the rest need none."""
    for param in params:
        if param.param_type_name == "argument" or getattr(param, "is_flag", False):
            param.display_type_rich = lambda ctx: ""  # what Typer asks since it draws types; earlier ones draw none
    return params


class _Command(TyperCommand):
    """A command whose help and usage line are for people who do not know Python."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class _Commands(TyperGroup):
    """The commands, whose options say what is wrong with a number in our words, not in a library's."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))

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
    help="""Train small neural networks on small images, in seconds and on the CPU, and read handwritten digits.

New here? `lenet read photo.jpg` reads the digits in a photo; nothing needs training first. `lenet train` trains a model
of your own on MNIST. Every command explains itself with examples: `lenet train --help`.""",
    epilog="Results go to standard output (one JSON object with --json), everything else to standard error."
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


_GROUPS: dict[str, dict[str, Callable[..., None]]] = {
    "Read digits": {"read": read, "predict": predict},
    "Train and measure": {"train": train, "evaluate": evaluate, "compare": compare, "runs": runs},
    "Take it elsewhere": {"export": export},
    "Look around": {"show": show_images, "info": info},
}
for _title, _group in _GROUPS.items():
    for _name, _command in _group.items():
        app.command(_name, cls=_Command, rich_help_panel=_title)(_command)

_data = typer.Typer(cls=_Commands, help=data.HELP, no_args_is_help=True, rich_markup_mode="markdown")
for _name, _command in data.COMMANDS.items():
    _data.command(_name, cls=_Command)(_command)
app.add_typer(_data, name="data", short_help="List, fetch and check data sets.", rich_help_panel="Look around")
