"""``lenet read``, and ``lenet predict`` on digits: what is printed and written, and what happens to bad files."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import run
from PIL import Image, ImageDraw, ImageFont
from typer.testing import CliRunner

import lenet
from lenet.cli.app import app
from lenet.data import fetch, idx
from lenet.modelfile import serialization
from lenet.reading.page import Digit, Line, Number, Page
from lenet.train import Trained

pytestmark = pytest.mark.usefixtures("command_line")


@pytest.fixture(scope="module")
def digits(small_mnist):
    """MNIST's first 500 test images, uint8 [500, 28, 28], and their labels."""
    files = fetch.given(small_mnist)
    return idx.read_pair(files["test-images"], files["test-labels"])


def blank(path: str, size: tuple[int, int] = (60, 40)) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, 255).save(path)


CHECK = "1 digit to check on 1 page; to see it type --check check.html\n"


def reading(source) -> Page:
    """A page as ``read`` might make it: ``-3.? 7`` and ``1``."""
    image = np.zeros((28, 28), np.uint8)
    three = Digit((1, 2, 3, 4), "3", 0.99951, ("8", 0.0003), False, image)
    doubt = Digit((5, 2, 8, 4), "4", 0.25, ("9", 0.2), True, image)
    seven, one = (Digit((9, 2, 12, 4), label, 0.95, ("2", 0.01), False, image) for label in "71")
    numbers = (Number("-3.?", (three, doubt), (1, 2, 8, 4)), Number("7", (seven,), (9, 2, 12, 4)))
    lines = (Line(numbers, (1, 2, 12, 4)), Line((Number("1", (one,), (9, 2, 12, 4)),), (9, 2, 12, 4)))
    return Page(lines, source.width, source.height, name=source.name, number=source.number, notes=source.notes)


@pytest.fixture
def pretended(monkeypatch, model):
    """Options with which ``lenet read`` finds the same on every page, and a list of what it asked for."""
    asked = []

    def one(source, reader, **options):
        asked.append(options)
        return reading(source)

    monkeypatch.setattr("lenet.cli.read.read_page", one)
    monkeypatch.setattr(
        "lenet.cli.read.read_singles", lambda sources, reader, **o: [one(s, reader, **o) for s in sources]
    )
    return ["--model", model], asked


# ---- what is printed -----------------------------------------------------------------------------------------------------


OPTIONS = [
    "FILE",
    "--json",
    "--csv",
    "--csv-digits",
    "--bom",
    "--check",
    "--annotate",
    "--layout",
    "--min-confidence",
    "--max-pixels",
    "--model",
    "--threads",
]


def test_help_teaches():
    result = run("read", "-h")
    assert result.exit_code == 0
    for option in OPTIONS:
        assert option in result.stdout
    assert result.stdout.split("Examples:")[1].count("lenet read") >= 3
    assert "lenet read photo.jpg" in run("--help").stdout


def test_one_page_is_its_lines(pretended):
    options, asked = pretended
    blank("a.png")
    result = run("read", "a.png", *options, "--min-confidence", 0.5, "--threads", 1)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "-3.? 7\n1\n", CHECK)
    assert asked == [{"layout": "lines", "min_confidence": 0.5, "only": None}]
    assert run("read", "a.png", *options, "--layout", "table").stdout == "-3.?\t7\n1\n"


def test_several_pages_stand_under_their_names(pretended):
    options, _ = pretended
    blank("a.png")
    Image.new("L", (60, 40)).save("b.tif", save_all=True, append_images=[Image.new("L", (60, 40))])
    result = run("read", "a.png", "b.tif", *options)
    text = "-3.? 7\n1\n"
    assert result.stdout == f"a.png:\n{text}\nb.tif, page 1:\n{text}\nb.tif, page 2:\n{text}"
    assert run("read", "b.tif", *options).stdout == f"b.tif, page 1:\n{text}\nb.tif, page 2:\n{text}"


