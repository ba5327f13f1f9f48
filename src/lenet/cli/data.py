"""``lenet data``: which data sets there are, where they lie on this machine, getting them and checking them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from lenet.cli.shared import exit_codes, print_json, show
from lenet.data import archives, fetch
from lenet.messages.check import choice
from lenet.messages.progress import say

__all__ = ["COMMANDS", "HELP"]

HELP = """List, fetch and check the published data sets: MNIST and its kin, CIFAR.

Each file is looked for on this machine first (LENET_DATA, the cache, Paddle's cache), then on its authors' sites, and
counts only with the checksum that is published for it. `lenet data get mnist` is all that most people need."""

_Name = Annotated[str, typer.Argument(help="A data set, as `lenet data list` names it.", metavar="NAME")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")]


def _names() -> list[str]:
    return [*fetch.PUBLISHED, *archives.ARCHIVES]


def _title(name: str) -> str:
    known: Any = fetch.PUBLISHED.get(name) or archives.ARCHIVES[name]
    return str(known.title)


def _files(name: str, quiet: bool = False) -> dict[str, str]:
    """Each file of a set and where it is, "" where it isn't. Damaged files count as missing, and are said unless quiet."""
    told: Callable[[str], None] = (lambda text: None) if quiet else say
    if name in fetch.PUBLISHED:
        found = {}
        for part, file in fetch.FILES.items():
            source = fetch.find(name, [part], say=told)
            found[file] = source.paths[part] if source else ""
        return found
    places = {file: archives.find(name, file, say=told) for file in archives.ARCHIVES[name].md5}
    return {file: place.path if place else "" for file, place in places.items()}


def _checked(name: str) -> str:
    return choice("data set", name, _names())


def list_sets(as_json: _Json = False) -> None:
    """List the data sets that lenet knows, and whether each is on this machine.

    Examples:

    - `lenet data list`
    """
    with exit_codes():
        found = {}
        for name in _names():
            paths = _files(name, quiet=True)
            found[name] = {"title": _title(name), "files": len(paths), "here": sum(map(bool, paths.values()))}
        if as_json:
            print_json(found)
            return
        for name, about in found.items():
            whole = about["here"] == about["files"]
            state = (
                "here" if whole else f"{about['here']} of {about['files']} files here" if about["here"] else "not here"
            )
            show(f"{name:<14} {about['title']:<16} {state}")


def get(name: _Name) -> None:
    """Bring a data set to this machine: from where it lies already, or from its authors' sites into the cache.

    Examples:

    - `lenet data get mnist`

    - `lenet data get cifar10`
    """
    with exit_codes():
        _checked(name)
        if name in fetch.PUBLISHED:
            show(fetch.obtain(name).source.line)
            return
        for file in archives.ARCHIVES[name].md5:
            place = archives.obtain(name, file)
            show(f"{file} in {place.path}")


def verify(name: _Name, as_json: _Json = False) -> None:
    """Check a data set's files on this machine against their published checksums. Exit code 1 if one is missing or damaged.

    Examples:

    - `lenet data verify mnist`
    """
    with exit_codes():
        found = _files(_checked(name))
        if as_json:
            print_json({file: bool(path) for file, path in found.items()})
        else:
            for file, path in found.items():
                show(f"{'as published' if path else 'missing':<13} {path or file}")
        if not all(found.values()):
            raise typer.Exit(1)


def where(name: _Name, as_json: _Json = False) -> None:
    """Say where a data set's files lie on this machine, and where else they are looked for.

    Examples:

    - `lenet data where mnist`
    """
    with exit_codes():
        found = _files(_checked(name), quiet=True)
        looked = _places(name)
        if as_json:
            print_json({"files": found, "places": looked})
            return
        for file, path in found.items():
            show(path or f"{file}: not on this machine")
        show("Looked for in: " + "; ".join(looked))


def _places(name: str) -> list[str]:
    if name in fetch.PUBLISHED:
        return [place.line for place in fetch.places_here(name)]
    sites = list(archives.ARCHIVES[name].sites)
    return [*dict.fromkeys(line for _, line in archives.folders(name)), *sites]


COMMANDS: dict[str, Callable[..., None]] = {"list": list_sets, "get": get, "verify": verify, "where": where}
