"""What type checkers say to users: mypy --strict and pyright on README's program, the pages' Python and the examples.

A page's blocks stand in one file, one after the other, as its reader types them; what a page takes as given is said here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lenet

ROOT = Path(__file__).resolve().parents[1]
SOURCE = str(Path(lenet.__file__).parents[1])
IS_INSTALLED = "site-packages" in SOURCE  # where checkers look by themselves, and mypy refuses to be sent
PAGES = [
    "README.md",
    *(f"docs/{name}.md" for name in ("index", "evaluation", "reading", "recipes", "threads")),
    *(f"docs/from-{name}.md" for name in ("pytorch", "keras", "paddle")),
]
GIVEN = {
    "docs/index.md": "import lenet\nfrom typing import Any\nloader: Any = None\nx: Any = None\ny: Any = None\n",
    "docs/evaluation.md": "import lenet\nfrom typing import Any\nclasses: Any = None\nmodel: Any = None\ntrain: Any = None\n",
}
MORE = """# mypy: disallow-untyped-defs, disallow-incomplete-defs, disallow-untyped-calls
import lenet
from lenet.nn import Layer

class Net(Layer):
    def __init__(self) -> None:
        super().__init__()
        self.fc = lenet.nn.Linear(784, 10)

    def forward(self, x: lenet.Tensor) -> lenet.Tensor:
        return self.fc(x)

def run(x: lenet.Tensor) -> lenet.Tensor:
    net = Net()
    y = net(x)
    reveal_type(y)
    return y
"""


# The pages' own functions are as short as pages are: what they lack are annotations, which no user is kept from writing.
LOOSER = ["--allow-untyped-defs", "--allow-incomplete-defs", "--allow-untyped-calls"]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    for page in PAGES:
        blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
        if blocks:
            name = page.replace("/", "_").removesuffix(".md")
            (folder / f"page_{name}.py").write_text(GIVEN.get(page, "") + "\n".join(blocks), encoding="utf-8")
    for path in (ROOT / "examples").glob("*.py"):
        (folder / f"example_{path.name}").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "more.py").write_text(MORE, encoding="utf-8")
    assert len(list(folder.iterdir())) > 5
    return folder


def test_mypy_strict(programs: Path) -> None:
    files = sorted(map(str, programs.glob("*.py")))
    command = [sys.executable, "-m", "mypy", "--strict", *LOOSER, "--config-file=", "--follow-imports=silent", *files]
    where = os.environ | ({} if IS_INSTALLED else {"MYPYPATH": SOURCE})
    done = subprocess.run(command, env=where, cwd=programs, capture_output=True, text=True, check=False)
    lines = [
        line
        for line in done.stdout.splitlines()
        if str(programs) in line or line.startswith(("page_", "example_", "more"))
    ]
    assert not [line for line in lines if "error" in line], done.stdout
    assert 'Revealed type is "lenet.autograd.tensor.Tensor"' in done.stdout, done.stderr


def test_pyright(programs: Path) -> None:
    pyright = shutil.which("pyright")
    if pyright is None:
        if os.environ.get("LENET_REQUIRE_ALL"):
            pytest.fail("pyright is missing: npm install -g pyright")
        pytest.skip("needs pyright: npm install -g pyright")
    settings = {"extraPaths": [SOURCE], "typeCheckingMode": "standard"}
    (programs / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [pyright, "-p", str(programs), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert 'Type of "y" is "Tensor"' in done.stdout