def test_csv_is_a_row_a_number(pretended):
    options, _ = pretended
    blank("a,b.png")
    blank("c.png")
    result = run("read", "a,b.png", "c.png", "--csv", *options)
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert ",".join(rows[0]) == "file,page,line,column,text,value,confidence,x0,y0,x1,y1"
    assert [",".join(row[1:]) for row in rows[1:4]] == [
        "1,1,1,-3.?,,0.25,1,2,8,4",
        "1,1,2,7,7,0.95,9,2,12,4",
        "1,2,1,1,1,0.95,9,2,12,4",
    ]
    assert [row[0] for row in rows[1:]] == ["a,b.png"] * 3 + ["c.png"] * 3


def test_csv_of_cells_and_of_signs(pretended, monkeypatch):
    """Empty cells have no row, but count; a value is a decimal or nothing."""
    options, _ = pretended
    digit = Digit((1, 2, 3, 4), "3", 0.95, ("8", 0.0003), False, np.zeros((28, 28), np.uint8))
    texts = ["-3,5", "", ".5", "12-05-2024", "1.234.567", "1,234", "007"]
    numbers = tuple(Number(text, (digit,) if text else (), (1, 2, 3, 4)) for text in texts)
    page = Page((Line(numbers, (1, 2, 3, 4), "\t"),), 60, 40)
    monkeypatch.setattr("lenet.cli.read.read_page", lambda source, *_, **__: page)
    blank("a.png")
    rows = list(csv.DictReader(io.StringIO(run("read", "a.png", "--csv", *options).stdout)))
    assert [(row["column"], row["text"], row["value"]) for row in rows] == [
        ("1", "-3,5", "-3.5"),
        ("3", ".5", "0.5"),
        ("4", "12-05-2024", ""),
        ("5", "1.234.567", "1234567"),
        ("6", "1,234", ""),
        ("7", "007", "7"),
    ]


def test_csv_digits_is_a_row_a_digit(pretended):
    options, _ = pretended
    blank("a,b.png")
    blank("c.png")
    result = run("read", "a,b.png", "c.png", "--csv-digits", *options)
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert ",".join(rows[0]) == (
        "file,page,line,number,digit,label,confidence,second,second_confidence,rejected,x0,y0,x1,y1"
    )
    assert [",".join(row[1:]) for row in rows[1:5]] == [
        "1,1,1,1,3,0.99951,8,0.0003,false,1,2,3,4",
        "1,1,1,2,4,0.25,9,0.2,true,5,2,8,4",
        "1,1,2,1,7,0.95,2,0.01,false,9,2,12,4",
        "1,2,1,1,1,0.95,2,0.01,false,9,2,12,4",
    ]
    assert [row[0] for row in rows[1:]] == ["a,b.png"] * 4 + ["c.png"] * 4


@pytest.mark.parametrize("form", ["--csv", "--csv-digits"])
def test_csv_is_utf_8_whatever_the_terminal_s_encoding(pretended, form):
    options, _ = pretended
    blank("é.png")
    plain = run("read", "é.png", form, *options).stdout_bytes
    marked = run("read", "é.png", form, "--bom", *options).stdout_bytes
    assert marked == b"\xef\xbb\xbf" + plain
    assert plain.splitlines()[1].startswith("é.png,1,1,1,".encode())
    runner = CliRunner(charset="latin-1")
    assert runner.invoke(app, ["read", "é.png", form, *map(str, options)]).stdout_bytes == plain


def test_what_is_to_be_checked_is_said_at_the_end_and_silence_else(pretended, monkeypatch):
    options, _ = pretended
    for name in "ab":
        blank(f"{name}.png")
    result = run("read", "a.png", "b.png", "c.png", "--json", *options)
    assert result.stderr.splitlines()[-2:] == [
        "2 digits to check on 2 pages; to see them type --check check.html",
        "1 of 3 files failed: c.png",
    ]
    sure = Digit((1, 2, 3, 4), "3", 0.9, ("8", 0.0003), False, np.zeros((28, 28), np.uint8))
    line = Line((Number("3", (sure,), sure.box),), sure.box)
    monkeypatch.setattr("lenet.cli.read.read_page", lambda source, *_, **__: Page((line,), 60, 40))
    assert run("read", "a.png", *options).stderr == ""


