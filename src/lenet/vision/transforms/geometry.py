"""The image operations behind the transforms, as functions under Paddle's names.

Each takes one image in any of three forms and returns the same form: a Pillow image; a numpy array [H, W] or
[H, W, C]; a Tensor [..., C, H, W]. Nothing needs OpenCV: where pixels are resampled, arrays and Tensors go through
Pillow plane by plane (``_planes``), except that Tensors are resized by Paddle's own formula (``_resample``). Nothing
here is random, and nothing is recorded for gradients. Read by ``transforms`` and by users.

TypeError for what is none of the three forms; other errors stand with each function.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Tensor
from lenet.autograd.tensor import to_tensor as _tensor
from lenet.messages.check import choice, describe, message
from lenet.vision.transforms._planes import (
    GREY,
    crop_array,
    fill_for,
    filter_named,
    grey_array,
    inverse_affine,
    pad_array,
    through_pillow,
)
from lenet.vision.transforms._resample import resize_last_axes

__all__ = [
    "affine",
    "center_crop",
    "crop",
    "erase",
    "hflip",
    "normalize",
    "pad",
    "resize",
    "rotate",
    "to_grayscale",
    "to_tensor",
    "vflip",
]

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def kind_of(img: Any) -> str:
    """``"pil"``, ``"array"`` or ``"tensor"``; TypeError for anything else."""
    if isinstance(img, np.ndarray):
        if img.ndim in (2, 3):
            return "array"
    elif isinstance(img, Tensor):
        if len(img.shape) >= 2:
            return "tensor"
    else:
        from PIL import Image

        if isinstance(img, Image.Image):
            return "pil"
    expected = "a Pillow image, a numpy array [H, W] or [H, W, C], or a Tensor [C, H, W]"
    raise TypeError(message("image", describe(img), expected))


def size_of(img: Any) -> tuple[int, int]:
    """Width and height."""
    kind = kind_of(img)
    if kind == "pil":
        return cast("tuple[int, int]", img.size)
    height, width = img.shape[:2] if kind == "array" else img.shape[-2:]
    return width, height


def to_tensor(pic: Any, data_format: str = "CHW") -> Tensor:
    """A Pillow image or array as a Tensor [C, H, W], or [H, W, C] for ``data_format="HWC"``.

    uint8 becomes float32 divided by 255, so 0..1; other dtypes keep their values and dtype (Pillow's modes I and I;16
    give int32, F float32, 1 float32 of 0 and 1). A Tensor is returned as it is. ValueError for another data_format.
    """
    choice("data_format", data_format, ("CHW", "HWC"))
    kind = kind_of(pic)
    if kind == "tensor":
        return cast(Tensor, pic if data_format == "CHW" else _tensor(np.asarray(pic).transpose(1, 2, 0)))
    if kind == "pil":
        wide = {"I": np.int32, "I;16": np.int32, "F": np.float32}.get(pic.mode)
        values = np.asarray(pic, wide)
        if pic.mode == "1":
            values = values.astype(np.uint8) * np.uint8(255)
    else:
        values = pic
    if values.ndim == 2:
        values = values[:, :, None]
    if data_format == "CHW":
        values = values.transpose(2, 0, 1)
    if values.dtype == np.uint8:
        values = values.astype(np.float32) / np.float32(255)
    return _tensor(np.ascontiguousarray(values))


def normalize(
    img: Any,
    mean: float | Sequence[float],
    std: float | Sequence[float],
    data_format: str = "CHW",
    to_rgb: bool = False,
) -> Any:
    """``(img - mean) / std``, one mean and std a channel; a Pillow image becomes a float32 array.

    ``"CHW"`` lays mean and std along the first of three axes, any other data_format along the last, and numpy
    broadcasts: a grey [H, W] image with one mean gives [1, H, W], with three means [3, H, W]. uint8 becomes float32,
    float64 stays. to_rgb reverses the last axis of an array first. A Tensor must be float and have 3 or 4 axes (else
    TypeError, RuntimeError); to_rgb does not apply to it.
    """
    if isinstance(img, Tensor):
        return _normalize_tensor(img, mean, std, data_format)
    if not isinstance(img, np.ndarray):
        kind_of(img)
        img = np.asarray(img).astype(np.float32)
    axes = (-1, 1, 1) if data_format == "CHW" else (1, 1, -1)
    centre = np.array(mean).reshape(axes).astype(np.float32)
    spread = np.array(std).reshape(axes).astype(np.float32)
    if to_rgb:
        img = img[..., ::-1]
    return (img - centre) / spread


def _normalize_tensor(img: Tensor, mean: Any, std: Any, data_format: str) -> Tensor:
    values = np.asarray(img)
    if values.ndim not in (3, 4):
        raise RuntimeError(message("Normalize", describe(img), "a Tensor [C, H, W] or [N, C, H, W]"))
    if values.dtype.kind != "f":
        fix = "Convert it with x.astype('float32') or let ToTensor() come first."
        raise TypeError(message("Normalize", describe(img), "a Tensor of floats", fix))
    if data_format.upper() not in ("CHW", "HWC"):
        raise RuntimeError(message("data_format", repr(data_format), "'CHW' or 'HWC'"))
    axes = (-1, 1, 1) if data_format.upper() == "CHW" else (-1,)
    centre, spread = (np.array(v).astype(np.float32).reshape(axes) for v in (mean, std))
    return _tensor((values - centre) / spread)


def resize(img: Any, size: int | Sequence[int], interpolation: str = "bilinear") -> Any:
    """Resize to ``size``: (height, width), or one number for the shorter side with the proportions kept.

    interpolation: nearest, bilinear, bicubic, box, lanczos or hamming; for Tensors nearest, bilinear, bicubic or area.
    Pillow and arrays are smoothed when they shrink, Tensors are not, as in Paddle. TypeError for another kind of size,
    KeyError for an unknown interpolation.
    """
    kind = kind_of(img)
    width, height = size_of(img)
    new_height, new_width = _target(size, width, height)
    if isinstance(size, numbers.Integral) and min(width, height) == size:
        return img
    if kind == "tensor":
        return _tensor(resize_last_axes(np.asarray(img), (new_height, new_width), interpolation))
    how = filter_named(interpolation)
    if kind == "pil":
        return img.resize((new_width, new_height), how)
    return through_pillow(img, lambda plane, _: plane.resize((new_width, new_height), how))


def pair_of(size: Any) -> tuple[int, int]:
    """(height, width) from such a pair or one number; ValueError for anything else."""
    if isinstance(size, numbers.Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if isinstance(size, str) or not hasattr(size, "__len__") or len(size) != 2:
        raise ValueError(message("size", describe(size), "one whole number or (height, width)"))
    return int(size[0]), int(size[1])


def _target(size: Any, width: int, height: int) -> tuple[int, int]:
    """Height and width that ``size`` asks for."""
    if isinstance(size, numbers.Integral):
        side = int(size)
        if width < height:
            return int(side * height / width), side
        return side, int(side * width / height)
    if isinstance(size, str) or not hasattr(size, "__len__") or len(size) != 2:
        raise TypeError(message("size", describe(size), "one whole number or (height, width)"))
    return int(size[0]), int(size[1])


def pad(img: Any, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> Any:
    """Put a border around an image.

    padding: one width for all sides, (left and right, top and bottom), or (left, top, right, bottom), in pixels.
    padding_mode: constant (of value ``fill``, a number or one a channel), edge, reflect or symmetric. TypeError or
    ValueError, naming the argument, for anything else.
    """
    left, top, right, bottom = sides_of(padding)
    choice("padding_mode", padding_mode, PADDING_MODES)
    if not isinstance(fill, (numbers.Number, str, list, tuple)):
        raise TypeError(message("fill", describe(fill), "a number or one number a channel"))
    kind = kind_of(img)
    if kind == "pil":
        if padding_mode == "constant":
            from PIL import ImageOps

            colour: Any = tuple(fill) if isinstance(fill, list) else fill
            return ImageOps.expand(img, (left, top, right, bottom), colour)
        return _like_pillow(img, pad_array(np.asarray(img), (left, top, right, bottom), fill, padding_mode))
    if kind == "array":
        return pad_array(img, (left, top, right, bottom), fill, padding_mode)
    return _on_planes(img, lambda planes: pad_array(planes, (left, top, right, bottom), fill, padding_mode))


def sides_of(padding: Any) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    if isinstance(padding, numbers.Integral):
        return (int(padding),) * 4
    if not isinstance(padding, (list, tuple)):
        raise TypeError(message("padding", describe(padding), "a whole number, or a list or tuple of 2 or 4"))
    if len(padding) not in (2, 4):
        expected = "a number, (left and right, top and bottom) or (left, top, right, bottom)"
        raise ValueError(message("padding", f"{len(padding)} numbers", expected))
    values = tuple(int(side) for side in padding)
    return cast("tuple[int, int, int, int]", values if len(values) == 4 else values * 2)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The window of ``height`` x ``width`` whose upper left pixel is (top, left); what lies outside is 0."""
    kind = kind_of(img)
    if kind == "pil":
        return img.crop((left, top, left + width, top + height))
    if kind == "array":
        return crop_array(img, top, left, height, width)
    return _on_planes(img, lambda planes: crop_array(planes, top, left, height, width))


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """The middle of an image, (height, width) or a square; an image that is smaller gets a border of 0."""
    high, wide = pair_of(output_size)
    width, height = size_of(img)
    return crop(img, round((height - high) / 2.0), round((width - wide) / 2.0), high, wide)


