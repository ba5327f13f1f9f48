"""Transforms beside real Paddle: the same images in, the same numbers out, the same random draws."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lenet.autograd import random as _random
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.vision import transforms as T

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (28, 24), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
L, RGB = Image.fromarray(GREY), Image.fromarray(COLOUR)
PLANES = RNG.random((3, 12, 17)).astype(np.float32)  # a Tensor's numbers, [C, H, W]


def numbers(x: Any) -> np.ndarray:
    """What an image of any form holds."""
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)


def same(ours: Any, theirs: Any) -> None:
    """Same kind of object, shape, dtype and bits."""
    assert isinstance(ours, Image.Image) == isinstance(theirs, Image.Image)
    assert isinstance(ours, np.ndarray) == isinstance(theirs, np.ndarray)
    assert numbers(ours).dtype == numbers(theirs).dtype
    np.testing.assert_array_equal(numbers(ours), numbers(theirs), strict=True)


def both(paddle, make, image, seed: int = 7) -> None:
    """``make(namespace)`` gives the transform; it must do the same in both worlds, several times over."""
    theirs_in = paddle.to_tensor(image.numpy()) if isinstance(image, Tensor) else image
    random.seed(seed)
    np.random.seed(seed)
    ours = [make(T)(image) for _ in range(8)]
    state, after = random.getstate(), np.random.get_state()[1].tolist()
    random.seed(seed)
    np.random.seed(seed)
    theirs = [make(paddle.vision.transforms)(theirs_in) for _ in range(8)]
    for a, b in zip(ours, theirs, strict=True):
        same(a, b)
    assert state == random.getstate()
    assert after == np.random.get_state()[1].tolist()


# ---- the three that the tutorial and its neighbours use --------------------------------------------------------------


@pytest.mark.parametrize(
    "image", [L, RGB, GREY, GREY[..., None], COLOUR, GREY.astype(np.float64), GREY.astype(np.float32)]
)
@pytest.mark.parametrize(
    "arguments",
    [
        ([127.5], [127.5], "CHW"),
        ([127.5], [127.5], "HWC"),
        ([0.1307], [0.3081]),
        (127.5, 127.5),
        (),
        ([100.0, 90.0, 80.0], [10.0, 20.0, 30.0], "HWC"),
        ([127.5], [127.5], "CHW", True),
        ((127,), np.array([127.5])),
    ],
)
def test_normalize(paddle, image, arguments):
    try:
        theirs = paddle.vision.transforms.Normalize(*arguments)(image)
    except ValueError:  # three numbers do not fit this image
        with pytest.raises(ValueError, match="broadcast"):
            T.Normalize(*arguments)(image)
    else:
        same(T.Normalize(*arguments)(image), theirs)


def test_the_tutorials_normalize():
    ours = T.Normalize(mean=[127.5], std=[127.5], data_format="CHW")(L)
    assert (ours.shape, ours.dtype, ours.min(), ours.max()) == ((1, 28, 24), np.float32, -1.0, 1.0)


def test_a_bare_number_makes_three_channels_of_a_grey_image():
    assert T.Normalize(127.5, 127.5)(L).shape == (3, 28, 24)
    assert T.normalize(L, 127.5, 127.5).shape == (1, 28, 24)


@pytest.mark.parametrize(
    ("mean", "std", "order"), [([0.5], [0.25], "CHW"), (0.5, 0.25, "CHW"), (0.4, 2.0, "CHW"), ([0.3], [3.0], "HWC")]
)
def test_normalize_of_a_tensor(paddle, mean, std, order):
    ours = T.Normalize(mean, std, order, True)(to_tensor(PLANES))
    same(ours, paddle.vision.transforms.Normalize(mean, std, order, True)(paddle.to_tensor(PLANES)))


def test_normalize_refuses_tensors_that_are_no_images():
    with pytest.raises(TypeError, match=r"Tensor of uint8 \[1, 2, 2\], expected a Tensor of floats"):
        T.Normalize([0.0], [1.0])(to_tensor(np.zeros((1, 2, 2), np.uint8)))
    with pytest.raises(RuntimeError, match=r"expected a Tensor \[C, H, W\]"):
        T.Normalize([0.0], [1.0])(to_tensor(np.zeros((2, 2), np.float32)))
    with pytest.raises(RuntimeError, match="'foo', expected 'CHW' or 'HWC'"):
        T.Normalize([0.0], [1.0], "foo")(to_tensor(PLANES))


def test_normalize_by_zero_warns_as_numpy_does():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert np.isinf(T.Normalize([300.0], [0.0])(L)).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I", "I;16", "F", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
@pytest.mark.parametrize("order", ["CHW", "HWC"])
def test_to_tensor_of_pillow_images(paddle, mode, order):
    image = Image.merge("HSV", [L] * 3) if mode == "HSV" else L.convert(mode)
    ours = T.ToTensor(order)(image)
    assert isinstance(ours, Tensor)
    same(ours, paddle.vision.transforms.ToTensor(order)(image))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64"])
@pytest.mark.parametrize("array", [GREY, GREY[..., None], COLOUR])
def test_to_tensor_of_arrays(paddle, array, dtype):
    same(T.ToTensor()(array.astype(dtype)), paddle.vision.transforms.ToTensor()(array.astype(dtype)))


def test_to_tensor_covers_every_pixel_value(paddle):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    same(T.to_tensor(ramp), paddle.vision.transforms.to_tensor(ramp))


def test_to_tensor_of_a_tensor():
    x = to_tensor(PLANES)
    assert T.ToTensor()(x) is x
    np.testing.assert_array_equal(T.ToTensor("HWC")(x).numpy(), PLANES.transpose(1, 2, 0))


@pytest.mark.parametrize(
    ("image", "order"), [(L, (2, 0, 1)), (GREY, (2, 0, 1)), (COLOUR, (2, 0, 1)), (RGB, (1, 0, 2)), (COLOUR, (-1, 0, 1))]
)
def test_transpose(paddle, image, order):
    same(T.Transpose(order)(image), paddle.vision.transforms.Transpose(order)(image))


def test_transpose_of_a_tensor(paddle):
    same(T.Transpose()(to_tensor(PLANES)), paddle.vision.transforms.Transpose()(paddle.to_tensor(PLANES)))


def test_transpose_with_a_wrong_order():
    with pytest.raises(ValueError, match=r"order: got \(0, 1\), expected each axis of \[28, 24, 1\] once"):
        T.Transpose((0, 1))(L)


# ---- Resize ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("image", [L, RGB])
@pytest.mark.parametrize("size", [8, 24, 40, (8, 10), [32, 32]])
@pytest.mark.parametrize("how", ["nearest", "bilinear", "bicubic", "box", "lanczos", "hamming"])
def test_resize_of_pillow_images(paddle, image, size, how):
    same(T.Resize(size, how)(image), paddle.vision.transforms.Resize(size, how)(image))


@pytest.mark.parametrize("how", ["nearest", "bilinear", "bicubic", "area"])
@pytest.mark.parametrize("size", [5, 12, 30, (7, 29), (24, 34), (2, 50)])
def test_resize_of_tensors(paddle, size, how):
    ours = T.Resize(size, how)(to_tensor(PLANES)).numpy()
    theirs = paddle.vision.transforms.Resize(size, how)(paddle.to_tensor(PLANES)).numpy()
    assert ours.dtype == theirs.dtype
    # Paddle works in float32, and its bicubic weights alone are off by some 1e-6.
    np.testing.assert_allclose(ours, theirs, atol=2e-6, rtol=0, strict=True)


def test_resize_of_arrays_is_that_of_pillow():
    same(T.Resize((9, 11))(GREY), np.asarray(L.resize((11, 9), Image.Resampling.BILINEAR)))
    same(T.Resize((9, 11))(GREY[..., None]), np.asarray(L.resize((11, 9), Image.Resampling.BILINEAR))[..., None])
    same(T.Resize((9, 11))(COLOUR), np.asarray(RGB.resize((11, 9), Image.Resampling.BILINEAR)))
    small = T.Resize(12, "area")(GREY.astype(np.float32))
    np.testing.assert_allclose(small, GREY.reshape(14, 2, 12, 2).mean((1, 3)), atol=1e-4)  # Pillow sums in float32
    assert T.Resize(12, "area")(GREY.astype(np.float64)).dtype == np.float64
    whole = T.Resize(12, "area")(GREY.astype(np.int32))
    assert whole.dtype == np.int32
    np.testing.assert_allclose(whole, small, atol=0.5)  # rounded to whole numbers


@pytest.mark.parametrize("size", [2.5, [1, 2, 3], "ab", None])
def test_resize_to_no_size(size):
    with pytest.raises(ValueError, match=r"size: got .* expected one whole number or \(height, width\)"):
        T.Resize(size)
    with pytest.raises(TypeError, match="size: got"):
        T.resize(L, size)


@pytest.mark.parametrize("image", [L, GREY, to_tensor(PLANES)])
def test_resize_by_an_unknown_filter(image):
    with pytest.raises(KeyError, match="interpolation: got 'foo', expected"):
        T.Resize(8, "foo")(image)


# ---- the geometric ones ----------------------------------------------------------------------------------------------

TENSOR = to_tensor(PLANES)
ONE_PLANE = to_tensor(PLANES[:1])


@pytest.mark.parametrize(
    ("make", "image"),
    [
        (lambda t: t.RandomHorizontalFlip(), L),
        (lambda t: t.RandomHorizontalFlip(0.3), TENSOR),
        (lambda t: t.RandomVerticalFlip(), RGB),
        (lambda t: t.RandomVerticalFlip(1), TENSOR),
        (lambda t: t.RandomCrop(10), L),
        (lambda t: t.RandomCrop((8, 24)), L),
        (lambda t: t.RandomCrop((28, 24)), L),
        (lambda t: t.RandomCrop(20, padding=(1, 2), fill=9), L),
        (lambda t: t.RandomCrop(28, padding=[1, 2, 3, 4], padding_mode="reflect"), L),
        (lambda t: t.RandomCrop(40, pad_if_needed=True), RGB),
        (lambda t: t.RandomCrop(9, padding=2), TENSOR),
        (lambda t: t.RandomCrop((8, 9)), GREY[..., None]),
        (lambda t: t.CenterCrop(11), L),
        (lambda t: t.CenterCrop((7, 40)), RGB),
        (lambda t: t.CenterCrop((7, 8)), TENSOR),
        (lambda t: t.CenterCrop((7, 8)), COLOUR),
        (lambda t: t.Pad(3), L),
        (lambda t: t.Pad(2, fill=200), L),
        (lambda t: t.Pad((1, 2), fill=(1, 2, 3)), RGB),
        (lambda t: t.Pad([1, 2, 3, 4], padding_mode="edge"), L),
        (lambda t: t.Pad(3, padding_mode="reflect"), RGB),
        (lambda t: t.Pad(3, padding_mode="symmetric"), L.convert("P")),
        (lambda t: t.Pad(2, fill=7), L.convert("P")),
        (lambda t: t.Pad((1, 2, 3, 4), fill=5), TENSOR),
        (lambda t: t.Pad(2, padding_mode="reflect"), TENSOR),
        (lambda t: t.Pad(2, padding_mode="edge"), TENSOR),
        (lambda t: t.RandomRotation(30, fill=(0,)), L),
        (lambda t: t.RandomRotation((10, 50), interpolation="bilinear", fill=(77,)), L),
        (lambda t: t.RandomRotation(90, expand=True), RGB),
        (lambda t: t.RandomRotation(90, interpolation="bicubic", center=(3, 4), fill=9), RGB),
        (lambda t: t.RandomAffine(30), L),
        (lambda t: t.RandomAffine(10, (0.1, 0.2), (0.8, 1.2), 10), L),
        (lambda t: t.RandomAffine((0, 90), [0.5, 0.1], [0.5, 0.6], (1, 5), "bilinear"), L),
        (lambda t: t.RandomAffine(10, shear=(-5, 5, 2, 20), interpolation="bicubic", center=(2, 3)), RGB),
        (lambda t: t.RandomAffine(0, shear=20, fill=None), L),
        (lambda t: t.RandomErasing(0.7), TENSOR),
        (lambda t: t.RandomErasing(1, (0.1, 0.5), (0.5, 2.0), 0.25), ONE_PLANE),
        (lambda t: t.RandomErasing(1, value=[1, 2, 3]), TENSOR),
        (lambda t: t.RandomErasing(0.5, value=[9, 8, 7]), COLOUR),
        (lambda t: t.RandomErasing(1, value="random"), COLOUR.astype(np.float64)),
        (lambda t: t.RandomErasing(1, value=[9, 8, 7]), RGB),
        (lambda t: t.Grayscale(), L),
        (lambda t: t.Grayscale(), RGB),
        (lambda t: t.Grayscale(3), RGB),
        (lambda t: t.Compose([t.RandomCrop(20), t.RandomHorizontalFlip(), t.ToTensor()]), L),
    ],
)
def test_beside_paddle(paddle, make, image):
    both(paddle, make, image)


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_tensors(paddle, channels):
    ours = T.Grayscale(channels)(TENSOR).numpy()
    theirs = paddle.vision.transforms.Grayscale(channels)(paddle.to_tensor(PLANES)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, strict=True)  # three products summed in another order


def test_random_erasing_of_a_tensor_draws_from_the_engines_stream(paddle):
    results = []
    for seed, t, x in ((_random.seed, T, TENSOR), (paddle.seed, paddle.vision.transforms, paddle.to_tensor(PLANES))):
        random.seed(1)
        np.random.seed(1)
        seed(5)
        results.append(t.RandomErasing(1, value="random")(x).numpy())
    np.testing.assert_array_equal(*results)


# Where Paddle fails or misbehaves and we do the kind thing.


def test_rotation_of_a_grey_image_takes_a_number_as_fill(paddle):
    random.seed(3)
    ours = T.RandomRotation(30, fill=50)(L)
    random.seed(3)
    same(ours, paddle.vision.transforms.RandomRotation(30, fill=(50,))(L))


def test_affine_heeds_its_fill():
    moved = np.asarray(T.affine(L, 0.0, (3, 2), 1.0, 0.0, fill=99))
    assert (moved[:2] == 99).all()
    assert (moved[:, :3] == 99).all()
    np.testing.assert_array_equal(moved[2:, 3:], GREY[:-2, :-3])


@pytest.mark.parametrize("form", [lambda x: x, lambda x: x[..., None], lambda x: np.repeat(x[..., None], 2, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int16])
def test_arrays_warp_as_pillow_images_do(form, dtype):
    array = form(GREY.astype(dtype))
    turned, moved = np.asarray(T.rotate(L, 20, fill=5)), np.asarray(T.affine(L, 5, (1, 2), 1.1, 3, fill=6))
    for ours, expected in ((T.rotate(array, 20, fill=5), turned), (T.affine(array, 5, (1, 2), 1.1, 3, fill=6), moved)):
        np.testing.assert_array_equal(ours, form(expected.astype(dtype)), strict=True)


def test_tensors_warp_as_their_planes_do():
    turned = T.rotate(to_tensor(np.stack([GREY, GREY + 1])), 20).numpy()
    np.testing.assert_array_equal(turned[0], np.asarray(T.rotate(L, 20)), strict=True)
    batch = T.affine(to_tensor(PLANES[None]), 5, (1, 2), 1.1, 3, "bilinear").numpy()
    np.testing.assert_array_equal(batch[0], T.affine(TENSOR, 5, (1, 2), 1.1, 3, "bilinear").numpy())
    assert batch.shape == (1, 3, 12, 17)


def test_flips_of_arrays():
    same(T.hflip(COLOUR), np.asarray(T.hflip(RGB)))
    same(T.vflip(COLOUR), np.asarray(T.vflip(RGB)))
    same(T.vflip(GREY), GREY[::-1].copy())


def test_pads_and_crops_of_arrays_are_those_of_pillow_images():
    for mode in ("constant", "edge", "reflect", "symmetric"):
        same(T.pad(COLOUR, (1, 2, 3, 4), (7, 8, 9), mode), np.asarray(T.pad(RGB, (1, 2, 3, 4), (7, 8, 9), mode)))
        same(T.pad(GREY, 3, 7, mode), np.asarray(T.pad(L, 3, 7, mode)))
    for window in ((2, 3, 4, 5), (-3, -2, 40, 50), (20, 20, 20, 2), (-9, 3, 5, 5), (30, 40, 2, 2)):
        same(T.crop(GREY, *window), np.asarray(T.crop(L, *window)))
        same(T.crop(to_tensor(GREY), *window), to_tensor(np.asarray(T.crop(L, *window))))
    same(T.center_crop(GREY, 50), np.asarray(T.center_crop(L, 50)))


def test_erasing_of_grey_images():
    for image in (L, GREY, GREY[..., None]):
        random.seed(0)
        np.random.seed(0)
        ours = T.RandomErasing(1, value=255)(image)
        changed = numbers(ours) != numbers(image)
        assert type(ours) is type(image)
        assert numbers(ours).shape == numbers(image).shape
        assert (numbers(ours)[changed] == 255).all()
        assert 10 < changed.sum() < 28 * 24 / 3
    noisy = T.RandomErasing(1, value="random")(GREY)
    assert noisy.dtype == np.uint8


def test_erase_in_place():
    array, tensor = GREY.copy(), to_tensor(PLANES)
    assert T.erase(array, 0, 0, 2, 2, 0, inplace=True) is array
    assert (array[:2, :2] == 0).all()
    assert T.erase(tensor, 0, 0, 2, 2, 0.0, inplace=True) is tensor
    assert (tensor.numpy()[:, :2, :2] == 0).all()
    assert T.erase(TENSOR, 0, 0, 2, 2, 0.0) is not TENSOR


def test_grey_arrays():
    same(T.to_grayscale(COLOUR), np.asarray(RGB.convert("L"))[..., None])
    same(T.to_grayscale(GREY, 3), np.repeat(GREY[..., None], 3, 2))
    same(T.to_grayscale(GREY[..., None]), GREY[..., None])
    assert T.to_grayscale(COLOUR.astype(np.float32)).shape == (20, 30, 1)
    assert T.to_grayscale(ONE_PLANE, 3).shape == [3, 12, 17]


# ---- Compose and BaseTransform ---------------------------------------------------------------------------------------


def test_compose_prints_and_raises_like_paddle(paddle, capsys):
    def fails(x):
        raise KeyError("mine")

    outputs = []
    for t in (T, paddle.vision.transforms):
        with pytest.raises(KeyError, match="mine"):
            t.Compose([lambda x: x, fails])(L)
        outputs.append(capsys.readouterr().out)
    assert outputs[0].splitlines()[:2] == outputs[1].splitlines()[:2]
    assert outputs[0].splitlines()[-1] == outputs[1].splitlines()[-1]


def test_compose_repr(paddle):
    for t in (T, paddle.vision.transforms):
        assert str(t.Compose([1, "a"])) == "Compose(\n    1\n    a\n)"


class Shift:
    """A transform written as Paddle's users write theirs."""

    def _get_params(self, inputs):
        return random.randint(0, 5)

    def _apply_image(self, image):
        return image + self.params

    def _apply_boxes(self, boxes):
        return boxes * self.params


