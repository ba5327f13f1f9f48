"""The reference: every public name with its signature and its docstring, out of the package as Python imports it.

Half of the functions are made of the table of operations when lenet is imported, so that a tool which reads source alone doesn't
see them. Which modules are public stands in tests/golden/public_surface.txt. A module's page has a heading for each name; a
class's own methods and properties follow it. A second name for something says so and no more. Read by stage.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden" / "public_surface.txt"
OF_ARRAYS = "lenet.autograd.array_rows"
WIDE = 100  # characters of a signature on one line


def public_modules() -> list[str]:
    """Dotted names, ``lenet`` first."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("module ") for line in lines if line.startswith("module ")]


def module(dotted: str) -> types.ModuleType:
    """A public module by the path that a user types; some have a file of another name."""
    found: types.ModuleType = importlib.import_module("lenet")
    for part in dotted.split(".")[1:]:
        found = getattr(found, part)
    return found


def names(of: types.ModuleType) -> list[str]:
    """A module's public names, modules within it left out."""
    listed = getattr(of, "__all__", None) or [name for name in vars(of) if not name.startswith("_")]
    return [name for name in listed if not isinstance(getattr(of, name), types.ModuleType)]


def pages() -> dict[str, str]:
    """File name and text of each page."""
    found = {}
    rows = []
    for dotted in public_modules():
        of = module(dotted)
        own = names(of)
        if dotted == "lenet":  # hundreds of functions of tensors, and the largest class: pages of their own
            of_arrays = set(sys.modules[OF_ARRAYS].__all__)
            found["tensors.md"] = _page("Functions of tensors", of, dotted, list(of_arrays), TENSORS)
            found["tensor.md"] = _page("lenet.Tensor", of, dotted, ["Tensor"], "")
            own = [name for name in own if name not in of_arrays and name != "Tensor"]
            rows.append(_row("lenet.Tensor", "tensor.md", inspect.getdoc(of.Tensor) or ""))
            rows.append(_row("lenet: functions of tensors", "tensors.md", TENSORS))
        name = f"{dotted}.md"
        found[name] = _page(dotted, of, dotted, own, inspect.getdoc(of) or "")
        rows.append(_row(dotted, name, inspect.getdoc(of) or ""))
    table = "\n".join(["| module | what is in it |", "|---|---|", *rows])
    found["index.md"] = f"# Reference\n\nEvery public name, from the docstrings of lenet itself.\n\n{table}\n"
    return found


TENSORS = (
    "Functions that take and give tensors: `lenet.abs(x)`, `lenet.matmul(a, b)`. Most are methods of `Tensor` too."
)


def _row(shown: str, name: str, doc: str) -> str:
    first = re.split(r"(?<=\.)\s", _markdown(doc).replace("\n", " ").strip())[0]
    first = re.sub(r" \(Paddle: [^)]*\)", "", first.removeprefix("lenet: "))
    return f"| [{shown}]({name}) | {first.replace('|', '&#124;')} |"


def _page(title: str, of: types.ModuleType, dotted: str, listed: list[str], doc: str) -> str:
    lines = [f"# {title}", "", _markdown(doc), ""]
    first: dict[int, str] = {}
    values = []
    for name in sorted(listed, key=str.lower):
        value = getattr(of, name)
        if not callable(value):
            values.append(name)
            continue
        same = first.setdefault(id(value), name)
        lines += _heading(2, name, f"{dotted}.{name}")
        if same != name:
            lines += [f"The same as [`{same}`](#{dotted}.{same}).", ""]
            continue
        lines += _entry(f"{dotted}.{name}", value)
        if isinstance(value, type):
            for key, member in sorted(_members(value), key=lambda pair: pair[0].lower()):
                lines += _heading(3, f"{name}.{key}", f"{dotted}.{name}.{key}")
                lines += _entry(f"{name}.{key}", member)
    if values:
        lines += ["## Values", "", ", ".join(f"`{dotted}.{name}`" for name in values), ""]
    return "\n".join(lines)


def _heading(level: int, shown: str, anchor: str) -> list[str]:
    return [f"{'#' * level} `{shown}` {{ #{anchor} }}", ""]


def _entry(shown: str, value: object) -> list[str]:
    doc = inspect.getdoc(value) or ""
    signature = [] if isinstance(value, property) else ["```python", _signature(shown, value), "```", ""]
    return [*signature, _markdown(doc), ""]


def _signature(shown: str, value: object) -> str:
    """As a caller types it, without annotations; one parameter a line where it is long."""
    try:
        found = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return f"{shown}(...)"
    parts, star = [], False
    for p in found.parameters.values():
        if p.name == "self":
            continue
        if p.kind is p.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or p.kind is p.VAR_POSITIONAL
        default = getattr(p.default, "__name__", "...") if " at 0x" in repr(p.default) else p.default
        plain = p.replace(annotation=inspect.Parameter.empty, default=default)
        parts.append(str(plain).replace("'...'", "..."))
    line = f"{shown}({', '.join(parts)})"
    return line if len(line) <= WIDE else f"{shown}(\n    " + ",\n    ".join(parts) + ",\n)"


def _members(cls: type) -> Iterator[tuple[str, object]]:
    """A class's public methods and properties with a docstring, those that it alone has."""
    for key, value in vars(cls).items():
        if key.startswith("_"):
            continue
        if isinstance(value, property):
            shown: object = value
        elif callable(value) or isinstance(value, (staticmethod, classmethod)):
            shown = getattr(cls, key)
        else:
            continue
        if getattr(shown, "__doc__", None):  # of its own: what it takes over says the class before it
            yield key, shown


_CODE = re.compile(r"(``.+?``|`[^`\n]+`)", re.DOTALL)


def _markdown(doc: str) -> str:
    """A docstring as Markdown that looks as it reads: brackets, stars and < are meant; what is indented by four is code."""
    blocks = []
    for block in re.split(r"\n\s*\n", doc):
        if block.startswith("    "):
            blocks.append(f"```text\n{inspect.cleandoc(block)}\n```")
            continue
        parts = _CODE.split(block)
        for k in range(0, len(parts), 2):
            parts[k] = re.sub(r"([\[\]*_])", r"\\\1", parts[k].replace("&", "&amp;").replace("<", "&lt;"))
        blocks.append(re.sub(r"^(\s*)([#>+]|\d+\.)(?=\s)", r"\1\\\2", "".join(parts), flags=re.MULTILINE))
    return "\n\n".join(blocks)
