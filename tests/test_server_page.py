"""The server of docs/threads.md: one network for all requests, the answers of ``read``, a sentence for what is no picture."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lenet.reading import read

DOCS = Path(__file__).resolve().parents[1] / "docs"
EXAMPLE = DOCS / "images" / "reading-example.jpg"


@pytest.fixture(scope="module")
def app() -> Any:
    text = (DOCS / "threads.md").read_text(encoding="utf-8")
    block = next(code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "FastAPI" in code)
    names: dict[str, Any] = {"__name__": "server"}
    exec(block, names)
    return names["app"]


def ask(app: Any, picture: bytes, times: int = 1) -> list[Any]:
    """The answers to so many requests at once."""
    import httpx

    async def all_of_them() -> list[Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
            headers = {"Content-Type": "image/jpeg"}
            return await asyncio.gather(*(client.post("/read", content=picture, headers=headers) for _ in range(times)))

    with ThreadPoolExecutor(1) as thread:  # the browser that other tests drive has a loop running in this one
        return thread.submit(lambda: asyncio.run(all_of_them())).result()


def test_requests_at_once_get_what_read_gives(app: Any) -> None:
    picture = EXAMPLE.read_bytes()
    answers = ask(app, picture, 16)
    assert [answer.status_code for answer in answers] == [200] * 16
    assert all(answer.json() == read(picture).as_json() for answer in answers)


@pytest.mark.parametrize("picture", [b"no picture", EXAMPLE.read_bytes()[:600]])
def test_what_is_no_picture_is_a_sentence(app: Any, picture: bytes) -> None:
    (answer,) = ask(app, picture)
    assert answer.status_code == 422
    assert "expected" in answer.json()["detail"]


def test_nothing_is_refused_too(app: Any) -> None:
    assert ask(app, b"")[0].status_code == 422