def hflip(img: Any) -> Any:
    """The image mirrored left to right."""
    kind = kind_of(img)
    if kind == "pil":
        from PIL import Image

        return img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return img[:, ::-1].copy() if kind == "array" else _tensor(np.asarray(img)[..., ::-1].copy())


def vflip(img: Any) -> Any:
    """The image turned upside down."""
    kind = kind_of(img)
    if kind == "pil":
        from PIL import Image

        return img.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return img[::-1].copy() if kind == "array" else _tensor(np.asarray(img)[..., ::-1, :].copy())


def rotate(
    img: Any,
    angle: float,
    interpolation: str = "nearest",
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Any = 0,
) -> Any:
    """The image turned by ``angle`` degrees, counter-clockwise, around ``center`` (x, y; None: the middle).

    expand enlarges the result to hold all of it. fill: the value outside the image, a number or one a channel.
    interpolation: nearest, bilinear or bicubic; KeyError for an unknown one.
    """
    how = filter_named(interpolation)
    middle = None if center is None else tuple(center)
    return warped(img, lambda plane, value: plane.rotate(angle, how, expand, middle, fillcolor=value), fill)


def affine(
    img: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: str = "nearest",
    fill: Any = 0,
    center: Sequence[float] | None = None,
) -> Any:
    """The image rotated, scaled and sheared around ``center`` (x, y; None: the middle), then moved.

    angle in degrees, clockwise as y points down; translate (right, down) in pixels; scale above 0; shear in degrees, x
    or (x, y); fill: the value outside the image. TypeError or ValueError, naming the argument, for anything else.
    """
    if not isinstance(angle, (int, float)):
        raise TypeError(message("angle", describe(angle), "a number of degrees"))
    if not isinstance(translate, (list, tuple)):
        raise TypeError(message("translate", describe(translate), "a list or tuple (right, down)"))
    if len(translate) != 2:
        raise ValueError(message("translate", f"{len(translate)} numbers", "two, (right, down)"))
    if scale <= 0.0:
        raise ValueError(message("scale", scale, "a number above 0"))
    if isinstance(shear, numbers.Number):
        shear = (cast(float, shear), 0.0)
    if not isinstance(shear, (list, tuple)):
        raise TypeError(message("shear", describe(shear), "a number of degrees or (x, y)"))
    if len(shear) not in (1, 2):
        raise ValueError(message("shear", f"{len(shear)} numbers", "one or two"))
    if not isinstance(interpolation, str):
        raise TypeError(message("interpolation", describe(interpolation), "a name such as 'nearest'"))
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError(message("center", describe(center), "a list or tuple (x, y)"))

    from PIL import Image

    width, height = size_of(img)
    middle = (width * 0.5, height * 0.5) if center is None else (center[0], center[1])
    matrix = inverse_affine(middle, angle, (translate[0], translate[1]), scale, (shear[0], shear[-1]))
    how, method = filter_named(interpolation), Image.Transform.AFFINE
    return warped(img, lambda plane, value: plane.transform(plane.size, method, matrix, how, fillcolor=value), fill)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """A grey image of one channel, or of three equal ones. ValueError for another number of channels."""
    if num_output_channels not in (1, 3):
        raise ValueError(message("num_output_channels", num_output_channels, "1 or 3"))
    kind = kind_of(img)
    if kind == "pil":
        from PIL import Image

        grey = img.convert("L")
        return grey if num_output_channels == 1 else Image.merge("RGB", [grey] * 3)
    if kind == "array":
        return np.repeat(grey_array(img), num_output_channels, axis=2)
    values = np.asarray(img)
    if values.shape[-3] == 3:
        weights = np.array(GREY, values.dtype).reshape(3, 1, 1)
        values = (values * weights).sum(axis=-3, keepdims=True, dtype=values.dtype)
    return _tensor(np.repeat(values[..., :1, :, :], num_output_channels, axis=-3))


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """``v`` written over the window of ``h`` x ``w`` pixels whose upper left one is (i, j).

    v: a number, or an array that broadcasts to the window, in the image's own layout. inplace: change an array or
    Tensor itself instead of a copy; a Pillow image is always copied.
    """
    kind = kind_of(img)
    if kind == "tensor":
        values = np.array(np.asarray(img))
        values[..., i : i + h, j : j + w] = np.asarray(v)
        if not inplace:
            return _tensor(values)
        img.set_value(values)
        return img
    if kind == "pil":
        return _like_pillow(img, erase(np.array(img), i, j, h, w, v, True))
    target = img if inplace else img.copy()
    value = np.asarray(v)
    if target.dtype.kind in "iu":  # a random value may lie outside what the dtype holds
        limits = np.iinfo(target.dtype)
        value = value.clip(limits.min, limits.max)
    if target.ndim == 2 and value.ndim == 3:
        value = value[..., 0]
    target[i : i + h, j : j + w] = value
    return target


def _on_planes(img: Tensor, work: Any) -> Tensor:
    """``work`` on an array [H, W, planes], for the planes of a Tensor [..., H, W]."""
    values = np.asarray(img)
    *others, height, width = values.shape
    done = work(values.reshape(-1, height, width).transpose(1, 2, 0)).transpose(2, 0, 1)
    return _tensor(np.ascontiguousarray(done).reshape(*others, *done.shape[1:]))


def warped(img: Any, work: Any, fill: Any) -> Any:
    """``work(plane, fill of that plane)`` on the planes of an array or Tensor, or on a whole Pillow image."""
    kind = kind_of(img)
    if kind == "pil":
        return work(img, fill_for(fill, len(img.getbands())))
    if kind == "array":
        return through_pillow(img, work, fill)
    return _on_planes(img, lambda planes: through_pillow(planes, work, fill))


def _like_pillow(img: Any, values: NDArray[Any]) -> Any:
    """``values`` as a Pillow image of ``img``'s mode and palette."""
    from PIL import Image

    made = Image.fromarray(values)
    if img.mode == "P":
        made.putpalette(img.getpalette())
    return made
