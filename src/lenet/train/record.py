"""What a model file says about its network and its training: put together here, stored by ``train``.

Everything is plain JSON. A file's account has the keys ``format``, ``lenet`` (the version), ``architecture``, ``input``,
``labels``, ``training`` and, if the network was calibrated, ``calibration``.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from lenet import _core
from lenet.messages.check import without_home
from lenet.messages.version import version
from lenet.modelfile import architecture as _architecture
from lenet.train.data import Data
from lenet.train.trained import Trained

__all__ = ["cpu_name", "data_account", "machine", "model_meta"]


def cpu_name() -> str:
    """The processor's name as the system gives it; its architecture where it gives none."""
    import platform

    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.lower().startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        import subprocess

        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip()
    return platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    """What a run's bits and speed depend on: versions, processor, kernel level, threads."""
    import platform

    return {
        "lenet": version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu_name(),
        "level": _core.level(),
        "threads": _core.num_threads(),
    }


def data_account(data: Data) -> dict[str, Any]:
    """Where the images came from and which they were; the home folder's name stays out of it."""
    source = data.source
    return {
        "name": without_home(data.name),
        "folder": without_home(data.folder),
        "line": without_home(data.line),
        "published": source.published,
        "sha256": source.sha256,
        "digest": source.digest,
        "inverted": data.inverted,
    }


def model_meta(trained: Trained, training: dict[str, Any]) -> dict[str, Any]:
    """A model file's whole account."""
    account = _architecture.account(trained.rows, trained.shape, trained.mean, trained.std, trained.labels)
    calibration = {} if trained.calibration is None else {"calibration": trained.calibration}
    return account | {"training": training} | calibration
