"""Data sets that come as archives or under other names than MNIST's: where each file is, and proof that it is the published one.

As ``fetch`` it looks on this machine first, then goes to the authors' own sites; a file counts only with the MD5 that its
authors (or those who mirror it) publish. MD5 keeps out damage and mix-ups, not an attacker: what a file says is never run.
Read by ``vision.datasets`` and the command line.

The sums: CIFAR's from https://www.cs.toronto.edu/~kriz/cifar.html; those of KMNIST, QMNIST and EMNIST as torchvision's
``datasets/mnist.py`` lists them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lenet.data.fetch import Say, cache_folder
from lenet.disk.write import atomic_write
from lenet.messages.check import choice, message
from lenet.messages.progress import Progress
from lenet.messages.progress import say as _say

__all__ = ["ARCHIVES", "Archive", "File", "find", "folders", "named", "obtain"]

ANSWER_SECONDS = 10.0  # until a site begins to answer


class Archive(NamedTuple):
    """A data set's files as their authors publish them."""

    name: str
    title: str
    md5: Mapping[str, str]  # of each file, as it is downloaded
    sites: Sequence[str]  # folders that hold the files
    paddle: str = ""  # the folder in Paddle's cache that holds them


class File(NamedTuple):
    """A file on this machine, proven, and how a person would call the place."""

    path: str
    line: str


def _idx_files(train_images: str, train_labels: str, test_images: str, test_labels: str) -> dict[str, str]:
    return {
        "train-images-idx3-ubyte.gz": train_images,
        "train-labels-idx1-ubyte.gz": train_labels,
        "t10k-images-idx3-ubyte.gz": test_images,
        "t10k-labels-idx1-ubyte.gz": test_labels,
    }


ARCHIVES = {
    archive.name: archive
    for archive in (
        Archive(
            "cifar10",
            "CIFAR-10",
            {"cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a"},
            ("https://www.cs.toronto.edu/~kriz/", "https://dataset.bj.bcebos.com/cifar/"),
            "cifar",
        ),
        Archive(
            "cifar100",
            "CIFAR-100",
            {"cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85"},
            ("https://www.cs.toronto.edu/~kriz/", "https://dataset.bj.bcebos.com/cifar/"),
            "cifar",
        ),
        Archive(
            "kmnist",
            "Kuzushiji-MNIST",
            _idx_files(
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ),
            ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        ),
        Archive(
            "qmnist",
            "QMNIST",
            {
                "qmnist-train-images-idx3-ubyte.gz": "ed72d4157d28c017586c42bc6afe6370",
                "qmnist-train-labels-idx2-int.gz": "0058f8dd561b90ffdd0f734c6a30e5e4",
                "qmnist-test-images-idx3-ubyte.gz": "1394631089c404de565df7b7aeaf9412",
                "qmnist-test-labels-idx2-int.gz": "5b5b05890a5e13444e108efe57b788aa",
            },
            ("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
        ),
        Archive(
            "emnist",
            "EMNIST",
            {"gzip.zip": "58c8d27c78d21e728a6bc7b3cc06412e"},
            ("https://biometrics.nist.gov/cs_links/EMNIST/", "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/"),
        ),
    )
}


def folders(name: str, environ: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Where a set's files may lie on this machine, in order: (folder, how a person would call it). Touches nothing."""
    archive = ARCHIVES[choice("data set", name, ARCHIVES)]
    env = os.environ if environ is None else environ
    found = []
    if env.get("LENET_DATA"):
        root = os.path.abspath(env["LENET_DATA"])
        found += [(os.path.join(root, name), f"LENET_DATA ({root})"), (root, f"LENET_DATA ({root})")]
    cache = os.path.join(cache_folder(), name)
    found.append((cache, f"the cache ({cache})"))
    if archive.paddle:
        paddle = os.path.join(os.path.expanduser("~"), ".cache", "paddle", "dataset", archive.paddle)
        found.append((paddle, f"Paddle's cache ({paddle})"))
    return found


def find(name: str, file: str, *, say: Say = _say) -> File | None:
    """The file on this machine, proven; None if there is none. ``say`` is told of a damaged one that is passed over."""
    archive = ARCHIVES[choice("data set", name, ARCHIVES)]
    for folder, line in folders(name):
        path = os.path.join(folder, file)
        if os.path.isfile(path):
            seen = _md5_of(path)
            if seen == archive.md5[file]:
                return File(path, line)
            say(f"{archive.title}: passing over {path}: MD5 {seen[:12]}… instead of {archive.md5[file][:12]}…")
    return None


def obtain(name: str, file: str, *, download: bool = True, say: Say = _say) -> File:
    """The file from this machine, or from its authors' sites into the cache. RuntimeError naming the ways to bring it."""
    here = find(name, file, say=say)
    if here is not None:
        return here
    archive = ARCHIVES[name]
    failures = []
    if download:
        from lenet.data.download import Transfer

        for site in archive.sites:
            job = Transfer(site + file)
            with Progress(f"{archive.title} {file}", unit="MB", scale=1e6) as bar:
                raw = job.run(ANSWER_SECONDS, bar)
            problem = job.problem
            if raw is not None:
                seen = _md5(raw)
                if seen == archive.md5[file]:
                    path = os.path.join(cache_folder(), name, file)
                    atomic_write(path, raw)
                    say(f"{archive.title}: fetched {file} from {site} into {os.path.dirname(path)}")
                    return File(path, site)
                problem = f"wrong checksum: MD5 {seen[:12]}… instead of {archive.md5[file][:12]}…"
            failures.append(f"  {site}: {problem}")
    head = f"{archive.title} is not on this machine, and no download brought it:"
    tried = failures or ["  downloading was not allowed"]
    ways = [
        f"put {file} (MD5 {archive.md5[file]}) into {os.path.join(cache_folder(), name)}",
        f"set LENET_DATA to a folder that holds {file}",
        "name the file: data_file=... in Python" if len(archive.md5) == 1 else "name the files in Python",
    ]
    text = [head, *tried, "Any of these brings it:", *(f"  {i}. {way}" for i, way in enumerate(ways, 1))]
    raise RuntimeError("\n".join(text))


def _md5(content: bytes) -> str:
    import hashlib

    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _md5_of(path: str) -> str:
    import hashlib

    total = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            total.update(piece)
    return total.hexdigest()


def named(path: str | os.PathLike[str]) -> File:
    """A file that a user named, whatever it holds. FileNotFoundError if there is none."""
    text = os.path.abspath(os.fspath(path))
    if not os.path.isfile(text):
        fix = "Check the path for a misspelling."
        raise FileNotFoundError(message("data file", f"{text}, which does not exist", "a file", fix))
    return File(text, text)
