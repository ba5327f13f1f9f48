"""Standard output and standard error, whatever they are: closed, full, gone, or of an encoding that lacks our characters.

What goes to standard error is only said, and never ends the work. Standard output holds results: where they cannot be
written the program says so and fails, once its work is done. Read by ``main`` and by whatever prints.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, cast

from lenet.messages.check import message
from lenet.messages.progress import PLAIN, Said, put

__all__ = ["OutputError", "give_up", "kept_quiet", "prepare", "result"]


class OutputError(OSError):
    """Standard output cannot be written to."""


def prepare() -> None:
    """Once, before anything is opened or printed.

    A closed descriptor is opened to nowhere: else the next file that is opened would get its number, and whatever C
    code says there would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=PLAIN)
    sys.stderr = cast("TextIO", Said(sys.stderr))


@contextmanager
def kept_quiet() -> Iterator[None]:
    """Around the program: output that fails outside of a command, such as that of --help, is one line and exit code 1."""
    try:
        try:
            yield
        finally:
            with result():
                sys.stdout.flush()
    except BrokenPipeError:
        give_up()
        raise SystemExit(1) from None
    except OutputError as error:
        put(f"lenet: {error.strerror}\n", sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:  # from whatever prints help
        give_up()
        put(f"lenet: {_sentence(error)}\n", sys.stderr)
        raise SystemExit(1) from None


@contextmanager
def result() -> Iterator[None]:
    """Around the writing of a result: OutputError with one sentence if it fails, BrokenPipeError if its reader has gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up()
        raise OutputError(error.errno, _sentence(error)) from None


def _sentence(error: OSError) -> str:
    return message("standard output", error.strerror or error, "a place to write to")


def give_up() -> None:
    """Let what waits to be written go nowhere, so that the interpreter's end doesn't complain."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
