"""The table's array rows: arithmetic, reductions, shapes and indexing in numpy, eager only, and ``Tensor``'s methods.

A row is a numpy function and its gradient: a line in ``elementwise``, ``arithmetic`` or ``reductions``, a few lines
elsewhere; ``row`` makes rows and functions of them. A network that uses one of them in ``forward`` runs eagerly;
``summary()`` says so. Importing this completes ``Tensor``. Names and behaviour are Paddle's.
"""

from lenet.autograd.array_rows import (
    activations,  # noqa: F401 - for nn.functional, as layers is
    arithmetic,
    arranging,
    creation,
    drawing,
    elementwise,
    indexing,
    joining,
    layers,  # noqa: F401
    linear_algebra,
    methods,
    pairs,
    products,
    reductions,
    running,
    shapes,
    special,
    statistics,
    writing,
)
from lenet.autograd.array_rows.arithmetic import *  # noqa: F403  - each file's __all__ is public
from lenet.autograd.array_rows.arranging import *  # noqa: F403
from lenet.autograd.array_rows.creation import *  # noqa: F403
from lenet.autograd.array_rows.drawing import *  # noqa: F403
from lenet.autograd.array_rows.elementwise import *  # noqa: F403
from lenet.autograd.array_rows.indexing import *  # noqa: F403
from lenet.autograd.array_rows.joining import *  # noqa: F403
from lenet.autograd.array_rows.linear_algebra import *  # noqa: F403
from lenet.autograd.array_rows.methods import *  # noqa: F403
from lenet.autograd.array_rows.pairs import *  # noqa: F403
from lenet.autograd.array_rows.products import *  # noqa: F403
from lenet.autograd.array_rows.reductions import *  # noqa: F403
from lenet.autograd.array_rows.running import *  # noqa: F403
from lenet.autograd.array_rows.shapes import *  # noqa: F403
from lenet.autograd.array_rows.special import *  # noqa: F403
from lenet.autograd.array_rows.statistics import *  # noqa: F403
from lenet.autograd.array_rows.writing import *  # noqa: F403

__all__ = [
    *arithmetic.__all__,
    *arranging.__all__,
    *creation.__all__,
    *drawing.__all__,
    *elementwise.__all__,
    *indexing.__all__,
    *joining.__all__,
    *linear_algebra.__all__,
    *methods.__all__,
    *pairs.__all__,
    *products.__all__,
    *reductions.__all__,
    *running.__all__,
    *writing.__all__,
    *shapes.__all__,
    *special.__all__,
    *statistics.__all__,
]
