"""The benchmark's own rules, on known numbers and tiny peers: no library is installed and nothing long is timed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench import cold, environments, footprint, machine, report, runner, tables, works
from bench.__main__ import EVERYTHING, busy, destination
from bench.environments import Absent

ROOT = machine.ROOT
PEERS = ROOT / "bench" / "peers"
WORKS = [work for suite in works.SUITES.values() for work in suite] + cold.WORKS
ABOUT = {"machine": "A CPU", "cores": 2, "source": "0", "rounds": 3, "date": "2026-01-01", "versions": {}, "absent": {}}
STEADY = {"before": {"gflops": {"1": 100.0}}, "after": {"gflops": {"1": 101.0}}, "moved": 0.01, "steady": True}


# ---- ratios


def test_a_ratio_is_taken_within_a_round() -> None:
    # The machine is slow in round 2. Medians taken first and divided after would give 10 / 2 = 5.
    found = runner.ratios({"lenet.a": [1.0, 4.0, 2.0], "torch.b": [2.0, 16.0, 10.0]})
    assert found == {"torch.b / lenet.a": {"median": 4.0, "min": 2.0, "max": 5.0}}


def test_a_ratio_is_to_each_of_ours_and_of_no_others() -> None:
    found = runner.ratios({"lenet.a": [1.0], "lenet.b": [2.0], "jax.c": [4.0], "torch.d": [6.0]})
    assert {key: values["median"] for key, values in found.items()} == {
        "jax.c / lenet.a": 4.0,
        "torch.d / lenet.a": 6.0,
        "jax.c / lenet.b": 2.0,
        "torch.d / lenet.b": 3.0,
    }


def test_rounds_of_unequal_number_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        runner.ratios({"lenet.a": [1.0, 2.0], "torch.b": [2.0]})


def test_the_slowdown_is_taken_pair_by_pair() -> None:
    assert works.slowdown([1.0, 2.0, 4.0], [3.0, 4.0, 20.0]) == {"median": 3.0, "min": 2.0, "max": 5.0}


@pytest.mark.parametrize(("after", "steady"), [(104.0, True), (106.0, False), (94.0, False)])
def test_a_machine_whose_peak_moved_is_not_steady(after: float, steady: bool) -> None:
    judged = machine.judged({"gflops": {"1": 50.0, "2": 100.0}}, {"gflops": {"1": 50.0, "2": after}})
    assert judged["steady"] is steady
    assert judged["moved"] == pytest.approx(abs(after - 100) / 100)  # one division's rounding


# ---- peers

GOOD = """
from _serve import serve
serve({"two": lambda: 2, "peak": lambda: print("chatter")}, "1.5")
"""
BAD = """
import os
from _serve import serve
count = []
def once():
    count.append(0)
    if len(count) > 2: os._exit(3)
def wrong(): raise ValueError("no such\\n thing")
serve({"wrong": wrong, "once": once}, "2.5")
"""


@pytest.fixture
def peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for bench/peers; what is written there as NAME_peer.py can be started."""
    monkeypatch.setattr(runner, "PEERS", tmp_path)
    return tmp_path


def started(folder: Path, name: str, code: str) -> runner.Peer:
    (folder / f"{name}_peer.py").write_text(code, encoding="utf-8")
    return runner.Peer(name, sys.executable, {"PYTHONPATH": str(PEERS)})


def test_a_peer_answers(peers: Path) -> None:
    with started(peers, "good", GOOD) as peer:
        assert peer.version == "1.5"
        answer = peer.run("two")
        assert answer["result"] == 2
        assert answer["seconds"] >= 0
        assert answer["memory"] > 1
        assert peer.run("peak")["result"] is None  # what a work prints doesn't come between the answers
    assert peer.process.returncode == 0


def test_a_work_that_fails_is_absent_with_its_reason_and_the_others_stand(peers: Path) -> None:
    absent: dict[str, str] = {}
    with started(peers, "good", GOOD) as good, started(peers, "bad", BAD) as bad:
        wanted = [("good", "two"), ("bad", "wrong"), ("bad", "once"), ("gone", "x")]
        answers = runner.measure(wanted, {"good": good, "bad": bad}, 3, absent)
    # "once" answers unmeasured and in round 1, and takes its process with it in round 2.
    assert absent == {"bad.wrong": "ValueError: no such thing", "bad.once": "its process ended with exit code 3"}
    assert list(answers) == ["good.two"]
    assert [answer["result"] for answer in answers["good.two"]] == [2, 2, 2]


