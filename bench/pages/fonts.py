"""Fonts of handwriting and of print, halved once and for all, and the letters that no digit looks like.

Debian's packages hold them. Whoever develops a reader sees the development half alone; the final score is on the test half.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PIL import ImageFont

DEVELOPMENT, TEST = "validation", "test"  # named as the split of MNIST's images that each goes with
FOLDER = Path("/usr/share/fonts")
HALVES: dict[str, dict[str, tuple[str, ...]]] = {
    DEVELOPMENT: {
        "fonts-dkg-handwriting": tuple(f"truetype/fifthhorseman/dkg{style}.ttf" for style in ("", "Bd", "It", "BI")),
        "fonts-sjfonts": ("truetype/sjfonts/SteveHand.ttf",),
        "fonts-humor-sans": ("truetype/humor-sans/Humor-Sans.ttf",),
        "fonts-bwht": tuple(f"opentype/bwht/Because{verb}-Regular.otf" for verb in ("WeLearn", "WeMentor")),
    },
    TEST: {
        "fonts-breip": ("truetype/breip/Breip.ttf", "truetype/breip/breipfont.ttf"),
        "fonts-femkeklaver": ("truetype/femkeklaver/femkeklaver.ttf",),
        "fonts-rufscript": ("truetype/rufscript/Rufscript010.ttf",),
        "fonts-sjfonts": ("truetype/sjfonts/Delphine.ttf",),
        "fonts-bwht": tuple(
            f"opentype/bwht/BecauseWe{verb}-Regular.otf" for verb in ("Organize", "Connect", "Build", "Create")
        ),
    },
}
PRINT: dict[str, dict[str, tuple[str, ...]]] = {
    DEVELOPMENT: {
        "fonts-liberation": tuple(
            f"truetype/liberation/Liberation{face}.ttf" for face in ("Sans-Regular", "Serif-Regular", "Sans-Bold")
        ),
        "fonts-dejavu-core": ("truetype/dejavu/DejaVuSans.ttf", "truetype/dejavu/DejaVuSerif.ttf"),
    },
    TEST: {
        "fonts-urw-base35": tuple(
            f"opentype/urw-base35/{face}.otf"
            for face in ("NimbusSansNarrow-Regular", "URWGothic-Book", "C059-Roman", "P052-Roman", "URWGothic-Demi")
        ),
        "fonts-noto-mono": ("truetype/noto/NotoSansMono-Regular.ttf",),
    },
}
LIKE_DIGITS = "OoIlSsZzBbgq"
LETTERS = "".join(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in LIKE_DIGITS)


class FontsMissing(Exception):
    """A half's fonts aren't installed; the text names the packages."""


def files(half: str) -> list[Path]:
    """A half's handwriting, in one order everywhere. half: ``validation`` or ``test``; FontsMissing if one isn't there."""
    return there(HALVES[half], "handwriting fonts")


def printed(half: str) -> list[Path]:
    """A half's fonts of print, likewise."""
    return there(PRINT[half], "fonts of print")


def there(packages: dict[str, tuple[str, ...]], what: str) -> list[Path]:
    """The files of these packages; FontsMissing if one isn't there."""
    found = {package: [FOLDER / name for name in names] for package, names in packages.items()}
    missing = [package for package, paths in found.items() if not all(path.exists() for path in paths)]
    if missing:
        raise FontsMissing(f"{what} are missing: apt install {' '.join(missing)}")
    return [path for paths in found.values() for path in paths]


@functools.lru_cache(maxsize=256)
def font(path: Path, pixels: int) -> ImageFont.FreeTypeFont:
    """A font whose capital H is about that many pixels high, which differs from its nominal size."""
    trial = ImageFont.truetype(str(path), 100)
    _, top, _, bottom = trial.getbbox("H")
    return ImageFont.truetype(str(path), max(4, round(100 * pixels / max(1, bottom - top))))


@functools.lru_cache(maxsize=64)
def draws(path: Path) -> Callable[[str], bool]:
    """Whether a font has a glyph of its own for every letter of a text: some have capitals or small letters alone."""
    trial = ImageFont.truetype(str(path), 40)
    missing = bytes(trial.getmask("\uffff"))

    @functools.lru_cache(maxsize=256)
    def has(letter: str) -> bool:
        mask = trial.getmask(letter)
        return letter == " " or (mask.getbbox() is not None and bytes(mask) != missing)

    return lambda text: all(has(letter) for letter in text)
