"""``lenet.reading.shapes.form``: what becomes of a crop of ink, against MNIST's own images."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lenet.data import idx
from lenet.reading.shapes import form
from lenet.reading.shapes.form import digit_form, digit_forms


@pytest.fixture(scope="module")
def digits(small_mnist):
    """500 of MNIST's images."""
    names = small_mnist / "train-images-idx3-ubyte", small_mnist / "train-labels-idx1-ubyte"
    return idx.read_pair(*names)[0][:500]


def enlarged(image: np.ndarray, times: float) -> np.ndarray:
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, None, fx=times, fy=times, interpolation=how)


def centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    rows, columns = np.indices(image.shape)
    return float((rows * image).sum() / image.sum()), float((columns * image).sum() / image.sum())


def box(image: np.ndarray) -> tuple[int, int]:
    inked = image > form.INK
    return int(inked.any(axis=1).sum()), int(inked.any(axis=0).sum())


def ring(size: int, stroke: int) -> np.ndarray:
    image = np.zeros((size, size), np.uint8)
    return cv2.circle(image, (size // 2, size // 2), size // 3, 255, stroke, cv2.LINE_AA)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1])


# Mean |difference| of 255. MNIST's images differ by 46 from one another, on average; by up to 17 from themselves if they
# are blurred and brought back at twice their size, for a box then ends between two pixels.
@pytest.mark.parametrize(("times", "tolerance"), [(1, 6), (2, 12), (3, 10), (5, 11), (0.5, 17)])
def test_mnist_comes_back_from_any_size(digits, times, tolerance):
    found = digit_forms([enlarged(image, times) for image in digits])
    assert np.abs(found.astype(int) - digits).mean() < tolerance
    same = [correlation(a, b) for a, b in zip(found, digits, strict=True)]
    assert np.median(same) > (0.9 if times >= 1 else 0.85)


def test_an_ordinary_digit_is_hardly_touched(digits):
    width = form._ink_and_width(digits)[1]
    usual = digits[(width > 2.1) & (width < 3.1)]
    assert np.abs(digit_forms(list(usual)).astype(int) - usual).mean() < 3  # of 255: smoothing up and down again


def test_the_ink_fills_twenty_pixels_about_its_centre_of_mass(digits):
    found = digit_forms([enlarged(image, 3.3) for image in digits])
    longest = np.array([max(box(image)) for image in found])
    assert np.mean((longest >= 19) & (longest <= 21)) > 0.99  # the tips of some thick strokes are thinned away
    at = np.array([centre_of_mass(image) for image in found])
    assert np.abs(at - 14).max() < 0.55  # it is moved by whole pixels, as MNIST's are


def test_position_and_margin_do_not_matter(digits):
    image = enlarged(digits[0], 2)
    moved = np.zeros((200, 150), np.uint8)
    moved[90 : 90 + 56, 7 : 7 + 56] = image
    np.testing.assert_array_equal(digit_form(moved), digit_form(image))


@pytest.mark.parametrize("shape", [(60, 6), (6, 60), (40, 20)])
def test_the_aspect_is_kept(shape):
    found = digit_form(np.pad(np.full(shape, 255, np.uint8), 5))
    height, width = box(found)
    assert max(height, width) in (20, 21)
    assert min(height, width) == pytest.approx(20 * min(shape) / max(shape), abs=1.5)


@pytest.mark.parametrize(("stroke", "low", "high"), [(2, 1.3, 2.2), (12, 2.0, 3.2), (30, 3.0, 5.6)])
def test_strokes_come_near_those_of_mnist(stroke, low, high):
    crop = ring(120, stroke)
    raw = 20 * stroke / (2 * 120 // 3 + stroke)  # pixels that the stroke would have without it
    width = float(form._ink_and_width(digit_form(crop)[None])[1][0])
    assert low < width < high
    assert raw > 3.2 or width > raw - 0.2  # thin ones don't get thinner
    assert raw < 3.2 or width < raw + 0.1  # nor thick ones thicker


def test_the_width_of_a_bar_is_measured():
    images = np.zeros((3, 40, 40), np.uint8)
    for image, width in zip(images, (2, 4, 7), strict=True):
        image[5:35, 10 : 10 + width] = 255
    found = form._ink_and_width(images)[1]
    np.testing.assert_allclose(found, [2, 4, 7], rtol=0.25)  # a bar's ends count as edges too
    assert (np.diff(found) > 1).all()


def test_faint_ink_becomes_full_ink(digits):
    faint = (digits[:50] // 3).astype(np.uint8)
    assert np.median(digit_forms(list(faint)).max(axis=(1, 2))) > 230


@pytest.mark.parametrize(
    "crop",
    [np.zeros((30, 20), np.uint8), np.zeros((0, 5), np.uint8), np.full((9, 9), form.INK - 1, np.uint8)],
    ids=["paper", "empty", "too faint"],
)
def test_without_ink_it_is_blank(crop):
    assert not digit_form(crop).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (3, 2), (700, 900)])
def test_any_shape_becomes_an_image(shape):
    found = digit_form(np.full(shape, 255, np.uint8))
    assert found.shape == (28, 28)
    assert found.max() == 255


def test_many_are_as_each_alone(digits):
    crops = [enlarged(image, times) for image, times in zip(digits[:200], np.tile([0.4, 1, 2.7, 4], 50), strict=True)]
    together = digit_forms(crops)
    assert together.dtype == np.uint8
    for image, crop in zip(together[::17], crops[::17], strict=True):
        np.testing.assert_array_equal(image, digit_form(crop))


def test_none_give_none():
    assert digit_forms([]).shape == (0, 28, 28)


def test_crops_are_left_alone(digits):
    crop = digits[3].copy()
    digit_form(crop)
    np.testing.assert_array_equal(crop, digits[3])


@pytest.mark.parametrize(
    "crop",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8), [[0, 1]], np.zeros((4, 4), bool)],
    ids=["float", "colour", "list", "bool"],
)
def test_other_things_are_refused(crop):
    with pytest.raises(TypeError, match=r"crop: got .*, expected an array of uint8 \[h, w\]"):
        digit_form(crop)
