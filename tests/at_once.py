"""Functions that run at the same time, each on a thread of its own. Read by the tests of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """What each function returns, all run at the same time; an exception ends the test."""
    results: list[Any] = [None] * len(work)
    gate = threading.Barrier(len(work))

    def run(i: int) -> None:
        gate.wait()
        try:
            results[i] = work[i]()
        except BaseException as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(work))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
