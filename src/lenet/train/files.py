"""What a training run leaves on disk: the model, and beside an interrupted one the state to go on from.

An earlier model is never lost: it is renamed, and so is the state of an earlier interrupted run. Every file is written
whole or not at all (``serialization.atomic_write``).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lenet import serialization
from lenet._check import message

__all__ = ["check_out", "move_resume_aside", "read_resume", "resume_path", "store_model", "store_resume"]

Arrays = dict[str, NDArray[Any]]
Json = dict[str, Any]
Say = Callable[[str], None]

SUFFIX = ".safetensors"
RESUME = ".resume.safetensors"


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


def store_model(out: str, weights: Arrays, meta: Json, say: Say, replaceable: str = "") -> str:
    """Write the model and return its digest. A model of other weights that stands there already is renamed and that is
    said, unless its digest is ``replaceable``: then it is an earlier state of the same run.
    """
    digest = serialization.digest(weights)
    kept = None
    if os.path.isfile(out) and (_digest_of(out) or out) not in (digest, replaceable):
        kept = serialization.keep_previous(out)
    try:
        serialization.write_model(out, weights, meta)
    except BaseException:
        if kept is not None:
            os.replace(kept, out)
        raise
    if kept is not None:
        say(f"{out} was there already: the earlier model is now {kept}")
    return digest


def _digest_of(path: str) -> str:
    """The digest of a file's weights; "" if it is no model."""
    try:
        return serialization.digest(serialization.read_model(path)[0])
    except ValueError:
        return ""


def store_resume(out: str, arrays: Arrays, about: Json) -> str:
    """Write the state beside ``out``; returns its name."""
    path = resume_path(out)
    serialization.write_model(path, arrays, {"resume": about})
    return path


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


def move_resume_aside(out: str, say: Say) -> None:
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