def test_the_page_of_what_to_check(pretended):
    options, _ = pretended
    for name in ("s/a.png", "s/b.png"):
        blank(name)
    result = run("read", "s", "--check", "check.html", *options)
    assert (result.exit_code, result.stderr) == (0, "2 digits to check on 2 pages: see check.html\n")
    html = Path("check.html").read_text(encoding="utf-8")
    assert html.count("<img") == html.count("<mark>?</mark>") == 2
    assert "<h1>2 digits to check</h1>" in html
    result = run("read", "s", "--layout", "single", "--check", "check.html", *options)
    assert Path("check.html").read_text(encoding="utf-8") == html


def test_where_nothing_could_be_read_no_page_is_written(model):
    result = run("read", "missing.png", "--check", "check.html", "--model", model)
    assert result.exit_code == 1
    assert not Path("check.html").exists()


def test_a_page_of_what_to_check_that_cannot_be_written_is_no_page(pretended, monkeypatch):
    options, _ = pretended
    blank("a.png")
    Path("check.html").write_text("before")

    def full(path, content):
        raise OSError(28, "a full disk")

    monkeypatch.setattr("lenet.cli.read_output.atomic_write", full)
    result = run("read", "a.png", "--check", "check.html", *options)
    assert (result.exit_code, result.stdout) == (1, "-3.? 7\n1\n")
    assert "a full disk" in result.stderr
    assert Path("check.html").read_text() == "before"


def test_json_is_one_object(pretended):
    options, _ = pretended
    blank("a.png")
    result = run("read", "a.png", "missing.png", "--json", *options)
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    (page,) = found.pop("pages")
    (error,) = found.pop("errors")
    assert found == {"model": str(options[1]), "layout": "lines", "min_confidence": None, "only": None}
    assert (page["file"], page["page"], page["width"], page["height"]) == ("a.png", 1, 60, 40)
    assert page["text"] == "-3.? 7\n1"
    assert page["lines"][0]["numbers"][0]["digits"][1]["rejected"] is True
    assert error["file"] == "missing.png"
    assert error["error"].startswith("missing.png: got no such file")


def test_a_page_without_digits_says_so(pretended, monkeypatch):
    options, _ = pretended
    monkeypatch.setattr("lenet.cli.read.read_page", lambda source, *_, **__: Page((), 60, 40))
    blank("a.png")
    blank("b.png")
    result = run("read", "a.png", *options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "a.png: no digits found\n")
    assert run("read", "a.png", "b.png", *options).stdout == "a.png:\n(no digits)\n\nb.png:\n(no digits)\n"


def test_notes_are_told_aside(pretended):
    options, _ = pretended
    frames = [Image.new("L", (60, 40), shade) for shade in (0, 99, 200)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:])
    result = run("read", "a.gif", *options)
    assert result.stdout == "-3.? 7\n1\n"
    assert result.stderr == "a.gif: animated GIF: the first of 3 frames is read\n" + CHECK


def test_notes_of_the_reading_are_told_with_their_page(pretended, monkeypatch):
    options, _ = pretended
    Image.new("L", (60, 40)).save("b.tif", save_all=True, append_images=[Image.new("L", (60, 40))])

    def noted(source, *_, **__):
        return Page((), 60, 40, number=source.number, notes=("3 shapes left out as words",) * (source.number == 2))

    monkeypatch.setattr("lenet.cli.read.read_page", noted)
    result = run("read", "b.tif", "--json", *options)
    assert result.stderr == "b.tif, page 2: 3 shapes left out as words\n"
    assert [page["notes"] for page in json.loads(result.stdout)["pages"]] == [[], ["3 shapes left out as words"]]


def test_on_a_terminal_a_bar_makes_way_for_what_is_read(pretended, monkeypatch):
    options, _ = pretended
    events = []

    class Bar:
        def __init__(self, title, total, **_):
            events.append(("new", title, total))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            events.append("end")

        def update(self, done, note):
            events.append(("update", done, note))

        def close(self):
            events.append("close")

    monkeypatch.setattr("lenet.cli.read.Progress", Bar)
    blank("a.png")
    blank("b.png")
    run("read", "a.png", "b.png", *options)
    one = [("update", 0, "a.png"), "close", ("update", 1, "b.png"), "close"]
    assert events == [("new", "reading", 2), *one, "end"]


