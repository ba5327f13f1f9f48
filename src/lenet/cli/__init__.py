"""The command line: ``lenet train``, ``read``, ``predict`` and so on; one file a command.

Nothing here computes: each command calls what a Python user would call and shows the result. Results go to standard
output (with ``--json`` one JSON object and nothing else), everything a person should know besides to standard error.

Exit codes: 0 done, 1 failed, 2 wrong use or bad input, 129 hung up (SIGHUP), 130 interrupted (Ctrl-C), 143 terminated
(SIGTERM).
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """The program ``lenet``."""
    from lenet.cli import streams

    streams.prepare()
    from lenet.cli.app import app

    with streams.kept_quiet():
        app(prog_name="lenet")
