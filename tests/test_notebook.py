"""What a real notebook shows, run by nbclient in a real kernel: bars of one line that is replaced, and no flood.

One kernel serves all tests here: it takes seconds to start. nbclient works in a process of its own, since it loads ipykernel
and a program that has loaded ipykernel passes for a notebook.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PREPARE = """
import time
import numpy as np
import lenet
from lenet.messages.progress import Progress, say

draw = np.random.default_rng(0)
images, labels = draw.normal(size=(600, 8)).astype("float32"), draw.integers(0, 3, (600, 1))
data = lenet.io.TensorDataset([lenet.to_tensor(images), lenet.to_tensor(labels)])
model = lenet.Model(lenet.nn.Sequential(lenet.nn.Linear(8, 3)))
rate = lenet.optimizer.SGD(0.1, model.parameters())
model.prepare(rate, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
"""
CELLS = {
    "prepare": PREPARE,
    "bar": "model.fit(data, data, batch_size=10, epochs=2, verbose=1)",
    "lines": "model.fit(data, batch_size=10, verbose=2, log_freq=20)",
    "evaluate": "result = model.evaluate(data, batch_size=10, verbose=1)",
    "predict": "outputs = model.predict(data, batch_size=10)",
    "unknown length": "model.fit([batch for batch in lenet.io.DataLoader(data, batch_size=100)].__iter__(), verbose=1)",
    "train": """
from lenet.train import train
with Progress("training", unit="steps", delay=0) as line:
    def show(state):
        line.total = state.steps
        line.update(state.step, f"loss {state.loss:.2f}")
    result = train("tutorial", data=FOLDER, out=OUT, epochs=2, batch_size=16, progress=show)
""",
}


RUN = """
import sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""


@pytest.fixture(scope="module")
def outputs(small_mnist: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Each cell's outputs, as they stand in the saved notebook."""
    folder = tmp_path_factory.mktemp("notebook")
    first = f"FOLDER, OUT = {str(small_mnist)!r}, {str(folder / 'model.safetensors')!r}\n"
    common = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells = [
        {**common, "id": f"cell{i}", "source": first + source if name == "prepare" else source}
        for i, (name, source) in enumerate(CELLS.items())
    ]
    path = folder / "notebook.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    ran = subprocess.run([sys.executable, "-c", RUN, str(path)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return {
        name: cell["outputs"]
        for name, cell in zip(CELLS, json.loads(path.read_text(encoding="utf-8"))["cells"], strict=True)
    }


def text(output: Any) -> str:
    return "".join(output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"])


def shown(found: list[Any]) -> list[str]:
    """The lines that a reader sees."""
    return [line for output in found for line in text(output).splitlines()]


@pytest.mark.parametrize("name", CELLS)
def test_nothing_shows_control_characters_or_alarms(outputs: dict[str, list[Any]], name: str) -> None:
    for output in outputs[name]:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text(output)), output
        assert output.get("name") != "stderr", output


def test_the_bar_is_one_line_a_pass(outputs: dict[str, list[Any]]) -> None:
    *printed, table = outputs["bar"]
    assert table["output_type"] == "execute_result"  # what fit returns
    assert "<th>loss</th>" in "".join(table["data"]["text/html"])
    lines = shown(printed)
    bar = r"step 60/60 \[={30}\] - loss: \d\.\d{4} - acc: \d\.\d{4} - \d+[mu]s/step"
    expected = ["The loss value .*"]
    for epoch in (1, 2):
        expected += [f"Epoch {epoch}/2", bar, r"Eval begin\.\.\.", bar, "Eval samples: 600"]
    assert len(lines) == len(expected), lines
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line
    assert [o["output_type"] for o in outputs["bar"] if text(o).startswith("step")] == ["display_data"] * 4


def test_lines_stay_lines(outputs: dict[str, list[Any]]) -> None:
    *printed, _ = outputs["lines"]
    steps = [line.split(" - ")[0] for line in shown(printed)[2:]]
    assert steps == ["step 20/60", "step 40/60", "step 60/60"]
    assert {o["output_type"] for o in printed} == {"stream"}


def test_evaluate_and_predict_show_three_lines(outputs: dict[str, list[Any]]) -> None:
    for name in ("evaluate", "predict"):
        lines = shown(outputs[name])
        assert len(lines) == 3
        assert lines[1].startswith(f"step 60/60 [{'=' * 30}] - ")


def test_a_pass_of_unknown_length_shows_one_line(outputs: dict[str, list[Any]]) -> None:
    lines = shown(outputs["unknown length"])
    assert sum("step" in line for line in lines[1:]) <= 1


def test_a_training_by_recipe_leaves_one_line_of_progress(outputs: dict[str, list[Any]]) -> None:
    lines = [line for line in shown(outputs["train"]) if line.startswith("training: ")]
    assert len(lines) == 1
    assert re.fullmatch(r"training: \d+ s", lines[0])
    assert outputs["train"][0]["name"] == "stdout"  # what ``say`` tells