@pytest.mark.parametrize("keys", [None, ("image", "boxes"), ["image", "image"], ("image", "image", "boxes")])
@pytest.mark.parametrize("inputs", [2, (2,), (2, 3), (2, 3, "label")])
def test_keys(paddle, keys, inputs):
    results = []
    for base in (T.BaseTransform, paddle.vision.transforms.BaseTransform):
        random.seed(2)
        kind = type("MyShift", (Shift, base), {})
        try:
            results.append(kind(keys)(inputs))
        except TypeError as error:  # the label is no box
            results.append(type(error))
    assert results[0] == results[1]


def test_keys_that_are_none():
    with pytest.raises(ValueError, match="keys: got int 5"):
        T.ToTensor(keys=5)
    with pytest.raises(ValueError, match="keys: got str 'image'"):
        T.ToTensor(keys="image")
    with pytest.raises(
        NotImplementedError, match=r"'foo', expected one of \['boxes', 'coords', 'image', 'mask'\].*_apply_foo"
    ):
        T.ToTensor(keys=("image", "foo"))
    for name in ("image", "boxes", "mask", "coords"):
        with pytest.raises(NotImplementedError, match=f"BaseTransform must define _apply_{name}"):
            T.BaseTransform((name,))(1)


# ---- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("image", [3, None, "x.png", [[1, 2]], np.zeros(5), np.zeros((2, 2, 2, 2))])
@pytest.mark.parametrize(
    "name", ["ToTensor", "Resize", "Transpose", "CenterCrop", "RandomRotation", "Grayscale", "Pad"]
)
def test_what_is_no_image(name, image):
    arguments = () if name in ("ToTensor", "Transpose", "Grayscale") else (3,)
    with pytest.raises(TypeError, match=r"image: got .* expected a Pillow image, a numpy array \[H, W\]"):
        getattr(T, name)(*arguments)(image)