def test_a_process_that_has_ended_is_absent_whenever_it_is_asked(peers: Path) -> None:
    with started(peers, "bad", BAD) as peer:
        peer.process.kill()
        peer.process.wait()
        for _ in range(2):
            with pytest.raises(Absent, match="ended"):
                peer.run("once")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(7)", "its process ended with exit code 7"),
        ("print('Welcome to the library')", "it printed 'Welcome to the library' between its answers"),
    ],
)
def test_a_peer_that_does_not_start_is_absent(peers: Path, code: str, reason: str) -> None:
    with pytest.raises(Absent, match=re.escape(reason)):
        started(peers, "other", code)


def test_a_system_program_that_is_missing_makes_a_peer_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Absent, match="needs clang: apt install clang"):
        environments.environment("tinygrad")


def test_a_library_that_cannot_be_imported_is_absent_from_the_footprint() -> None:
    absent: dict[str, str] = {}
    pythons = {"lenet": sys.executable, "no_such_library": sys.executable}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(footprint, "WORKS", {})  # imports alone: nobody trains here
        found = footprint.measure(pythons, {}, 1, absent, own=False)
    assert absent == {"no_such_library": "import no_such_library failed"}
    assert set(found["import"]) == {"lenet", "numpy", "python"}


def test_busy_runs_alone_and_beside_a_burner_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.__main__.time.sleep", lambda seconds: None)

    class Fake:
        name = "lenet"
        seconds = iter([9.0, 1.0, 2.0, 2.0, 6.0])  # the first is unmeasured

        def run(self, work: str) -> dict[str, Any]:
            assert work == "fit"
            return {"seconds": next(self.seconds)}

    result = busy(Fake(), 2)  # type: ignore[arg-type]
    assert (result["alone"], result["beside"]) == ([1.0, 2.0], [2.0, 6.0])
    assert result["slowdown"] == {"median": 2.5, "min": 2.0, "max": 3.0}


def test_cold_counts_the_runs_that_are_accurate_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def once(name: str, python: str, data: Path, seed: int) -> tuple[float, dict[str, Any]]:
        if name == "lenet":
            return 2.0, {"test": {"accuracy": [0.993, 0.98, 0.99][seed]}}
        if seed == 2 and python == "dies":
            raise Absent("no memory")
        return 6.0, {"accuracy": 0.99, "version": "2.0"}

    monkeypatch.setattr(cold, "once", once)
    versions: dict[str, str] = {}
    result = cold.measure({"lenet": "", "torch": ""}, Path(), 3, {}, versions)
    assert result["enough"] == {"lenet.train": 2, "torch.cold": 3}
    assert result["ratios"]["torch.cold / lenet.train"]["median"] == 3.0
    assert versions == {"torch": "2.0"}
    absent: dict[str, str] = {}
    result = cold.measure({"lenet": "", "torch": "dies"}, Path(), 3, absent, versions)
    assert absent == {"torch.cold": "no memory"}
    assert list(result["seconds"]) == list(result["accuracy"]) == list(result["enough"]) == ["lenet.train"]


# ---- what is named


@pytest.mark.parametrize(("name", "work"), [*WORKS, *footprint.WORKS.items()])
def test_every_work_has_a_title_a_file_that_serves_it_and_an_environment(name: str, work: str) -> None:
    assert f"{name}.{work}" in report.NAMES
    assert name in environments.REQUIREMENTS
    if work == "cold":
        assert (PEERS / f"{name}_cold.py").exists()
    elif (name, work) in works.OTHERS:
        served = "**works(" if name == "onnxruntime" else "**WORKS"
        assert served in (PEERS / f"{name}_peer.py").read_text(encoding="utf-8")
    elif work != "train":  # that is our command line
        assert f'"{work}": ' in (PEERS / f"{name}_peer.py").read_text(encoding="utf-8")


def test_every_title_is_of_a_work_and_every_suite_has_a_table() -> None:
    assert set(report.NAMES) == {f"{name}.{work}" for name, work in WORKS}
    assert set(report.LIBRARIES) == set(environments.REQUIREMENTS) | {"numpy", "python"}
    assert set(report.TABLES) == set(EVERYTHING)
    for suite in report.TABLES:
        assert tables.TABLES[suite]


