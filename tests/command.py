"""How tests type a command."""

from __future__ import annotations

from click.testing import Result
from typer.testing import CliRunner

from lenet.cli.app import app


def run(*arguments: object) -> Result:
    """``lenet`` with these arguments, in this process: its exit code and what it printed where."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="lenet")
