"""What was tried to break it: threads, shapes, files, kills, with counts. ``python -m bench.reliability`` runs the parts.

Each part is a module with ``run(budget) -> dict``, its counts and under "wrong" how many of them went wrong, and with
``table(counts) -> str``. The counts go by the part's name into bench/results/reliability.json, from which ``bench.tables``
writes docs/reliability.md.
"""

PARTS = ("threads", "shapes", "fuzz", "kills")