@pytest.mark.parametrize("image", [3, None, "x.png"])
def test_normalize_of_what_is_no_image(image):
    with pytest.raises(TypeError, match="image: got"):
        T.Normalize([1.0], [1.0])(image)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: T.ToTensor("foo")(L), ValueError, "data_format: got 'foo', expected one of 'CHW', 'HWC'"),
        (lambda: T.RandomHorizontalFlip(2), ValueError, "prob: got 2, expected a number from 0 to 1"),
        (lambda: T.RandomVerticalFlip(-0.1), ValueError, "prob: got -0.1"),
        (lambda: T.CenterCrop("ab"), ValueError, "size: got str 'ab'"),
        (lambda: T.CenterCrop((1, 2, 3)), ValueError, "size: got tuple"),
        (lambda: T.Pad("a"), TypeError, "padding: got str 'a'"),
        (lambda: T.Pad((1, 2, 3)), ValueError, "padding: got 3 numbers"),
        (lambda: T.Pad(1, padding_mode="foo"), ValueError, "padding_mode: got 'foo'"),
        (lambda: T.pad(L, 1, None), TypeError, "fill: got NoneType None"),
        (lambda: T.RandomCrop(30)(L), ValueError, "image: got 28 x 24 pixels, expected at least 30 x 30"),
        (lambda: T.RandomRotation(-1), ValueError, "degrees: got -1, expected 0 or more"),
        (lambda: T.RandomRotation([1, 2, 3]), ValueError, "degrees: got 3 numbers"),
        (lambda: T.RandomRotation("x"), TypeError, "degrees: got str 'x'"),
        (lambda: T.RandomRotation(9, "foo")(L), KeyError, "interpolation: got 'foo'"),
        (lambda: T.RandomRotation(9, fill=(1, 2))(RGB), ValueError, "fill: got 2 numbers, expected one, or 3"),
        (lambda: T.RandomAffine(-1), ValueError, "degrees: got -1"),
        (lambda: T.RandomAffine(9, translate=(2, 0)), ValueError, "translate: got .2, 0., expected two shares"),
        (lambda: T.RandomAffine(9, translate=0.1), TypeError, "translate: got float 0.1"),
        (lambda: T.RandomAffine(9, scale=(0, 1)), ValueError, "scale: got .0, 1., expected two numbers above 0"),
        (lambda: T.RandomAffine(9, shear=(1, 2, 3)), ValueError, "shear: got 3 numbers"),
        (lambda: T.RandomAffine(9, interpolation="foo"), ValueError, "interpolation: got 'foo'"),
        (lambda: T.RandomAffine(9, fill=object()), TypeError, "fill: got object"),
        (lambda: T.RandomAffine(9, center=1), TypeError, "center: got int 1"),
        (lambda: T.affine(L, "x", (0, 0), 1, 0), TypeError, "angle: got"),
        (lambda: T.affine(L, 1, 3, 1, 0), TypeError, "translate: got int 3"),
        (lambda: T.affine(L, 1, (0, 0, 0), 1, 0), ValueError, "translate: got 3 numbers"),
        (lambda: T.affine(L, 1, (0, 0), 0, 0), ValueError, "scale: got 0"),
        (lambda: T.affine(L, 1, (0, 0), 1, "x"), TypeError, "shear: got str"),
        (lambda: T.affine(L, 1, (0, 0), 1, (1, 2, 3)), ValueError, "shear: got 3 numbers"),
        (lambda: T.affine(L, 1, (0, 0), 1, 0, 3), TypeError, "interpolation: got int 3"),
        (lambda: T.affine(L, 1, (0, 0), 1, 0, center=3), TypeError, "center: got int 3"),
        (lambda: T.RandomErasing(2), ValueError, "prob: got 2"),
        (lambda: T.RandomErasing(1, scale=(0.5, 0.1)), ValueError, "scale: got"),
        (lambda: T.RandomErasing(1, scale=1), TypeError, "scale: got int 1"),
        (lambda: T.RandomErasing(1, ratio=(0, 1)), ValueError, "ratio: got"),
        (lambda: T.RandomErasing(1, value="foo"), ValueError, "value: got 'foo', expected one of 'random'"),
        (lambda: T.RandomErasing(1, value=[1, 2]), ValueError, "value: got 2 numbers, expected one or three"),
        (lambda: T.RandomErasing(1, value=None), TypeError, "value: got NoneType"),
        (lambda: T.Grayscale(2)(L), ValueError, "num_output_channels: got 2, expected 1 or 3"),
    ],
)
def test_mistakes(make, error, text):
    with pytest.raises(error, match=text):
        make()
