"""bench.history: what becomes a line, that each measurement becomes one once, and when a change is called one."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench import history
from bench.measurements import RULES, measurements

ROOT = Path(__file__).resolve().parents[1]
ABOUT = {"machine": "a chip", "cores": 2, "source": "abc123", "date": "2026-01-02"}


def line(values: list[float], **changes: Any) -> dict[str, Any]:
    """A line of seconds over rounds."""
    (found,) = history.lines("speed", {"about": ABOUT, "seconds": {"lenet.fit": values}})
    return found | changes


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(history, "RESULTS", tmp_path)
    return tmp_path


# ---- lines -------------------------------------------------------------------------------------------------------------


def test_a_line_says_when_where_what_and_how_much() -> None:
    assert line([1.0, 2.0, 4.0]) == {
        "date": "2026-01-02",
        "source": "abc123",
        "machine": "a chip, 2 cores",
        "what": "speed lenet.fit",
        "unit": "s",
        "by": "round",
        "n": 3,
        "mean": 2.33333,
        "spread": 1.52753,
        "values": [1.0, 2.0, 4.0],
    }


def test_others_are_ratios_to_ours_within_a_round() -> None:
    found = measurements("speed", {"seconds": {"lenet.fit": [1.0, 2.0], "torch.loop": [3.0, 10.0], "late": [1.0]}})
    assert [(one.what, one.unit, one.values) for one in found] == [
        ("speed lenet.fit", "s", [1.0, 2.0]),
        ("speed torch.loop / lenet.fit", "×", [3.0, 5.0]),
    ]


def test_a_weighed_share_keeps_its_own_standard_error() -> None:
    right = {"pages": 16, "digits": 999, "right": 0.9, "se": 0.02}
    (found,) = measurements(
        "pages", {"levels": {"clean": {"lenet": right, "tesseract": right}, "blank": {"lenet": {}}}}
    )
    assert (found.what, found.by, found.n, found.mean) == ("pages clean right", "page", 16, 0.9)
    assert found.spread / math.sqrt(found.n) == pytest.approx(0.02, rel=1e-12)


def test_a_result_without_a_date_gets_today_s_or_the_one_that_is_said() -> None:
    result = {"machine": {"cpu": "a chip", "threads": 2}, "runs": [{"accuracy": 0.99}, {"accuracy": 0.98}]}
    (said,) = history.lines("recipe_fast", result, {"date": "2026-01-01", "source": "f00"})
    assert (said["date"], said["source"], said["machine"]) == ("2026-01-01", "f00", "a chip, 2 cores")
    assert (said["what"], said["by"], said["values"]) == ("recipe_fast accuracy", "seed", [0.99, 0.98])
    (now,) = history.lines("recipe_fast", result)
    assert (now["date"] > "2026-01-01", bool(now["source"])) == (True, True)


def test_storing_a_result_adds_its_lines_once_and_only_among_the_stored_ones(results: Path) -> None:
    result = {"about": ABOUT, "seconds": {"lenet.fit": [1.0, 2.0]}}
    (results / "elsewhere").mkdir()
    history.store(results / "elsewhere" / "speed.json", result)
    assert not (results / history.NAME).exists()
    for _ in range(2):
        history.store(results / "speed.json", result)
        assert json.loads((results / "speed.json").read_text()) == result
    assert history.read() == [line([1.0, 2.0])]
    history.store(
        results / "speed.json", {"about": ABOUT | {"date": "2026-01-01"}, "seconds": {"lenet.fit": [3.0, 4.0]}}
    )
    assert [found["mean"] for found in history.read()] == [3.5, 1.5]  # by date
    assert history.append("recipe_search_fast", {"runs": []}) == 0  # holds no measurement


def test_the_newest_lines_are_what_the_stored_results_hold() -> None:
    newest = {found["what"]: found for found in history.read()}
    held = set()
    for file in sorted(history.RESULTS.glob("*.json")):
        since = {"date": "", "source": ""}
        for found in history.lines(file.stem, json.loads(file.read_text(encoding="utf-8")), since):
            held.add(found["what"])
            for key in ("unit", "by", "n", "mean", "spread", "values"):
                assert newest[found["what"]][key] == found[key], found["what"]
    assert {name.split()[0] for name in held} >= set(RULES) - {"seeds"}


# ---- change ------------------------------------------------------------------------------------------------------------


def test_rounds_are_compared_by_welch_s_test() -> None:
    before, after = [1.0, 1.1, 0.9, 1.05], [2.0, 2.2, 2.1]
    expected = stats.ttest_ind(before, after, equal_var=False).pvalue
    assert history.p_value(line(before), line(after)) == pytest.approx(expected, rel=1e-4)  # stored with six digits
    assert history.change(line(before), line(after)) == f"higher by 107.4% (p {expected:.1g})"
    assert history.change(line(after), line(before)).startswith("lower by 51.8% (p ")


def test_seeds_are_compared_in_pairs() -> None:
    before, after = [0.98, 0.99, 0.97, 0.96], [0.982, 0.9925, 0.9718, 0.9621]  # each a little better
    paired = stats.ttest_rel(after, before).pvalue
    first, second = (line(values, unit="share", by="seed") for values in (before, after))
    assert history.p_value(first, second) == pytest.approx(paired, rel=1e-6)
    assert paired < 0.01 < stats.ttest_ind(after, before, equal_var=False).pvalue
    assert history.change(first, second).startswith("higher by 0.21 points")
    assert history.change(first, first) == "no difference (p 1)"


def test_images_are_counted() -> None:
    first, second = (line([1.0], unit="share", by="image", n=100, mean=mean) for mean in (1.0, 0.9))
    expected = stats.fisher_exact([[100, 0], [90, 10]]).pvalue
    assert history.p_value(first, second) == pytest.approx(expected)
    assert history.change(first, second).startswith("lower by 10.00 points")


def test_a_change_that_chance_explains_is_no_difference() -> None:
    before, after = line([1.0, 1.2, 0.9, 1.1, 1.0]), line([1.2, 1.3, 1.05, 1.25, 1.2])
    assert 0.01 < history.p_value(before, after) < 0.05
    assert history.change(before, after).startswith("no difference (p 0.0")
    assert history.change(None, after) == "first"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (line([1.0]), line([2.0])),
        (line([1.0, 1.1]), line([2.0])),
        (line([1.0, 1.0]), line([2.0, 2.0])),
        (line([1.0, 1.1], by="seed"), line([2.0, 2.1], by="round")),
        (
            line([1.0, 1.1], by="seed", unit="share"),
            line([2.0, 2.1], by="seed", unit="share"),
        ),  # all by the same amount
        (line([1.0, 1.0], by="page"), line([0.8, 0.9], by="page")),  # every page alike
    ],
)
def test_too_few_values_show_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert history.change(before, after) == "no difference shown: too few values"


def test_times_of_another_machine_are_not_compared() -> None:
    before, after = line([1.0, 1.1, 1.0]), line([9.0, 9.1, 9.0], machine="b")
    assert history.change(before, after) == "not compared: measured on a chip, 2 cores"
    assert "higher" in history.change(before | {"unit": "share"}, after | {"unit": "share"})


# ---- showing it --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "changes", "text"),
    [
        ([0.80, 0.84], {}, "0.820 ± 0.020 s"),
        ([107.3], {}, "107 s"),
        ([0.99, 0.992], {"unit": "share"}, "99.10 ± 0.10 %"),
        ([1.0, 1.0], {"unit": "share"}, "100 %"),
        ([0.0, 0.0], {"unit": "share"}, "0.00 %"),
        ([120.0, 480.0], {"unit": "µs"}, "300 ± 180 µs"),
    ],
)
def test_figures_have_the_digits_that_their_error_allows(
    values: list[float], changes: dict[str, Any], text: str
) -> None:
    assert history.figures(line(values, **changes)) == text


def test_the_table_has_the_newest_or_on_request_every_line() -> None:
    lines = [line([1.0, 1.1, 1.0]), line([2.0, 2.1, 2.0], date="2026-01-03")]
    assert [row.split()[2] for row in history.shown(lines, False).splitlines()[1:]] == ["2026-01-03"]
    every = history.shown(lines, True).splitlines()
    assert [row.split()[2] for row in every[1:]] == ["2026-01-02", "2026-01-03"]
    assert every[1].endswith("first")
    assert "higher by 96.8%" in every[2]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "bench.history", *arguments]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"})


def test_the_command() -> None:
    assert "speed lenet.fit" in command().stdout
    shown = command("recipe_fast").stdout.splitlines()
    assert shown[0].split()[:3] == ["what", "date", "source"]
    assert {row.split()[0] for row in shown[1:]} == {"recipe_fast"}
    wrong = command("nothing of the kind")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "expected a part of a measurement's name; they begin with busy, calibration" in wrong.stderr
