"""``python -m lenet.as_paddle script.py [arguments]``: run a script written for Paddle on lenet, unchanged.

The function of the same name lives in ``_as_paddle`` and is what ``lenet.as_paddle`` means. Python would put this module
in its place wherever somebody says ``import lenet.as_paddle``; the last line prevents that.
"""

from __future__ import annotations

import os
import runpy
import sys

from lenet.names.paddle import as_paddle

_USAGE = (
    "usage: python -m lenet.as_paddle SCRIPT [ARGUMENTS]\nRuns a script that says `import paddle` on lenet instead.\n"
)


def _run(arguments: list[str]) -> int:
    """Run ``arguments[0]`` as ``__main__`` with the rest as its arguments; 2 for wrong use."""
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(_USAGE)
        return 0 if arguments else 2
    script = arguments[0]
    if not os.path.exists(script):
        sys.stderr.write(f"lenet.as_paddle: got {script}, which does not exist, expected a Python script.\n")
        return 2
    as_paddle()
    sys.argv[:] = arguments
    sys.path[0] = script if os.path.isdir(script) else os.path.dirname(os.path.realpath(script))
    runpy.run_path(script, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
sys.modules[__name__] = as_paddle  # type: ignore[assignment]