def test_every_peer_has_a_row_on_the_page() -> None:
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    for packages in (each for name, each in environments.REQUIREMENTS.items() if name != "lenet"):
        assert f"`{packages[0].split('==')[0]}`" in page


# ---- tables


def synthetic(suite: str) -> dict[str, Any]:
    """A result with ours and PyTorch's works of a suite; the other libraries' are missing."""
    keys = [f"{name}.{work}" for name, work in works.SUITES.get(suite, cold.WORKS) if name in ("lenet", "torch")]
    answers = {
        key: [
            {"seconds": n * (3.0 if key.startswith("torch") else 1.0), "result": 0.99, "memory": 1.0}
            for n in (1.0, 2.0, 3.0)
        ]
        for key in keys
    }
    about = ABOUT | {"versions": {"lenet": "0.1.0", "torch": "2.0.0+cpu"}, "absent": {"jax": "no wheel"}}
    seconds = {key: [answer["seconds"] for answer in each] for key, each in answers.items()}
    width = [{"width": n, "train": 400.0 * n, "gflops": 90.0} for n in (1, 2)]
    body = {
        "cold": lambda: {
            "seconds": seconds,
            "accuracy": {key: [0.985, 0.99, 0.995] for key in seconds},
            "enough": dict.fromkeys(seconds, 2),
            "ratios": runner.ratios(seconds),
        },
        "footprint": lambda: {
            "import": {"lenet": [0.1], "opencv": [0.3], "numpy": [0.05], "python": [0.01]},
            "memory": {"lenet": 200.0},
            "size": {"lenet": {"environment": 70.0, "module": 4.0}},
        },
        "busy": lambda: {
            "alone": [1.0, 2.0, 3.0],
            "beside": [2.0, 4.0, 6.0],
            "slowdown": {"median": 2.0, "min": 2.0, "max": 2.0},
        },
        "kernels": lambda: {
            "rows": [
                {"name": "conv", "seconds": 0.5, "share": 0.5, "needed": 25.0, "done": 12.5, "gflops": 50.0},
                {"name": "load", "seconds": 0.5, "share": 0.5, "needed": 0.0, "done": 0.0, "gflops": None},
            ],
            "epoch": {"seconds": 2.0, "seconds_with_clock": 2.0, "gflops": 50.5, "work": 101.0, "done": 50.5},
            "networks": {
                "vgg": {
                    "rows": [{"name": "conv", "seconds": 1.0, "share": 1.0, "needed": 1.0, "done": 0.5, "gflops": 1.0}],
                    "epoch": {"seconds": 1.0, "seconds_with_clock": 1.0, "gflops": 1.0, "work": 1.0, "done": 0.5},
                }
            },
            "copy": 20.0,
            "level": "v4",
        },
        "growth": lambda: {
            "batch": [{"batch": n, "train": 400.0, "train_all": 300.0, "answer": 100.0} for n in (1, 16, 2048)],
            "samples": [{"samples": n, "train": 400.0} for n in (1000, 60000)],
            "width": width,
            "threads": [{"threads": n, "train": 400.0 / n} for n in (1, 2)],
            "threads_used": 1,
        },
    }
    if suite == "image":
        for each in answers.values():
            for answer in each:
                answer["result"] = {"p50": 10 * answer["seconds"], "p99": 20 * answer["seconds"]}
    kept = works.kept(suite, answers) if suite in works.SUITES else body[suite]()
    return {"about": about, "peak": STEADY, **kept}


ROW = {
    "speed": "| PyTorch 2.0.0, own loop, data in memory | 6.00 | 3.0× (3.0–3.0) |",
    "evaluate": "| PyTorch 2.0.0 | 6.000 | 3.0× (3.0–3.0) |",
    "image": "| PyTorch 2.0.0 | 60 | 120 | 3.0× (3.0–3.0) |",
    "networks": "| PyTorch 2.0.0: small VGG, training | 6.000 | 3.0× (3.0–3.0) |",
    "cold": "| PyTorch 2.0.0, a tuned script | 6.00 | 2 of 3 | 98.50 % | 3.0× (3.0–3.0) |",
    "footprint": "| **lenet** | 0.10 | 200 | 70 | 4 |\n| OpenCV | 0.30 | – | – | – |",
    "busy": "takes 2.00 s alone and 4.00 s beside a process that burns one core: 2.0× (2.0–2.0).",
    "kernels": "| conv | 25 | 12.5 | 50 | 50% | 25% | 50.0% |\n| load | – | – | – | – | – | 50.0% |",
    "growth": "| 2,048 | 400 | 300 | 100 |",
}


