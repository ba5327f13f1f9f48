"""From images to text: MNIST's held-out digits written into pages whose text is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from pen import Pen

from lenet.reading._read import LAYOUTS, read, read_all, read_singles
from lenet.reading.belief import in_company
from lenet.reading.page import Page
from lenet.reading.shapes.singles import find_marks
from lenet.reading.weights.reader import Reader

Write = Callable[[str], np.ndarray]


def same(a: Page, b: Page) -> bool:
    pixels = all(np.array_equal(p.image, q.image) for p, q in zip(a.digits, b.digits, strict=True))
    return pixels and a == b


@pytest.mark.parametrize("text", ["7", "0123456789", "12 345 6", "31\n5926\n5 3 5", "1 1 1\n111", "90210\n4711 815"])
def test_lines_of_numbers(pen: Pen, text: str) -> None:
    page = read(pen(text))
    assert page.text == text
    assert page.polarity == "dark on light"
    assert (page.height, page.width) == pen(text).shape
    assert not any(digit.rejected for digit in page.digits)


@pytest.mark.parametrize("text", ["3.14", "-7", "12,50 -3", "0.5 2,25\n-10 20"])
def test_separators_are_part_of_the_text(pen: Pen, text: str) -> None:
    assert read(pen(text)).text == text


def test_light_ink_on_dark_paper(pen: Pen) -> None:
    page = read(pen.ink("2048\n64")[0])
    assert (page.text, page.polarity) == ("2048\n64", "light on dark")


def test_boxes_are_where_the_ink_is(pen: Pen) -> None:
    ink, boxes = pen.ink("365 24\n7")
    page = read(255 - ink)
    assert page.text == "365 24\n7"
    off = np.array([digit.box for digit in page.digits]) - np.array(boxes)
    assert np.abs(off).max() <= 2  # soft edges lie a pixel or so within the drawn box
    for line in page.lines:
        assert line.box[0] == min(n.box[0] for n in line.numbers)
        assert line.box[3] == max(n.box[3] for n in line.numbers)


@pytest.mark.parametrize("degrees", [-6.0, 4.0])
def test_boxes_of_a_turned_page_are_those_of_the_page_as_given(pen: Pen, degrees: float) -> None:
    import cv2

    text = "1234567\n7654321\n2469013"
    ink, boxes = pen.ink(text, (480, 700))
    matrix = cv2.getRotationMatrix2D((350, 240), degrees, 1.0)
    page = read(cv2.warpAffine(255 - ink, matrix, (700, 480), borderValue=255))
    assert page.text == text
    assert page.skew == pytest.approx(degrees, abs=1.0)  # rows of a hand's digits say no more
    for digit, (x0, y0, x1, y1) in zip(page.digits, boxes, strict=True):
        x, y = matrix @ [(x0 + x1) / 2, (y0 + y1) / 2, 1]
        assert digit.box[0] < x < digit.box[2]
        assert digit.box[1] < y < digit.box[3]
        assert abs((digit.box[0] + digit.box[2]) / 2 - x) < 4
        assert abs((digit.box[1] + digit.box[3]) / 2 - y) < 4


def test_boxes_of_a_large_page_are_in_its_own_pixels(pen: Pen) -> None:
    import cv2

    ink, boxes = pen.ink("3141\n592", (700, 900))
    large = cv2.resize(255 - ink, None, fx=5, fy=5, interpolation=cv2.INTER_LINEAR)
    page = read(large)
    assert (page.width, page.height) == (4500, 3500)
    assert page.text == "3141\n592"
    assert np.abs(np.array([digit.box for digit in page.digits]) / 5 - np.array(boxes)).max() <= 2.5


def touching(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Ink of two marks, the right one moved to the left until they are one component."""
    ink = np.zeros((200, 300), np.uint8)
    ink[80 : 80 + left.shape[0], 60 : 60 + left.shape[1]] = left
    for x in range(60 + left.shape[1] - 1, 60, -1):
        under = ink[80 : 80 + right.shape[0], x : x + right.shape[1]]
        if (np.minimum(under, right) > 150).sum() > 3:
            np.maximum(under, right, out=under)
            return ink
    raise AssertionError("the marks don't touch")


