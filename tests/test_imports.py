"""Who may import whom, what `import lenet` loads, and the public surface as golden text.

    python tests/test_imports.py --write     writes the surface anew, to be read in the diff

The arrows are read from the source, imports inside functions included; those for type checkers alone are exempt, and so
are packages' ``__init__`` files, which only collect names.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import lenet

SOURCE = Path(lenet.__file__).parent
GOLDEN = Path(__file__).parent / "golden" / "public_surface.txt"

# From the bottom up: a module imports from ranks below its own and from its own unit. A unit is one package, or the
# modules that one line here names together.
RANKS: tuple[tuple[str, ...], ...] = (
    ("_core",),
    ("messages",),
    ("disk", "html", "names"),
    ("data",),
    ("autograd",),
    ("linalg", "regularizer", "tensor"),
    ("nn",),
    ("device", "evaluation", "framework", "io", "metric", "optimizer", "reader", "static", "tensor"),
    ("jit",),
    ("modelfile",),
    ("callbacks", "utils", "vision"),
    ("dataset",),
    ("plots",),
    ("model",),
    ("train",),
    ("reading",),
    ("export", "report", "server"),
    ("sklearn",),
    ("cli", "as_paddle"),
)
HIGHEST_OF_INIT = "train"  # lenet/__init__ reaches up to here
THIRD_PARTY_INSIDE_FUNCTIONS = {
    "PIL", "cv2", "google", "joblib", "matplotlib", "onnx", "onnxruntime", "paddle", "pillow_heif", "pooch", "pypdfium2", "rich",
    "safetensors", "torch", "typer",
}  # fmt: skip
THIRD_PARTY_AT_THE_TOP = {"numpy"}
AT_THE_TOP = {
    "cli": {"typer"},  # its decorators need it, and nothing imports the command line
    "sklearn": {"sklearn"},  # its classes derive from scikit-learn's, and nothing imports it but who asks for it
}

PLACE = {module: (rank, unit) for rank, units in enumerate(RANKS) for unit in units for module in unit.split()}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below ``lenet``; a package's own file by the package's name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(p for p in parts if p != "__init__") or "__init__"] = path
    return found


MODULES = modules()


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(dotted name, whether inside a function) of everything a file imports at run time."""

    def walk(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            children = list(node.orelse)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the arrow"
            assert node.module is not None
            yield from ((f"{node.module}.{alias.name}", inside) for alias in node.names)
        inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in children:
            yield from walk(child, inside)

    return walk(ast.parse(path.read_text(encoding="utf-8")), False)


def owner(dotted: str) -> str:
    """The first part below ``lenet`` of an imported name: 'nn' of 'lenet.nn.layer.Layer'."""
    return dotted.split(".")[1] if "." in dotted else "__init__"


# ---- arrows ------------------------------------------------------------------------------------------------------------


def test_every_module_has_its_rank() -> None:
    first_parts = {name.split(".")[0] for name in MODULES} - {"__init__"}
    assert first_parts <= set(PLACE), f"give a rank to {first_parts - set(PLACE)}"


def test_modules_import_from_lower_ranks_alone() -> None:
    wrong = []
    for name, path in MODULES.items():
        if path.name == "__init__.py":
            continue
        rank, unit = PLACE[name.split(".")[0]]
        for dotted, _ in imports(path):
            if dotted.split(".")[0] != "lenet":
                continue
            target = owner(dotted)
            if target not in PLACE:
                wrong.append(f"{name} imports {dotted}: the public namespace, which only users import")
            elif PLACE[target][0] >= rank and PLACE[target][1] != unit:
                wrong.append(f"{name} imports {dotted}: rank {PLACE[target][0]} from rank {rank}")
    assert not wrong, "\n".join(wrong)


# Within these rooms too imports run one way, from the bottom up. What isn't named stands above.
WITHIN = {
    "autograd": (
        "dtype random more_types in_place_types",
        "tensor_types",
        "tensor",
        "table print",
        "core_rows map_rows tape loss_row",
        "array_rows",
    ),
    "reading": ("sources", "ink", "shapes", "lines", "pages", "weights", "world"),
    "model": ("foreign", "answers feed history", "state", "turns", "steps", "passes files arrays", "model"),
}


def test_imports_run_one_way_within_rooms() -> None:
    wrong = []
    for name, path in MODULES.items():
        room, *rest = name.split(".")
        if room not in WITHIN or not rest:
            continue
        rank = {part: k for k, parts in enumerate(WITHIN[room]) for part in parts.split()}
        own = rank.get(rest[0], len(rank))
        for dotted, _ in imports(path):
            target = dotted.split(".")
            if target[:2] != ["lenet", room] or len(target) < 3 or target[2] == rest[0]:
                continue
            if rank.get(target[2], len(rank)) >= own and own < len(rank):
                wrong.append(f"{name} imports {dotted}")
    assert not wrong, "\n".join(wrong)


def test_package_files_collect_names_from_their_own_package() -> None:
    wrong = []
    for name, path in MODULES.items():
        if path.name == "__init__.py" and name != "__init__":
            rank = PLACE[name.split(".")[0]][0]
            for dotted, _ in imports(path):
                if dotted.split(".")[0] == "lenet" and PLACE[owner(dotted)][0] > rank:
                    wrong.append(f"{name} imports {dotted}")
    assert not wrong, "\n".join(wrong)


def test_the_public_namespace_reaches_no_server_and_no_command_line() -> None:
    highest = PLACE[HIGHEST_OF_INIT][0]
    for dotted, _ in imports(MODULES["__init__"]):
        if dotted == "typing":
            continue
        assert dotted.startswith("lenet.")
        assert PLACE[owner(dotted)][0] <= highest, dotted


def test_third_party_packages_are_imported_inside_functions() -> None:
    wrong = []
    for name, path in MODULES.items():
        for dotted, inside in imports(path):
            package = dotted.split(".")[0]
            if package in sys.stdlib_module_names or package == "lenet":
                continue
            allowed = THIRD_PARTY_AT_THE_TOP | (THIRD_PARTY_INSIDE_FUNCTIONS if inside else set())
            allowed |= AT_THE_TOP.get(name.split(".")[0], set())
            if package not in allowed:
                wrong.append(f"{name} imports {dotted} {'inside a function' if inside else 'at its top'}")
    assert not wrong, "\n".join(wrong)


def test_no_module_takes_the_place_of_a_public_function() -> None:
    """``lenet.summary(net)`` must not turn into a module once somebody has imported ``lenet.summary``."""
    for name in MODULES:
        parent, _, last = name.rpartition(".")
        if name == "__init__" or last.startswith("_"):
            continue
        package = importlib.import_module(f"lenet.{parent}" if parent else "lenet")
        before = getattr(package, last, None)
        if before is not None and not isinstance(before, types.ModuleType):
            importlib.import_module(f"lenet.{name}")
            assert getattr(package, last) is before, name


def test_the_stub_of_the_core_is_the_generated_one(tmp_path: Path) -> None:
    """src/lenet/_core.pyi is what `make stub` writes."""
    out = tmp_path / "_core.pyi"
    command = [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", "lenet._core", "-o", str(out)]
    subprocess.run(command, check=True, timeout=60)
    assert out.read_text() == (SOURCE / "_core.pyi").read_text(), "run make stub"


def test_the_walk_sees_what_it_should(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nimport os.path\nif TYPE_CHECKING:\n    import torch\nelse:\n    import json\n"
        "def f():\n    from lenet.nn import layer\n    return lambda: __import__\nclass A:\n    import csv\n"
    )
    assert list(imports(path)) == [
        ("typing.TYPE_CHECKING", False),
        ("os.path", False),
        ("json", False),
        ("lenet.nn.layer", True),
        ("csv", False),
    ]


# ---- what `import lenet` loads -----------------------------------------------------------------------------------------

HEAVY = {
    "asyncio",
    "concurrent",
    "email",
    "http",
    "multiprocessing",
    "socketserver",
    "sqlite3",
    "ssl",
    "tkinter",
    "unittest",
    "xml",
}


def test_import_lenet_loads_numpy_the_standard_library_and_the_engine() -> None:
    code = (
        "import sys, numpy\n"
        "import numpy.random\n"
        "before = set(sys.modules)\n"
        "import lenet\n"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    loaded = set(done.stdout.split())
    assert "lenet" in loaded
    foreign = loaded - {"lenet", "numpy"} - set(sys.stdlib_module_names)
    # an editable install has a finder of its own; nanobind's runtime registers itself under a name with its version
    assert not {name for name in foreign if not name.startswith(("_lenet", "nanobind", "__editable__"))}
    assert not loaded & HEAVY


def test_importing_draws_nothing_and_says_nothing() -> None:
    code = (
        "import random, warnings, numpy as np\nwarnings.simplefilter('error')\n"
        "random.seed(1); np.random.seed(1)\na, b = random.getstate(), np.random.get_state()[1].tolist()\n"
        "import lenet\nassert random.getstate() == a and np.random.get_state()[1].tolist() == b"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ---- the public surface ------------------------------------------------------------------------------------------------


# Where users look. ON_DEMAND have an import of their own; the others `import lenet` brings along.
ON_DEMAND = [
    "lenet.evaluation",
    "lenet.export",
    "lenet.plots",
    "lenet.reading",
    "lenet.report",
    "lenet.sklearn",
    "lenet.train",
]
PUBLIC = [
    "lenet",
    "lenet.callbacks",
    "lenet.device",
    "lenet.framework",
    "lenet.dataset.cifar",
    "lenet.dataset.mnist",
    "lenet.linalg",
    "lenet.nn.utils",
    "lenet.utils",
    "lenet.utils.dlpack",
    "lenet.utils.unique_name",
    "lenet.reader",
    "lenet.static",
    "lenet.io",
    "lenet.jit",
    "lenet.metric",
    "lenet.nn",
    "lenet.nn.functional",
]
PUBLIC += [
    "lenet.nn.initializer",
    "lenet.optimizer",
    "lenet.optimizer.lr",
    "lenet.regularizer",
    "lenet.vision",
]
PUBLIC += [*ON_DEMAND, "lenet.vision.datasets", "lenet.vision.models", "lenet.vision.transforms"]


class _Name:
    """A default that prints as a name: a function's own text holds its address."""

    def __init__(self, value: object) -> None:
        self.text = getattr(value, "__name__", type(value).__name__)

    def __repr__(self) -> str:
        return self.text


def _signature(value: object) -> str:
    """Parameters and defaults, without annotations: what a caller types."""
    try:
        found = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(...)"
    plain = []
    for p in found.parameters.values():
        default = _Name(p.default) if " at 0x" in repr(p.default) else p.default
        plain.append(p.replace(annotation=inspect.Parameter.empty, default=default))
    return str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def _members(name: str, cls: type) -> Iterator[str]:
    yield f"class {name}{_signature(cls)}"
    own: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.split(".")[0] == "lenet":
            own.update(vars(base))
    inherited = {key for base in cls.__mro__[1:] if base.__module__.split(".")[0] == "lenet" for key in vars(base)}
    for key, value in own.items():
        if key.startswith("_") or (key in inherited and key not in vars(cls)):
            continue
        if isinstance(value, (property, types.MemberDescriptorType)):
            yield f"{name}.{key}"
        elif callable(value) or isinstance(value, (staticmethod, classmethod)):
            yield f"{name}.{key}{_signature(getattr(cls, key))}"


def _module(dotted: str) -> types.ModuleType:
    """A public module by the path a user types; ``lenet.nn.initializer`` is a file elsewhere."""
    for on_demand in ON_DEMAND:
        importlib.import_module(on_demand)
    found = lenet
    for part in dotted.split(".")[1:]:
        found = getattr(found, part)
    return found


def surface() -> list[str]:
    """One line for each name of the public modules, and for each member of their classes."""
    lines = []
    for dotted in PUBLIC:
        module = _module(dotted)
        lines.append(f"module {dotted}")
        for key in getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]:
            value, name = getattr(module, key), f"{dotted}.{key}"
            if isinstance(value, types.ModuleType):
                continue
            if isinstance(value, type):
                lines += _members(name, value)
            else:
                lines.append(f"{name}{_signature(value)}" if callable(value) else name)
    return sorted(lines)


def test_the_public_surface_is_the_one_written_down() -> None:
    written = GOLDEN.read_text(encoding="utf-8").splitlines()
    now = surface()
    gone, new = sorted(set(written) - set(now)), sorted(set(now) - set(written))
    text = "\n".join([*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)])
    assert now == written, f"{text}\nIf this is meant: python tests/test_imports.py --write"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    GOLDEN.write_text("".join(f"{line}\n" for line in surface()), encoding="utf-8")
    print(f"{len(surface())} lines written to {GOLDEN}")
