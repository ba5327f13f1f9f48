"""Ctrl-C, SIGTERM and SIGHUP (a closed terminal) while training: heard between two steps, so that the model can be saved first.

``with Signals() as signals: train(stop=signals.stop)``. Before the first step a signal ends the program at once; after
it, the first signal only makes ``stop()`` true and further ones change nothing: a wrapper often sends Ctrl-C twice.
"""

from __future__ import annotations

import signal
from typing import Any

__all__ = ["Signals", "Terminated"]

_HEARD = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(BaseException):
    """SIGTERM or SIGHUP before there was anything to save. number: which."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """The handlers, for as long as the ``with`` block lasts. caught: the number of the first signal, or 0."""

    def __init__(self) -> None:
        self.caught = 0
        self._waiting = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number in _HEARD:
            if (
                signal.getsignal(number) != signal.SIG_IGN
            ):  # as a shell's background jobs ignore Ctrl-C, and nohup's SIGHUP
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stop(self) -> bool:
        """True once a signal came. The first call says that from now on someone asks."""
        self._waiting = True
        return self.caught != 0

    def _hear(self, number: int, frame: object) -> None:
        if not self._waiting:
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)
        self.caught = self.caught or number