def test_touching_digits_are_split(pen: Pen) -> None:
    pairs = [(a, (3 * a + k) % 10, k) for a in range(10) for k in (1, 4)]
    texts = [read(255 - touching(pen.marks[a][k], pen.marks[b][k])).text for a, b, k in pairs]
    right = sum(text == f"{a}{b}" for text, (a, b, _) in zip(texts, pairs, strict=True))
    assert right >= 15, texts  # of 20; the benchmark's touching pages say how many it is of thousands


def test_what_the_network_saw_goes_with_each_digit(pen: Pen) -> None:
    page = read(pen("42"))
    answers = in_company(Reader()(np.stack([digit.image for digit in page.digits])), [True, False])
    for digit, answer in zip(page.digits, answers, strict=True):
        assert digit.image.shape == (28, 28)
        assert digit.image.dtype == np.uint8
        assert digit.image.max() > 200
        assert str(int(answer[:10].argmax())) == digit.label
        assert float(answer[int(digit.label)]) == pytest.approx(digit.confidence, abs=1e-6)  # one image or many at once
        assert digit.second[0] != digit.label
        assert digit.second[1] <= digit.confidence


def test_a_table_keeps_its_cells_together(pen: Pen) -> None:
    first, second = pen.ink("12  34", (160, 700))[0], pen.ink("1   5", (160, 700))[0]
    second = np.roll(second, 0, axis=1)
    page = read(255 - np.concatenate([first, second]), layout="table")
    assert [len(line.numbers) for line in page.lines] == [2, 2]
    assert page.text.replace("\n", " ").split() == ["12", "34", "1", "5"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_blank_page_has_no_digits(layout: str) -> None:
    for page in (np.full((300, 200), 255, np.uint8), np.full((28, 28), 255, np.uint8), np.zeros((40, 40, 3), np.uint8)):
        found = read(page, layout=layout)
        assert found.digits == ()
        assert found.text == ""


def test_a_line_of_words_yields_nothing_unless_asked_for(pen: Pen) -> None:
    """A network that takes nearly everything for no digit makes any line one of words."""
    ink = pen("8888888888 88888\n12345 67")

    def doubtful(images: np.ndarray) -> np.ndarray:
        answers = np.array(Reader()(images))
        eight = answers.argmax(axis=1) == 8
        answers[eight] = [0, 0, 0, 0, 0, 0, 0, 0, 0.2, 0, 0.8]
        return answers

    assert read(ink, doubtful).text == "12345 67"
    everything = read(ink, doubtful, min_confidence=0.1)
    assert everything.text == "8888888888 88888\n12345 67"


def test_digits_less_sure_than_asked_are_rejected(pen: Pen) -> None:
    page = read(pen("1234"), min_confidence=1.0)
    assert page.text.count("?") == sum(digit.confidence < 1 for digit in page.digits)
    assert all(digit.rejected == (digit.confidence < 1) for digit in page.digits)
    assert read(pen("1234"), min_confidence=0).text == "1234"


def test_the_same_page_is_read_the_same_way(pen: Pen) -> None:
    image = pen("271828\n18 28")
    assert same(read(image), read(image))


def test_a_lone_digit_on_a_card_of_two_colours(pen: Pen) -> None:
    texts = []
    for digit in range(2, 10):
        card, ink = np.empty((300, 300, 3)), np.zeros((300, 300, 1))
        card[:, :140], card[:, 140:] = (250, 235, 160), (160, 205, 250)
        mark = np.kron(pen.marks[digit][0], np.ones((2, 2))) / 255
        ink[100 : 100 + mark.shape[0], 160 : 160 + mark.shape[1], 0] = mark
        texts.append(read((card + (np.array([90, 20, 60]) - card) * ink).astype(np.uint8)).text)
    assert sum(text == str(digit) for digit, text in enumerate(texts, 2)) >= 6, texts


def test_one_digit_an_image(held: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = held[0][:500], held[1][:500]
    pages = read_singles(list(images))
    right = sum(page.text == str(label) for page, label in zip(pages, labels, strict=True))
    assert right >= 485  # 97 %: rejected ones count as wrong; what it can do is the benchmark's business
    assert all(len(page.digits) == 1 for page in pages)
    alone, one = read(images[0], layout="single").digits[0], pages[0].digits[0]
    assert (alone.box, alone.label) == (one.box, one.label)
    assert np.array_equal(alone.image, one.image)
    assert alone.confidence == pytest.approx(one.confidence, abs=1e-5)  # float32: one image or many at once


def test_singles_of_any_form_together(pen: Pen) -> None:
    dark = 255 - pen.ink("3")[0]
    colour = np.repeat(dark[..., None], 3, axis=2)
    colour[..., 2] = 255
    blank = np.full((50, 60), 255, np.uint8)
    assert [page.text for page in read_singles([dark, blank, colour, 255 - dark])] == ["3", "", "3", "3"]
    assert read_singles([]) == []


def cut(image: np.ndarray, scale: int = 3) -> np.ndarray:
    """To the ink's own box, and larger."""
    import cv2

    rows, columns = np.flatnonzero(image.max(axis=1) > 40), np.flatnonzero(image.max(axis=0) > 40)
    part = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))


