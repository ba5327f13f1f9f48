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
            parts += _outputs(cell["outputs"], pictures, f"{path.stem}-{number}")
    title, _, rest = "\n\n".join(part for part in parts if part).partition("\n")
    return f"{title}\n\n*This page is a notebook: `examples/{path.name}` in the source tree.*\n{rest}\n"


def _outputs(outputs: list[dict[str, Any]], pictures: Path, name: str) -> list[str]:
    """What a cell shows: texts that follow one another as one block, and pictures."""
    parts: list[str] = []
    text = ""
    for k, output in enumerate(outputs):
        data = {"text/plain": output["text"]} if output["output_type"] == "stream" else output.get("data", {})
        shown = "".join(data.get("text/plain", ""))
        kind = next((kind for kind in KINDS if kind in data), None)
        if kind is None:
            text += shown.rstrip("\n") + "\n"
            continue
        parts += [_text(text), _picture("".join(data[kind]), kind, pictures / f"{name}-{k}.{KINDS[kind]}")]
        text = ""
    return [*parts, _text(text)]


def _picture(content: str, kind: str, file: Path) -> str:
    file.write_bytes(content.encode() if kind.endswith("xml") else base64.b64decode(content))
    return f"![What this cell draws](../images/{file.name})"


def _text(text: str) -> str:
    return f"```text\n{text.strip(chr(10))}\n```" if text.strip() else ""