# ---- which files ---------------------------------------------------------------------------------------------------------


def test_folders_and_patterns(pretended):
    options, _ = pretended
    for name in ("s/b.PNG", "s/a.png", "s/sub/c.jpg", "s/.hidden/d.png", "s/.e.png", "x1.png", "x2.png"):
        blank(name)
    Path("s/notes.txt").write_text("no image")
    found = json.loads(run("read", "s", "x?.png", "s/a.png", "--json", *options).stdout)
    assert [page["file"] for page in found["pages"]] == [
        os.path.join("s", "a.png"),
        os.path.join("s", "b.PNG"),
        os.path.join("s", "sub", "c.jpg"),
        "x1.png",
        "x2.png",
        "s/a.png",
    ]
    assert found["errors"] == []


def test_a_file_s_own_name_is_no_pattern(pretended):
    options, _ = pretended
    blank("a[1].png")
    assert run("read", "a[1].png", *options).stdout == "-3.? 7\n1\n"


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("empty", "empty: got a folder without images, expected at least one file that ends in .png"),
        ("*.jpg", "*.jpg: got a pattern that no file matches, expected an image file. Check the path"),
        ("missing.png", "missing.png: got no such file, expected an image file. Check the path"),
    ],
)
def test_nothing_to_read(model, argument, text):
    Path("empty").mkdir()
    result = run("read", argument, "--model", model)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(text)


# ---- bad files -----------------------------------------------------------------------------------------------------------


def test_bad_files_are_named_and_the_others_go_on(pretended):
    options, _ = pretended
    blank("good.png")
    Path("zero.png").touch()
    Path("text.png").write_text("hello")
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), dtype=np.uint8)).save(stream, "JPEG")
    Path("cut.jpg").write_bytes(stream.getvalue()[:3000])
    blank("dot.png", (1, 1))
    blank("large.png", (300, 300))
    names = ["zero.png", "text.png", "cut.jpg", "dot.png", "large.png", "missing.png"]
    result = run("read", *names, "good.png", "--max-pixels", 10_000, *options)
    assert result.exit_code == 1
    assert result.stdout == "good.png:\n-3.? 7\n1\n"
    *lines, check, last = result.stderr.splitlines()
    assert f"{check}\n" == CHECK
    assert [line.split(":")[0] for line in lines] == names
    assert "expected at most 10,000. To read it all the same type --max-pixels 90000" in lines[4]
    assert last == "6 of 7 files failed: zero.png, text.png, cut.jpg, dot.png, large.png, …"


