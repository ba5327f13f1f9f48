"""A notebook as a page: its text, its code and what it printed and drew when it was last run. Nothing is run here."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

KINDS = {"image/webp": "webp", "image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}


def page(path: Path, pictures: Path) -> str:
    """The Markdown of a notebook; its pictures are written into a folder beside the page's own."""
    parts: list[str] = []
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source.replace("](../docs/", "](../"))
        elif cell["cell_type"] == "code":
            parts.append(f"```python\n{source}\n```")
            for k, output in enumerate(cell["outputs"]):
                parts.append(_output(output, pictures, f"{path.stem}-{number}-{k}"))
    note = f"*This page is a notebook: [examples/{path.name}]({path.name}) in the source tree.*"
    title, _, rest = "\n\n".join(part for part in parts if part).partition("\n")
    return f"{title}\n\n{note.replace(f'[examples/{path.name}]({path.name})', f'`examples/{path.name}`')}\n{rest}\n"


def _output(output: dict[str, Any], pictures: Path, name: str) -> str:
    if output["output_type"] == "stream":
        return _text("".join(output["text"]))
    data = output.get("data", {})
    for kind, suffix in KINDS.items():
        if kind in data:
            content = "".join(data[kind])
            raw = content.encode() if kind.endswith("xml") else base64.b64decode(content)
            (pictures / f"{name}.{suffix}").write_bytes(raw)
            shown = "".join(data.get("text/plain", ""))
            return f"![{_words(shown)}](../images/{name}.{suffix})"
    return _text("".join(data.get("text/plain", "")))


def _text(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```" if text.strip() else ""


def _words(shown: str) -> str:
    """A picture's text; what an object prints of itself is none."""
    return "What this cell draws" if shown.startswith("<") or not shown else shown.strip("'\"")
