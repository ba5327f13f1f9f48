"""Fixtures that several test files share: real Paddle, MNIST's files as plain and as gzipped IDX, a trained model,
a browser.

Tests that need a program of the system skip without it and name its package; with LENET_REQUIRE_ALL set, as where every
program is known to be there, a skip is a failure.
"""

from __future__ import annotations

import gzip
import os
import shutil
import warnings
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pen import Pen

import lenet
from lenet.data import fetch, idx
from lenet.train import Trained, train
from lenet.train.data import load, split


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("LENET_REQUIRE_ALL"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped although LENET_REQUIRE_ALL is set: {reason}"
    return report


@pytest.fixture(scope="session")
def paddle() -> ModuleType:
    """Real Paddle; its import warns of a compiler cache that nobody needs here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import paddle
    return paddle


@pytest.fixture(scope="session")
def mnist_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MNIST's four files, plain: from ``LENET_DATA`` or the cache, else fetched once."""
    obtained = fetch.obtain("mnist")
    folders = {Path(path).parent for path in obtained.source.paths.values()}
    if len(folders) == 1 and all(Path(path).name in fetch.FILES.values() for path in obtained.source.paths.values()):
        return folders.pop()
    folder = tmp_path_factory.mktemp("mnist")
    for part, content in obtained.contents.items():
        content.tofile(folder / fetch.FILES[part])
    return folder


@pytest.fixture(scope="session")
def mnist_gz_dir(mnist_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same files gzipped, the only form that Paddle reads."""
    folder = tmp_path_factory.mktemp("mnist-gz")
    for name in fetch.FILES.values():
        with open(mnist_dir / name, "rb") as plain, gzip.open(folder / f"{name}.gz", "wb", compresslevel=1) as packed:
            shutil.copyfileobj(plain, packed)
    return folder


@pytest.fixture(scope="session")
def small_mnist(mnist_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four IDX files in MNIST's form: its first 2,400 training and 500 test images."""
    folder = tmp_path_factory.mktemp("small-mnist")
    for part, name in fetch.FILES.items():
        content = idx.read(mnist_dir / name)
        read = idx.images if part.endswith("images") else idx.labels
        idx.write(folder / name, read(content, name)[: 2400 if part.startswith("train") else 500])
    return folder


@pytest.fixture(scope="session")
def model(small_mnist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model that knows its small test set fairly well."""
    out = tmp_path_factory.mktemp("model") / "digits.safetensors"
    train("fast", data=small_mnist, epochs=8, out=out, say=lambda text: None)
    return out


@pytest.fixture(scope="session")
def digit(model: Path, small_mnist: Path) -> tuple[NDArray[np.uint8], str]:
    """A test image, uint8 [28, 28], that the model reads right, and its label."""
    files = fetch.given(small_mnist)
    images, labels = idx.read_pair(files["test-images"], files["test-labels"])
    shares = Trained.load(model).probabilities(images[:50])
    at = int(np.argmax(shares[np.arange(50), labels[:50]]))
    assert shares[at].argmax() == labels[at]
    return images[at], str(labels[at])


@pytest.fixture(scope="session")
def held() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """MNIST's 5,000 held-out training images, uint8 [N, 28, 28], and their labels."""
    digits = load("mnist").train
    which = split(digits.labels, 1 / 12)[1]
    return digits.images[which, 0], digits.labels[which]


@pytest.fixture(scope="session")
def pen(held: tuple[NDArray[np.uint8], NDArray[np.int64]]) -> Pen:
    """Writes pages of held-out digits."""
    return Pen(*held)


@pytest.fixture(scope="session")
def chromium() -> Generator[Any, None, None]:
    """A real browser, playwright's ``Browser``."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None, None, None]:
    """An empty working folder, a terminal of 100 columns, and afterwards the threads as they were."""
    threads = lenet.get_num_threads()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("LENET_DEBUG", raising=False)
    yield
    lenet.set_num_threads(threads)