def test_a_bad_page_of_a_tiff_is_named_and_c_libraries_are_silent(model):
    """In a process of its own: libtiff writes to the standard error itself."""
    pages = [Image.new("L", (60, 40), 255)] * 3
    pages[0].save("a.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    with Image.open("a.tif") as picture:
        picture.seek(1)
        start, length = picture.tag_v2[273][0], picture.tag_v2[279][0]
    content = bytearray(Path("a.tif").read_bytes())
    content[start : start + length] = b"\xff" * length
    Path("a.tif").write_bytes(content)
    root = str(Path(lenet.__file__).parents[1])
    env = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "lenet.cli", "read", "a.tif", "--model", str(model)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 1
    assert done.stdout == "a.tif, page 1:\n(no digits)\n\na.tif, page 3:\n(no digits)\n"
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("a.tif, page 2: got a damaged TIFF")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--json", "--csv"], "lenet read: got --json and --csv, expected one of them alone"),
        (["--csv", "--csv-digits"], "lenet read: got --csv and --csv-digits, expected one of them alone"),
        (["--json", "--csv", "--csv-digits"], "got --json and --csv and --csv-digits, expected one of them alone"),
        (["--bom"], "lenet read: got --bom without CSV, expected --csv or --csv-digits with it"),
        (["--bom", "--json"], "got --bom without CSV"),
        (["--check", "a.png"], "check: got 'a.png', expected a name that ends in .html or .htm. Type a.html"),
        (["--check", "new/a.html"], "check: got new/a.html, expected a folder that exists, unlike"),
        (
            ["b.html", "--check", "./b.html"],
            "check: got ./b.html, which is a file to read, expected a place of its own",
        ),
        (["--layout", "page"], "layout: got 'page', expected one of 'lines', 'table', 'single'"),
        (["--min-confidence", "90"], "min-confidence: got 90.0, expected a number from 0 to 1. 90 % is 0.9"),
        (["--max-pixels", "0"], "max-pixels: got 0"),
        (["--threads", "-1"], "got -1"),
        (["--model", "m.safetensors"], "model: got m.safetensors, which does not exist"),
        (["--annotate", "a.png"], "where a.png is a file to read, expected a place of its own"),
        (["--annotate", "./x/../a.png"], "is a file to read"),
        (["--annotate", "b.doc"], "annotate: got b.doc, expected a folder, or a file that ends in .png, .jpg"),
        (["--annotate", "file"], "annotate: got file, a file without an ending, expected a folder"),
        (["--annotate", "."], "a.png is a file to read"),
        (["b.png", "--annotate", "c.png"], "annotate: got the one file c.png for 2 files, expected a folder. Type"),
    ],
)
def test_wrong_use_is_two_and_writes_nothing(pretended, arguments, text):
    options, _ = pretended
    blank("a.png")
    blank("b.png")
    if "b.html" in arguments:
        Path("b.png").rename("b.html")
    Path("file").touch()
    before = {path: path.read_bytes() for path in Path().iterdir()}
    result = run("read", "a.png", *(options if "--model" not in arguments else []), *arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_without_opencv(monkeypatch, model):
    monkeypatch.setitem(sys.modules, "cv2", None)
    blank("a.png")
    result = run("read", "a.png", "--model", model)
    assert result.exit_code == 1
    assert "expected the package opencv-python-headless. Type pip install opencv-python-headless" in result.stderr


# ---- annotated pages -----------------------------------------------------------------------------------------------------


def test_annotate_one_page(pretended):
    options, _ = pretended
    blank("a.png", (600, 400))
    for name, form in (("out.png", "PNG"), ("new/out.jpg", "JPEG"), ("out.webp", "WEBP")):
        assert run("read", "a.png", "--annotate", name, *options).stdout == "-3.? 7\n1\n"
        with Image.open(name) as picture:
            assert picture.format == form
            assert picture.size[0] % 600 == 0
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 3
    before = Path("out.png").read_bytes()
    run("read", "a.png", "--annotate", "out.png", *options)
    assert Path("out.png").read_bytes() == before


def test_annotate_into_a_folder(pretended):
    options, _ = pretended
    for name in ("s/a.png", "s/a.jpg", "s/sub/a.png"):
        blank(name)
    Image.new("L", (60, 40)).save("b.tif", save_all=True, append_images=[Image.new("L", (60, 40))])
    assert run("read", "s", "b.tif", "--annotate", "out", *options).exit_code == 0
    found = sorted(path.as_posix() for path in Path("out").rglob("*.*"))
    assert found == ["out/a-2.png", "out/a.png", "out/b-p2.png", "out/b.png", "out/sub/a.png"]
    result = run("read", "b.tif", "--annotate", "one.png", *options)
    assert result.exit_code == 2
    assert "got the one file one.png for 2 pages, expected a folder. Type --annotate one/" in result.stderr


def test_annotated_pages_are_not_read_again(pretended):
    options, _ = pretended
    blank("s/a.png")
    for _ in range(2):
        assert run("read", "s", "--annotate", "s/drawn", *options).stdout == "-3.? 7\n1\n"


def test_a_page_that_cannot_be_written_fails_alone(pretended, monkeypatch):
    options, _ = pretended
    blank("a.png")
    blank("b.png")
    write = serialization.atomic_write

    def full(path, content):
        if path.endswith("a.png"):
            raise OSError(28, "a full disk")
        write(path, content)

    monkeypatch.setattr("lenet.cli.read_output.atomic_write", full)
    result = run("read", "a.png", "b.png", "--annotate", "out", *options)
    assert result.exit_code == 1
    assert result.stdout.count("-3.? 7") == 2
    assert "a full disk" in result.stderr
    assert os.listdir("out") == ["b.png"]


# ---- for real ------------------------------------------------------------------------------------------------------------


def test_single_digits_in_one_batch(model, digits, monkeypatch):
    images, labels = digits
    Path("many").mkdir()
    for at in range(60):
        Image.fromarray(images[at]).save(f"many/{at:03d}.png")
    Path("many/010.png").write_bytes(b"")
    result = run("read", "many", "--layout", "single", "--model", model, "--min-confidence", 0)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        os.path.join("many", f"{i:03d}.png") for i in range(60) if i != 10
    ]
    right = sum(line.split(": ")[1] == str(labels[int(line.split(":")[0][-7:-4])]) for line in lines)
    assert right >= 53  # of 59: trained for a second, it knows nine in ten
    monkeypatch.setattr("lenet.cli.read._TOGETHER", 7)
    assert run("read", "many", "--layout", "single", "--model", model, "--min-confidence", 0).stdout == result.stdout


