"""What a training run leaves on disk: the model, and beside an interrupted one the state to go on from.

An earlier model is never lost: it gets another name before its own is taken in one step, and so does the state of an
earlier interrupted run. Every file is written whole or not at all (``write.atomic_write``).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lenet.disk.write import alone
from lenet.messages.check import message
from lenet.modelfile import serialization

__all__ = ["check_out", "read_resume", "remove_resume", "resume_path", "store"]

Arrays = dict[str, NDArray[Any]]
Json = dict[str, Any]
Say = Callable[[str], None]

SUFFIX = ".safetensors"
RESUME = ".resume.safetensors"
_TRIES = 5


def resume_path(out: str) -> str:
    """Where the state of an interrupted run stands whose model is ``out``."""
    return out + RESUME


def check_out(out: str | os.PathLike[str]) -> str:
    """``out`` as text, fit to be written later: ValueError without the suffix, OSError where it can't be written."""
    text = os.fspath(out)
    if not text.endswith(SUFFIX) or os.path.basename(text) == SUFFIX:
        name = os.path.basename(text).rstrip(".") or "lenet"
        raise ValueError(message("out", repr(text), f"a name ending in {SUFFIX}", f"Type {name}{SUFFIX}"))
    if text.endswith(RESUME):
        raise ValueError(message("out", repr(text), "the model's own name", f"Type {text[: -len(RESUME)]}"))
    if os.path.isdir(text):
        raise IsADirectoryError(errno.EISDIR, message("out", f"the folder {text}", "a file name"))
    folder = os.path.dirname(os.path.realpath(text))
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, message("out", text, f"a place to write to, unlike {folder}"))
    return text


def store(
    out: str,
    weights: Arrays,
    meta: Json,
    say: Say,
    *,
    replaceable: str = "",
    goes_on: bool = False,
    state: tuple[Arrays, Json] | None = None,
) -> str:
    """Write the model, and beside it the ``state`` of a run that was interrupted; returns the model's digest.

    A model of other weights that stands there already gets another name first and that is said, unless its digest is
    ``replaceable``: then it is an earlier state of the same run. So does an earlier run's state, unless this run
    ``goes_on`` from it. Several runs may do this to one ``out`` at once: none loses a model. OSError if what lies there
    in the end is not what was written.
    """
    said: list[str] = []
    try:
        with alone(out):  # nothing is said meanwhile: it may take long
            if not goes_on:
                _move_resume_aside(out, said.append)
            digest = _store_model(out, weights, meta, said.append, replaceable)
            if state is not None:
                serialization.write_model(resume_path(out), state[0], {"resume": state[1]})
    finally:
        for line in said:
            say(line)
    return digest


def _store_model(out: str, weights: Arrays, meta: Json, say: Say, replaceable: str) -> str:
    digest = serialization.digest(weights)
    for _ in range(_TRIES):  # again if another run wrote its model meanwhile, where no lock keeps it out
        kept = None
        if os.path.isfile(out) and (_digest_of(out) or out) not in (digest, replaceable):
            kept = serialization.keep_previous(out)
        try:
            serialization.write_model(out, weights, meta)
        except BaseException:
            if kept is not None and kept[1]:
                with suppress(OSError):
                    os.unlink(kept[0])
            raise
        if kept is not None:
            say(f"{out} was there already: the earlier model is now {kept[0]}")
        if _digest_of(out) == digest:
            return digest
    fix = "Does something else write there? Choose another name"
    raise OSError(errno.EIO, message(f"writing {out}", "another file than was written", "the model", fix))


def _digest_of(path: str) -> str:
    """The digest of a file's weights; "" if it is no model, or nothing."""
    try:
        return serialization.digest(serialization.read_model(path)[0])
    except (ValueError, FileNotFoundError):
        return ""


def read_resume(out: str) -> tuple[Arrays, Json]:
    """The state beside ``out``: FileNotFoundError if there is none, ValueError if it is something else."""
    path = resume_path(out)
    if not os.path.isfile(path):
        fix = "Leave --resume out to start anew; --out names the model of the interrupted run"
        raise FileNotFoundError(message("resume", f"{path}, which does not exist", "an interrupted run's state", fix))
    arrays, meta = serialization.read_model(path)
    about = meta.get("resume")
    if not isinstance(about, dict):
        raise ValueError(message(path, "a file without a run's state", "an interrupted run's state"))
    return arrays, about


def remove_resume(out: str, weights: str) -> None:
    """Remove the state beside ``out`` if it is still that of the run which left a model of the digest ``weights``."""
    with alone(out), suppress(OSError, ValueError):
        if read_resume(out)[1].get("weights") == weights:
            os.unlink(resume_path(out))


def _move_resume_aside(out: str, say: Say) -> None:
    """Give an earlier run's state the name that its model gets when it is renamed."""
    path = Path(resume_path(out))
    if not path.is_file():
        return
    try:
        arrays = serialization.read_model(path)[0]
        tag = serialization.digest({name: a for name, a in arrays.items() if not name.startswith("optimizer/")})
    except ValueError:
        tag = "damaged"
    model = f"{out[: -len(SUFFIX)]}.{tag[:8]}{SUFFIX}"
    os.replace(path, resume_path(model))
    say(f"{path} is now {resume_path(model)}: go on with that run by --resume --out {model}")