def test_digits_that_fill_the_frame(held: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = held
    some = np.concatenate([np.flatnonzero(labels == 1)[:100], np.flatnonzero(labels != 1)[:100]])
    light = [cut(images[i]) for i in some]
    ink, paper = np.array([200.0, 90.0, 120.0]), np.array([60.0, 150.0, 110.0])  # of about one lightness
    coloured = [(paper + (ink - paper) * (one[..., None] / 255.0)).astype(np.uint8) for one in light]
    for pictures, polarity in (
        (light, "light on dark"),
        ([255 - one for one in light], "dark on light"),
        (coloured, ""),
    ):
        pages = read_singles(pictures)
        right = sum(page.text == str(labels[i]) for page, i in zip(pages, some, strict=True))
        assert right >= 195  # without the guesses about 170: most of the ones are lost
        assert not polarity or sum(page.polarity == polarity for page in pages) >= 195


def test_a_large_picture_filled_by_its_digit(held: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = held
    first = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    pages = read_singles([cut(images[i], 20) for i in first])
    assert sum(page.text == str(digit) for digit, page in enumerate(pages)) >= 9
    for page in pages:
        box = page.digits[0].box
        assert page.height == 400 or page.width == 400
        assert box[2] - box[0] > 0.85 * page.width
        assert box[3] - box[1] > 0.85 * page.height


def test_what_has_not_two_colours_is_not_guessed_at() -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:1:48j, 0:1:32j]
    pictures = [np.full((48, 32), grey, np.uint8) for grey in (0, 90, 255)]
    pictures += [(255 * slope).astype(np.uint8) for slope in (x, y, (x + y) / 2)]
    pictures += [np.clip(rng.normal(grey, 60, (28, 28)), 0, 255).astype(np.uint8) for grey in (0, 128, 255)]
    pictures += [
        rng.integers(0, 256, (40, 20), dtype=np.uint8),
        np.where(rng.random((40, 40)) < 0.5, 0, 255).astype(np.uint8),
    ]
    pictures.append(np.where(np.arange(32) < 12, 110, 130).astype(np.uint8) * np.ones((48, 1), np.uint8))
    for picture in pictures:
        assert all(mark.price == 0 for mark in find_marks(np.repeat(picture[..., None], 3, axis=2)))


@pytest.mark.parametrize("side", [8, 12, 16])
def test_tiny_images_are_read_either_way_up_to_their_edges(held: tuple[np.ndarray, np.ndarray], side: int) -> None:
    """As such sets are made: each pixel the mean of a block, and no margin."""
    images, labels = held[0][:300], held[1][:300]
    tiny = []
    for mark in map(cut, images):
        scale = side / max(mark.shape)
        size = max(1, round(mark.shape[1] * scale)), max(1, round(mark.shape[0] * scale))
        small = cv2.resize(mark, size, interpolation=cv2.INTER_AREA)
        place = np.zeros((side, side), np.uint8)
        place[: size[1], (side - size[0]) // 2 : (side - size[0]) // 2 + size[0]] = small
        tiny.append(place)
    for given in (tiny, [255 - image for image in tiny]):
        found = [page.text for page in read_singles(given)]
        right = np.mean([text == str(label) for text, label in zip(found, labels.tolist(), strict=True)])
        assert right > 0.96  # of the 5,000 held-out ones: bench.pages.hands
    shown = read_singles([255 - tiny[0]])[0]
    assert shown.polarity == "dark on light"
    x0, y0, x1, y1 = shown.digits[0].box
    assert side - 1 <= max(x1 - x0, y1 - y0) <= side


def test_a_tiny_blank_has_no_digit() -> None:
    for grey in (0, 128, 255):
        assert read_singles([np.full((8, 8), grey, np.uint8)])[0].text in ("", "?")


def test_a_guess_must_be_surer_than_ink_that_was_found(held: tuple[np.ndarray, np.ndarray]) -> None:
    def slightly_sure(images: np.ndarray) -> np.ndarray:
        answer = np.full(11, 0.01, np.float32)
        answer[3], answer[10] = 0.51, 0.4  # log odds of 0.4
        return np.tile(answer, (len(images), 1))

    images, labels = held
    ones = [cut(image) for image in images[labels == 1][:200]]
    guessed = next(one for one in ones if find_marks(np.repeat(one[..., None], 3, axis=2))[0].price > 0)
    assert read(images[0], slightly_sure, layout="single").text == "3"
    assert read(guessed, slightly_sure, layout="single").text == "?"
    assert read(guessed, slightly_sure, layout="single", min_confidence=0.2).text == "3"


def test_what_may_be_any_digit_is_none(pen: Pen) -> None:
    """Surely a digit, and none more than others: noise looks so."""

    def torn(images: np.ndarray) -> np.ndarray:
        return np.tile(np.array([0.4, 0.3, 0.29, *[0.0] * 7, 0.01], np.float32), (len(images), 1))

    assert read(pen.ink("7", (160, 160))[0], torn, layout="single").text == "?"


@pytest.mark.parametrize("outputs", [10, 11])
def test_a_lone_digit_that_is_rejected_still_appears(pen: Pen, outputs: int) -> None:
    def unsure(images: np.ndarray) -> np.ndarray:
        return np.full((len(images), outputs), 1 / outputs, np.float32)

    page = read(pen("3"), unsure, layout="single", min_confidence=0.5)
    assert page.text == "?"
    if outputs == 10:
        assert read(pen("3"), unsure, layout="single").text == "?"


def test_every_page_of_a_file(pen: Pen, tmp_path: Path) -> None:
    from PIL import Image

    texts = ["12", "345\n6", "7 8"]
    path = tmp_path / "pages.tif"
    first, *rest = (Image.fromarray(pen(text)) for text in texts)
    first.save(path, save_all=True, append_images=rest)
    pages = list(read_all(path))
    assert [page.text for page in pages] == texts
    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.name for page in pages] == [str(path)] * 3
    assert same(read(path), pages[0])


def test_a_page_as_json(pen: Pen) -> None:
    told = json.loads(json.dumps(read(pen("1,5 2")).as_json()))
    assert told["text"] == "1,5 2"
    assert [[d["label"] for d in number["digits"]] for number in told["lines"][0]["numbers"]] == [["1", "5"], ["2"]]


def test_mistakes_are_named(pen: Pen) -> None:
    image = pen("1")
    with pytest.raises(ValueError, match="layout: got 'page', expected one of 'lines', 'table', 'single'"):
        read(image, layout="page")
    with pytest.raises(ValueError, match=r"min_confidence: got 90, expected a number from 0 to 1. 90 % is 0.9"):
        read(image, min_confidence=90)
    with pytest.raises(TypeError, match=r"min_confidence: got str '0.9', expected a number from 0 to 1, or None"):
        read(image, min_confidence="0.9")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="min_confidence"):
        read(image, min_confidence=True)
    with pytest.raises(ValueError, match="pixels"):
        read(image, most_pixels=100)
    with pytest.raises(FileNotFoundError, match="no such file"):
        read("nowhere.png")
    with pytest.raises(TypeError, match="image: got"):
        read(3)
