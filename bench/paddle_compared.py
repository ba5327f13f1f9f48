"""Which of Paddle's names the tests compare live: read from the tests themselves. Read by ``paddle_names``.

A test that runs real Paddle asks for the fixture ``paddle``. What counts is its text, its parameters, and every function and
table of its file that it reaches from there; of lists that are made by a rule, the made ones.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
import sys
from pathlib import Path

__all__ = ["is_compared"]

TESTS = Path(__file__).parents[1] / "tests"
MADE = {
    "test_more_rows": ("IN_PLACE",),
    "test_nn_parity": ("LAYERS",),
}  # tables made by a rule when the file is imported

# How calls of a namespace's names are written in the tests.
WRITTEN = {
    "": r"\b(?:p|paddle)\.{}\b",
    "Tensor": r"(?<!F)(?<!nn)\.{}\b",
    "nn": r"(?:\bnn\.|[\"' \[]){}\b",
    "nn.functional": r"(?:\bF|functional)\.{}\b",
    "optimizer": r"(?:\.|[\"' \[]){}\b",
    "optimizer.lr": r"(?:\.|[\"' \[(]){}\b",
    "callbacks": r"\.{}\b",
}


def _reached(tree: ast.Module, source: str) -> list[str]:
    """The texts of the tests that run Paddle, and of what they reach in their file."""
    top: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            top[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        top.setdefault(name.id, node)
    wanted = [n for n in top.values() if isinstance(n, ast.FunctionDef) and "paddle" in {a.arg for a in n.args.args}]
    seen: list[ast.AST] = []
    while wanted:
        node = wanted.pop()
        if node in seen:
            continue
        seen.append(node)
        wanted += [top[n.id] for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in top]
    return [_text(node, source) for node in seen]


def _text(node: ast.AST, source: str) -> str:
    first = min([getattr(node, "lineno"), *(d.lineno for d in getattr(node, "decorator_list", []))])  # noqa: B009
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])  # type: ignore[attr-defined]


@functools.cache
def _texts() -> str:
    found = []
    for path in sorted(TESTS.glob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if "paddle: ModuleType" in source:
            found += _reached(ast.parse(source), source)
    sys.path.append(str(TESTS))
    try:
        for module, tables in MADE.items():
            for table in tables:
                found += list(getattr(importlib.import_module(module), table))
    finally:
        sys.path.remove(str(TESTS))
    return "\n".join(found)


def is_compared(space: str, name: str) -> bool:
    """Whether some test runs a call of this name in both libraries."""
    of, _, last = name.rpartition(".")
    pattern = WRITTEN.get(of or space, r"\.{}\b").format(re.escape(last))
    return re.search(pattern, _texts()) is not None
