"""Training by recipes: ``lenet.train(x, y)`` takes two arrays, ``lenet.train.train("fast")`` is what ``lenet train`` runs.

``Trained.load`` reads its file. ``recipes`` are data, ``loop`` runs them step by step, ``trainer`` makes a whole run of it,
``trained`` puts the result to use, ``on_arrays`` makes the call; ``runs`` and ``recording`` keep a history of runs, ``seeds``
trains several. Paddle's own way to train is ``lenet.Model``.
"""

from __future__ import annotations

import sys

from lenet.train import on_arrays
from lenet.train.cross_validation import Folds, folds
from lenet.train.data import DATASETS
from lenet.train.rate_search import RateSearch, lr_find
from lenet.train.recipes import RECIPES, Recipe
from lenet.train.runs import Recorded, RunRecord, Runs
from lenet.train.seeds import Seeds, train_seeds
from lenet.train.trained import Score, Trained
from lenet.train.trainer import Interrupted, Result, State, train

__all__ = [
    "DATASETS",
    "RECIPES",
    "Folds",
    "Interrupted",
    "RateSearch",
    "Recipe",
    "Recorded",
    "Result",
    "RunRecord",
    "Runs",
    "Score",
    "Seeds",
    "State",
    "Trained",
    "folds",
    "lr_find",
    "train",
    "train_seeds",
]

sys.modules[__name__].__class__ = on_arrays.Train  # a module that can be called (Python's data model, 3.3.2.2)
