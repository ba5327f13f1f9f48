"""What was tried to break it: threads, shapes, files, kills, with counts. ``python -m bench.reliability`` runs the parts.

Each part is a module with ``run(...) -> dict``: its counts, and how many of them went wrong. They go by the part's name
into bench/results/reliability.json, from which ``bench.tables`` writes docs/reliability.md.
"""
