"""Where computation happens: on the CPU, on as many threads as you say (Paddle: ``paddle.device``)."""

from __future__ import annotations

from typing import Any

from lenet import _core
from lenet.autograd.tensor import CPUPlace
from lenet.messages.check import describe, message, positive_int

__all__ = [
    "cuda", "disable_signal_handler", "get_device", "is_compiled_with_cinn", "is_compiled_with_cuda",
    "is_compiled_with_distribute", "is_compiled_with_ipu", "is_compiled_with_rocm", "is_compiled_with_xpu", "set_device",
    "set_num_threads",
]  # fmt: skip


def set_device(device: Any) -> CPUPlace:
    """Accept 'cpu' (Paddle: ``paddle.set_device``); ValueError for anything else, since this engine is for CPUs."""
    if device != "cpu" and not isinstance(device, CPUPlace):
        given = repr(device) if isinstance(device, str) else describe(device)
        raise ValueError(
            message("set_device()", given, "'cpu', the only device of this engine", "Type lenet.set_device('cpu')")
        )
    return CPUPlace()


def get_device() -> str:
    """Always 'cpu'."""
    return "cpu"


def is_compiled_with_cuda() -> bool:
    """Always False."""
    return False


is_compiled_with_cinn = is_compiled_with_distribute = is_compiled_with_ipu = is_compiled_with_cuda
is_compiled_with_rocm = is_compiled_with_xpu = is_compiled_with_cuda


def set_num_threads(n: int) -> None:
    """Compute on at most n threads; 0: as many as the process may use. The results are the same bits whatever n is."""
    _core.set_num_threads(positive_int("set_num_threads()", n, least=0))


def disable_signal_handler() -> None:
    """Does nothing: importing lenet installs no signal handlers."""


class cuda:  # noqa: N801 - Paddle's module
    """What programs ask about graphics cards; there are none here."""

    @staticmethod
    def device_count() -> int:
        """Always 0."""
        return 0

    @staticmethod
    def synchronize(device: Any = None) -> None:
        """Does nothing: a call returns when its work is done."""

    @staticmethod
    def empty_cache() -> None:
        """Does nothing."""