@pytest.mark.parametrize("suite", EVERYTHING)
def test_a_result_renders(suite: str) -> None:
    text = report.TABLES[suite](synthetic(suite))
    assert ROW[suite] in text
    assert "Absent: jax (no wheel)." in text
    assert "on 2 cores of A CPU, 2026-01-01." in text
    assert "not steady" not in text
    for table in re.findall(r"(?:^\|.*\|\n?)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table  # as many cells in each row


@pytest.mark.parametrize("suite", EVERYTHING)
def test_a_result_says_that_the_machine_was_not_steady(suite: str) -> None:
    result = synthetic(suite)
    result["peak"] = result["peak"] | {"steady": False, "moved": 0.23}
    assert "**The machine was not steady: its peak moved by 23%.**" in report.TABLES[suite](result)


@pytest.mark.parametrize("suite", works.SUITES)
def test_a_result_of_us_alone_renders(suite: str) -> None:
    result = synthetic(suite)
    values = [result["p50"], result["p99"]] if suite == "image" else [result["seconds"]]
    for each in values:
        for key in [key for key in each if key.startswith("torch")]:
            del each[key]
    text = report.TABLES[suite](result | {"ratios": {}, "about": result["about"] | {"versions": {"lenet": "0.1.0"}}})
    assert text.count("| **lenet**") == sum(name == "lenet" for name, _ in works.SUITES[suite])
    assert "PyTorch" not in text


@pytest.mark.parametrize("suite", ["speed", "busy"])
def test_a_result_from_before_peaks_and_absences_were_stored_renders(suite: str) -> None:
    result = synthetic(suite)
    del result["peak"], result["about"]["absent"]
    assert ROW[suite] in report.TABLES[suite](result)


def test_peers_that_disagree_are_not_the_same_network() -> None:
    result = synthetic("evaluate")
    assert "All give the same accuracy." in report.evaluate(result)
    answers = {
        "lenet.evaluate": [{"seconds": 1.0, "result": 0.99}],
        "torch.evaluate": [{"seconds": 1.0, "result": 0.9894}],
    }
    other = works.kept("evaluate", answers)
    assert other["agree"] is False
    assert "a peer is not the same network" in report.evaluate(result | other)


def test_the_floor_is_the_work_at_the_peak() -> None:
    text = report.kernels(synthetic("kernels"))  # 101 GFLOP at 101 GFLOP/s, the higher of the two peaks
    assert "are 101 GFLOP: at the peak they alone would take 1.00 s; the whole epoch takes 2.00 s." in text
    assert "| **the whole epoch** | 101 | 50.5 | 50 | 50% | 25% | 100.0% |" in text


def test_settings_in_words() -> None:
    assert tables.setting({}) == "**nothing**"
    assert tables.setting({"rate": 0.003, "augment": [["shift", 2], ["rotate", 8]]}) == "rate 0.003, shift 2, rotate 8"
    assert tables.setting({"augment": {"shift": 0}}) == "shift 0"


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    return tmp_path


def test_what_is_not_measured_says_how_to(results: Path) -> None:
    for name in EVERYTHING:
        assert (
            tables.TABLES[name]() == f"Not measured yet: run `python -m bench {name}`, then `python -m bench.tables`."
        )
    assert "bench.accuracy.recipes search best`" in tables.tried("best")


READING = ("reading_pages", "reading_singles", "reading_rejection", "reading_risk", "reading_speed")
SHOWN = ("reading_example", "reading_failures", "reading_sudoku")


def test_the_readers_tables_say_how_to_come_by_them(results: Path) -> None:
    for name in READING:
        assert tables.TABLES[name]().startswith("Not measured yet: run `python -m bench.pages --split test ")
    for name in SHOWN:
        assert tables.TABLES[name]().startswith("Not drawn yet: run `python -m bench.pages.pictures`")


def test_the_readers_tables(results: Path) -> None:
    right = {"pages": 2, "digits": 200, "right": 0.991, "se": 0.002, "false": 1}
    found = ABOUT | {
        "split": "test", "seed": 20, "readers": ["lenet", "tesseract"], "versions": {"tesseract": "5.3.0"},
        "absent": {"rapidocr": "no wheel"}, "touching": {"touching": 77, "neighbours": 78, "share": 0.98},
        "modes": {"clean": {"mode": 6}},
        "levels": {"clean": {"lenet": right, "tesseract": right | {"right": 0.4}}, "prose": {"lenet": right}},
        "singles": {"third": {"right": 0.95, "se": 0.01, "n": 1000}},
    }  # fmt: skip
    (results / "pages.json").write_text(json.dumps(found))
    rows = tables.TABLES["reading"]().splitlines()  # this run left most levels out, and nothing real was measured
    assert rows[2:] == ["| **lenet.reading** | – | – | – |", "| tesseract | – | – | – |"]
    whole = tables.TABLES["reading_pages"]()
    assert "| clean | 200 | 99.1 ± 0.2 | 40.0 ± 0.2 |" in whole
    for part in ("the test split", "tesseract 5.3.0", "rapidocr: no wheel", "77 of 78", "clean 6"):
        assert part in whole
    assert "| 0.3 of the size: 8 × 8 pixels | 95.00 ± 1.00 |" in tables.TABLES["reading_singles"]()
    assert tables.TABLES["reading_speed"]().startswith("Not measured yet")  # this run left it out


def test_what_the_pictures_showed(results: Path) -> None:
    digit = {"box": [1, 2, 3, 4], "label": "3", "confidence": 0.5, "rejected": False}
    page = {
        "file": "a.jpg",
        "lines": [{"text": "3", "numbers": [{"text": "3", "digits": [digit, digit]}]}],
        "notes": [],
    }
    found = {
        "example": {"written": "3 4\n1", "printed": "3 9\n1\n", "json": {"model": None, "pages": [page]}},
        "failures": {"clean": dict.fromkeys(("pages", "digits", "misread", "rejected", "missed", "extra"), 1234)},
        "sudoku": {"digits": 26, "right": 20, "wrong": 1, "empty": 2, "outside": 3},
    }
    (results / "pictures.json").write_text(json.dumps(found))
    example = tables.TABLES["reading_example"]()
    assert "\n3 9\n1\n```" in example
    assert "Not all of it is right: `3 4` read as `3 9`." in example
    shown = example.split("```json\n")[1].split("\n```")[0]
    assert json.loads(shown) == found["example"]["json"]
    lines = [line for line in shown.splitlines() if '"label"' in line]
    assert [json.loads(line.rstrip(",")) for line in lines[:1]] == [digit]  # a digit a line
    assert len(lines) == 2
    assert "| clean | 1,234 |" in tables.TABLES["reading_failures"]()
    assert "26 printed digits 20 are read right and 1 wrong" in tables.TABLES["reading_sudoku"]()


def test_the_packaged_weights_are_the_files() -> None:
    from lenet.reading.weights.reader import PACKAGED
    from lenet.train import Trained

    meta = Trained.load(PACKAGED).meta["training"]
    rows = tables.TABLES["reading_weights"]()
    for part in (meta["weights"][:8], f"{meta['samples']['count']:,}", f"{100 * meta['held_out']['accuracy']:.2f}"):
        assert part in rows


def test_a_search_under_way_is_not_shown_and_a_finished_one_is_best_first(results: Path) -> None:
    found = {
        "table": [
            {"setting": {"rate": 1.0}, "n": 2, "mean": 0.98, "worst": 0.97},
            {"setting": {}, "n": 3, "mean": 0.99, "worst": 0.985},
        ],
        "chosen": None,
    }
    file = results / "recipe_search_best.json"
    file.write_text(json.dumps(found))
    assert tables.tried("best").startswith("Not measured yet")
    file.write_text(json.dumps(found | {"chosen": {}}))
    rows = tables.tried("best").splitlines()
    assert rows[2:4] == ["| **nothing** | 3 | 99.00 % | 98.50 % |", "| rate 1.0 | 2 | 98.00 % | 97.00 % |"]
    assert rows[-1].endswith("Chosen: **nothing**.")
    duel = {"setting": {"rate": 1.0}, "n": 32, "difference": 0.0002, "standard_error": 0.0001, "better": False}
    file.write_text(json.dumps(found | {"chosen": {}, "best_beside_base": duel}))
    assert "(rate 1.0) was +0.020 points from the recipe, with a standard error of 0.010: it stayed out." in (
        tables.tried("best")
    )


def test_the_ladder_leaves_out_what_is_not_there(results: Path) -> None:
    run = {"n": 1, "mean": 0.995, "sd": None, "worst": 0.995, "runs": [{"seconds": 30.04}]}
    (results / "recipe_best.json").write_text(json.dumps(run | {"recipe": {"epochs": 40}}))
    assert tables.ladder().splitlines()[2:] == ["| `best` | 40 | 99.50 % | – | 99.50 % | 1 | 30.0 |"]


def test_the_knobs_are_those_of_the_recipes() -> None:
    from lenet.train import RECIPES

    rows = {row.split("|")[1].strip(" `"): row.split("|")[2:-1] for row in tables.knobs().splitlines()}
    assert set(rows) - {"", "---"} == set(RECIPES["fast"].as_json()) - {"name", "about", "augment"} | set(
        RECIPES["fast"].augment._fields
    )
    fast = list(RECIPES).index("fast")
    assert float(rows["rate"][fast]) == RECIPES["fast"].rate
    assert float(rows["shift"][fast]) == RECIPES["fast"].augment.shift


def test_only_what_stands_between_marks_is_replaced(results: Path) -> None:
    page = "before\n<!-- table:busy -->\nold\n<!-- /table -->\nafter\n"
    assert tables.filled(page) == page.replace("old", tables.TABLES["busy"]())
    with pytest.raises(KeyError, match="nothing"):
        tables.filled("<!-- table:nothing -->\n<!-- /table -->")


# ---- files


def test_a_result_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "speed.json"
    report.write(file, {"a": [1.5]})
    assert json.loads(file.read_text()) == {"a": [1.5]}
    with pytest.raises(TypeError):
        report.write(file, {"a": object()})

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        report.write(file, {"a": [2.5]})
    assert json.loads(file.read_text()) == {"a": [1.5]}
    assert list(tmp_path.iterdir()) == [file]


def test_the_picture_is_the_same_file_each_time(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        report.picture(synthetic("growth"), tmp_path / "images" / name)
    one, two = ((tmp_path / "images" / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two
    assert b"</svg>" in one


# ---- the program


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)


def test_help_names_every_suite() -> None:
    ran = bench("--help")
    assert ran.returncode == 0, ran.stderr
    for suite in EVERYTHING:
        assert f"python -m bench {suite} " in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["fastest"], f"error: fastest: not one of {', '.join(EVERYTHING)}"),
        (["speed", "--peers", "lenet,mxnet"], f"error: mxnet: not one of {', '.join(environments.REQUIREMENTS)}"),
        (["growth", "--peers", "mxnet"], f"error: mxnet: not one of {', '.join(environments.REQUIREMENTS)}"),
        (["busy", "--rounds", "0"], "error: --rounds 0: at least 1"),
    ],
)
def test_a_wrong_word_is_wrong_use(arguments: list[str], line: str) -> None:
    ran = bench(*arguments)
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1].endswith(line)
    assert ran.stdout == ""


def test_a_quick_look_is_kept_apart_from_the_stored_results() -> None:
    assert destination(None, quick=True) != destination(None, quick=False) == tables.RESULTS
    assert destination(Path("here"), quick=True) == Path("here")


def test_growth_runs_for_real_and_draws_its_picture(tmp_path: Path) -> None:
    ran = bench("growth", "--quick", "--python", sys.executable, "--data", str(tmp_path), "--out", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    result = json.loads((tmp_path / "growth.json").read_text())
    for part, columns in (
        ("batch", {"train", "train_all", "answer"}),
        ("samples", {"train"}),
        ("width", {"train", "gflops"}),
        ("threads", {"train"}),
    ):
        assert len(result[part]) >= 2
        for row in result[part]:
            assert set(row) == {part} | columns
            assert all(value > 0 for value in row.values())
    assert set(result["peak"]) == {"before", "after", "moved", "steady"}
    assert "1" in result["peak"]["before"]["gflops"]
    assert report.growth(result) in ran.stdout
    assert "</svg>" in (tmp_path / "growth.svg").read_text()
