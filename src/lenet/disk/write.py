"""The one way a file is written: a temp file, then a rename. A reader sees the old file or the new one, whoever dies when.

It knows no format. A living writer holds a lock on its temp file (``flock``), so that the next one can tell what a killed
process left behind from what is still being written. Read by whatever writes files.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from lenet.messages.check import message

__all__ = ["alone", "atomic_write", "link_or_copy", "sweep"]

Path = str | os.PathLike[str]

_STALE_SECONDS = 600.0  # where a file system has no locks, a temp file untouched for so long is nobody's
_PATIENCE = 30.0  # seconds: whoever holds a folder longer than that was stopped in the middle of it
_TEMP = re.compile(r"\..+\.[0-9a-f]{12}\.part", re.DOTALL)


def atomic_write(path: Path, content: bytes | Callable[[BinaryIO], object], *, synced: bool = True) -> None:
    """Write a file whole or not at all: to a temp file in its folder, then fsync, then rename.

    content: the bytes, or a function that writes them to the binary file it is given. Parent folders are made. Whatever
    goes wrong (disk full, an exception in the function, Ctrl-C) leaves the old file as it was and no temp file; what a
    killed process left behind is removed by the next write of the same file. synced: wait until the disk has it. OSError
    (or the subclass for the cause, such as PermissionError) says what stood in the way.
    """
    target = os.path.realpath(path)  # through a symbolic link: the file it points to is replaced, not the link
    folder = os.path.dirname(target)
    if os.path.isdir(target) or not os.path.basename(path):
        raise IsADirectoryError(errno.EISDIR, message("file to write", f"the folder {target}", "a file name"))
    try:
        os.makedirs(folder, exist_ok=True)
        start = _start(target)
        _sweep(folder, lambda name: name.startswith(start) and _TEMP.fullmatch(name) is not None)
        if os.path.exists(target) and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is write-protected")
        if not any(_replace(target, content, synced) for _ in range(3)):
            raise FileNotFoundError(errno.ENOENT, "the temp file is gone")
    except OSError as error:
        explained = _explained(error, target)
        if explained is None:
            raise
        raise explained from error
    if synced:
        _sync(folder)


def _replace(target: str, content: bytes | Callable[[BinaryIO], object], synced: bool) -> bool:
    """False if the temp file was swept by another machine, which does not see our lock."""
    file, part = _new_part(target)
    try:
        with file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            if synced:
                os.fsync(file.fileno())
            if os.name == "nt":  # no locks there, and no renaming of what is open
                file.close()
            try:
                os.replace(part, target)  # while it is open, and so locked
            except FileNotFoundError:
                return False
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
    return True


def _sync(folder: str) -> None:
    """The rename itself reaches the disk; some file systems cannot sync a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def link_or_copy(old: Path, new: Path) -> None:
    """Let ``new`` be the file ``old`` too: a second name, or a copy where the file system gives no second names.

    Whatever was called ``new`` is replaced in one step; ``old`` is never missing.
    """
    source, target = os.path.realpath(old), os.path.abspath(new)
    part = _part(target)
    try:
        os.link(source, part)
    except OSError:

        def copy(file: BinaryIO) -> None:
            import shutil

            with open(source, "rb") as content:
                shutil.copyfileobj(content, file)

        atomic_write(target, copy)
        return
    try:
        os.replace(part, target)
    finally:
        with suppress(OSError):  # a rename between two names of one file does nothing and leaves both
            os.unlink(part)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """No other process (nor thread) that asks for it is in the folder of ``path`` meanwhile.

    Advice, as every such lock: where the file system has none, or its holder was stopped for half a minute, it goes on
    without. The lock is the folder's own, leaves no file, and ends with the process that holds it.
    """
    folder = os.path.dirname(os.path.realpath(path))
    descriptor = None
    with suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        until = time.monotonic() + _PATIENCE
        while descriptor is not None and _locked(descriptor) is False and time.monotonic() < until:
            time.sleep(0.005)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(descriptor: int) -> bool | None:
    """Whether the lock is ours now: False if another has it, None if there are no locks here."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


# ---- temp files ------------------------------------------------------------------------------------------------------


def _start(target: str) -> str:
    """How the names of a file's temp files begin; cut, as with its end the name may be too long."""
    return os.fsdecode(b"." + os.fsencode(os.path.basename(target))[:200] + b".")


def _part(target: str) -> str:
    return os.path.join(os.path.dirname(target), f"{_start(target)}{os.urandom(6).hex()}.part")


def _new_part(target: str) -> tuple[BinaryIO, str]:
    """A new temp file, open and locked."""
    while True:
        part = _part(target)
        file = open(part, "xb")  # noqa: SIM115  the caller closes it
        with suppress(OSError):
            if _locked(file.fileno()) is not False and os.path.samestat(os.stat(part), os.fstat(file.fileno())):
                return file, part
        file.close()  # a sweeper was faster than our lock
        with suppress(OSError):
            os.unlink(part)


def sweep(folder: str) -> None:
    """Remove every temp file of ours in ``folder`` that no living process writes; no other file."""
    _sweep(folder, lambda name: _TEMP.fullmatch(name) is not None)


def _sweep(folder: str, ours: Callable[[str], bool]) -> None:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if ours(entry.name):
                with suppress(OSError):
                    _remove_if_dead(entry.path)


def _remove_if_dead(part: str) -> None:
    with open(part, "rb") as file:
        locked = _locked(file.fileno())
        if locked or (locked is None and os.fstat(file.fileno()).st_mtime < time.time() - _STALE_SECONDS):
            os.unlink(part)


def _explained(error: OSError, target: str) -> OSError | None:
    """The same kind of error, saying what could not be written and what to do; None where the cause is another one."""
    kept = ". The file there before is intact" if os.path.exists(target) else ""
    reasons = {
        errno.ENOSPC: ("a full disk", "Free some space or choose another folder"),
        errno.EDQUOT: ("a full disk quota", "Free some space or choose another folder"),
        errno.EFBIG: ("a limit on the size of files", "Choose another folder, or raise the limit (ulimit -f)"),
        errno.EACCES: (f"no permission ({error.strerror})", "Choose a folder that you may write to"),
        errno.EPERM: (f"no permission ({error.strerror})", "Choose a folder that you may write to"),
        errno.EROFS: ("a read-only file system", "Choose a folder that you may write to"),
        errno.ENOENT: ("a folder that takes no files", "Choose another folder"),
        errno.ENOTDIR: ("a file where a folder should be", "Choose another folder"),
        errno.EEXIST: ("a file where a folder should be", "Choose another folder"),
    }
    if error.errno not in reasons:
        return None
    given, fix = reasons[error.errno]
    return OSError(error.errno, message(f"writing {target}", given, "a place to write to", fix + kept))
