"""The recipes: how a network is trained, as plain data. A new recipe is a new row of ``RECIPES``.

``loop`` alone acts on them. A recipe names no data set, no file and no thread; epochs and batch size may be overridden
for a run. Sources: Adam: Kingma and Ba 2015. Label smoothing: Szegedy et al. 2016. Warm-up and linear decay, known as
one cycle: Smith and Topin 2017. Averaged weights: Polyak and Juditsky 1992. The numbers of ``fast``, ``best`` and ``tiny`` were
chosen by bench/accuracy/recipes.py on the held-out images.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from lenet.data.augment import Augmentation
from lenet.messages.check import brief, choice, describe, message

__all__ = ["RECIPES", "Recipe", "changed", "recipe_named"]


class Recipe(NamedTuple):
    """One way to train. Rates are per step, ``warmup`` and ``held_out`` shares of the whole (0 to 1), shifts pixels of 28."""

    name: str
    about: str  # one line for --help
    epochs: int
    batch_size: int
    rate: float  # the learning rate at its highest
    warmup: float = 0.0  # this share of the steps rises linearly to ``rate``
    decay: bool = False  # the rest falls linearly to 0
    beta2: float = 0.999
    smoothing: float = 0.0  # of the labels
    fan_in_start: bool = False  # weights and biases from U(+-1/sqrt(fan_in)), else Paddle's initialisers
    augment: Augmentation = Augmentation()  # what happens to each image, anew in each epoch
    average: float = 0.0  # the result is the weights' running average, of which this much stays at a step; 0: the last
    held_out: float = 0.0  # this share of the training images is never trained on
    network: str = "lenet"  # of ``networks.NETWORKS``, unless a run names another
    paddle_order: bool = False  # each epoch in the order of Paddle's Model.fit, else in ``data.counter``'s

    def as_json(self) -> dict[str, Any]:
        """Its numbers by name, as a model file records them."""
        return self._asdict() | {"augment": self.augment._asdict()}

    @classmethod
    def of_json(cls, numbers: dict[str, Any]) -> Recipe:
        """The inverse of ``as_json``; TypeError for other names, and for values that no recipe has."""
        augment = Augmentation(**numbers["augment"])
        for name, value in (*numbers.items(), *augment._asdict().items()):
            usual = cls._field_defaults.get(name, 0)  # whose kind it has
            kinds = (
                (str,) if name in ("name", "about", "network") else (bool,) if isinstance(usual, bool) else (int, float)
            )
            if name != "augment" and type(value) not in kinds:
                raise TypeError(message(f"recipe, {name}", describe(value), "what a recipe has there"))
        return cls(**numbers | {"augment": augment})

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of ``step`` (from 0) of ``steps``."""
        rising = self.warmup * steps
        if step < rising:
            return self.rate * (step + 1) / (rising + 1)
        return self.rate * (steps - step) / (steps - rising) if self.decay else self.rate


_BEST = Recipe(
    "best",
    "a LeNet of 16 and 32 filters, 24 epochs with affine augmentation and averaged weights; 99.6 % on MNIST in a minute",
    epochs=24,
    batch_size=128,
    rate=2e-3,
    warmup=0.1,
    decay=True,
    beta2=0.99,
    smoothing=0.03,
    fan_in_start=True,
    augment=Augmentation(shift=2, rotate=10, scale=0.1, shear=0.1),
    average=0.998,
    held_out=1 / 12,
    network="lenet_wide",
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "tutorial",
            "Paddle's tutorial to the bit: Adam at 0.001, batches of 64, two epochs, all training images",
            epochs=2,
            batch_size=64,
            rate=1e-3,
            paddle_order=True,
        ),
        Recipe(
            "fast",
            "two epochs with warm-up and decay, label smoothing and random shifts; over 99 % on MNIST",
            epochs=2,
            batch_size=64,
            rate=5e-3,
            warmup=0.2,
            decay=True,
            beta2=0.99,
            smoothing=0.03,
            fan_in_start=True,
            augment=Augmentation(shift=1),
            held_out=1 / 12,
        ),
        _BEST,
        _BEST._replace(
            name="tiny",
            about="under 8,000 parameters, with batch normalisation; 99.5 % on MNIST in a minute",
            rate=1e-2,
            network="tiny",
        ),
        Recipe(
            "small",
            "a small VGG with batch normalisation, twelve epochs of shifted images; for other sizes, and for colour",
            epochs=12,
            batch_size=64,
            rate=3e-3,
            warmup=0.2,
            decay=True,
            smoothing=0.05,
            augment=Augmentation(shift=2),
            held_out=1 / 12,
            network="vgg_small",
        ),
    )
}


def recipe_named(recipe: str | Recipe) -> Recipe:
    """The recipe of that name, or the one given; ValueError naming them all for an unknown name."""
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, str):
        fix = "Images come second: train('fast', (ArrayDataset(images, labels), ArrayDataset(...)))"
        raise TypeError(message("recipe", describe(recipe), "a recipe's name or a Recipe", fix))
    return RECIPES[choice("recipe", recipe, RECIPES)]


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with some of its numbers changed, those of augmentation as ``augment.shift`` and the like.

    ValueError naming them all for an unknown name, or for a value that makes no sense there.
    """
    numbers = {name: value for name, value in recipe.as_json().items() if name not in ("name", "about", "augment")}
    moves = {f"augment.{name}": value for name, value in recipe.augment._asdict().items()}
    for name, value in changes.items():
        choice("setting", name, [*numbers, *moves])
        checked = _setting(name, value, (numbers | moves)[name])
        (moves if name in moves else numbers)[name] = checked
    augment = Augmentation(**{name.removeprefix("augment."): value for name, value in moves.items()})
    return recipe._replace(**numbers, augment=augment)


_LIMITS = {  # the lowest and highest value of each number that is no flag and no word
    "epochs": (1, 1_000_000), "batch_size": (1, 1_000_000), "rate": (0, 1e3), "warmup": (0, 1), "beta2": (0, 0.99999),
    "smoothing": (0, 0.99), "average": (0, 0.99999), "held_out": (0, 0.5), "augment.shift": (0, 1000),
    "augment.rotate": (0, 180), "augment.scale": (0, 0.9), "augment.shear": (0, 10), "augment.mirror": (0, 1),
}  # fmt: skip


def _setting(name: str, value: Any, usual: Any) -> Any:
    """A setting's value out of text or as it is, of the kind of the usual one."""
    if isinstance(usual, str):
        return str(value)
    if isinstance(usual, bool):
        word = str(value).lower()
        return choice(name, word, ("true", "false")) == "true"
    low, high = _LIMITS[name]
    whole = name in ("epochs", "batch_size")
    try:
        found = int(value) if whole else float(value)
    except (TypeError, ValueError):
        found = -1
    if isinstance(value, bool) or not low <= found <= high:
        raise ValueError(message(name, brief(value), f"a {'whole ' if whole else ''}number from {low} to {high}"))
    return found