def test_a_page_of_handwriting(model, digits):
    images, labels = digits
    page = np.full((400, 900), 255, np.uint8)
    wanted = []
    for row in range(3):
        for at in range(6):
            top, left = 40 + 110 * row, 60 + 130 * at
            page[top : top + 56, left : left + 56] = 255 - images[6 * row + at].repeat(2, 0).repeat(2, 1)
        wanted.append([str(n) for n in labels[6 * row : 6 * row + 6]])
    Image.fromarray(page).save("page.png")
    result = run(
        "read", "page.png", "--model", model, "--layout", "table", "--min-confidence", 0, "--annotate", "o.png"
    )
    assert result.exit_code == 0, result.stderr
    found = [line.split("\t") for line in result.stdout.splitlines()]
    assert [len(line) for line in found] == [6, 6, 6]
    right = sum(a == b for some, others in zip(found, wanted, strict=True) for a, b in zip(some, others, strict=True))
    assert right >= 15  # of 18
    assert Path("o.png").exists()


# ---- predict -------------------------------------------------------------------------------------------------------------


def test_predict_finds_the_digit_on_its_paper(model, digits):
    images, labels = digits
    image, label = images[0], str(labels[0])
    paper = np.full((300, 500), 200, np.uint8)
    paper[180:236, 330:386] -= (image.repeat(2, 0).repeat(2, 1) * 0.7).astype(np.uint8)
    Image.fromarray(paper).save("corner.png")
    result = run("predict", "corner.png", "--model", model)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"corner.png: {label}  ")


def test_predict_marks_what_is_no_digit(model, digits):
    Image.new("L", (60, 60), 255).save("blank.png")
    Image.fromarray(digits[0][0]).save("digit.png")
    result = run("predict", "blank.png", "--model", model)
    assert result.exit_code == 0
    assert result.stdout.endswith(" %  ?\n")
    found = json.loads(run("predict", "blank.png", "digit.png", "--model", model, "--json").stdout)["results"]
    assert found[0]["rejected"] is True
    assert set(found[0]) == {"file", "label", "probability", "rejected", "probabilities"}


@pytest.mark.parametrize("name", ["fashion-mnist", "/home/somebody/digits", None])
def test_predict_takes_other_models_images_as_those_were(model, digits, name):
    tensors, meta = serialization.read_model(model)
    meta["training"]["data"]["name"] = name
    serialization.write_model("other.safetensors", tensors, meta)
    Image.fromarray(digits[0][0]).save("digit.png")
    (found,) = json.loads(run("predict", "digit.png", "--model", "other.safetensors", "--json").stdout)["results"]
    assert "rejected" not in found
    trained = Trained.load("other.safetensors")
    assert found["probability"] == pytest.approx(float(trained.probabilities(digits[0][:1]).max()), abs=1e-6)


def test_printed_digits(model):
    """No test of accuracy: printed text goes the whole way, in every layout."""
    picture = Image.new("L", (500, 200), 255)
    ImageDraw.Draw(picture).text((30, 60), "1 7 4", fill=0, font=ImageFont.load_default(80))
    picture.save("printed.png")
    for layout in ("lines", "table", "single"):
        result = run("read", "printed.png", "--layout", layout, "--model", model, "--min-confidence", 0)
        assert result.exit_code == 0
        assert result.stdout.strip()
