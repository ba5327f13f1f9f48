"""The table's array rows: arithmetic, reductions, shapes and indexing in numpy, eager only, and ``Tensor``'s methods.

A row is a numpy function and its gradient: a line in ``elementwise``, ``arithmetic`` or ``reductions``, a few lines
elsewhere; ``row`` makes rows and functions of them. A network that uses one of them in ``forward`` runs eagerly;
``summary()`` says so. Importing this completes ``Tensor``. Names and behaviour are Paddle's.
"""

from lenet.autograd.array_rows import (
    activations,  # noqa: F401 - for nn.functional, as layers is
    arithmetic,
    creation,
    elementwise,
    indexing,
    layers,  # noqa: F401
    linear_algebra,
    methods,
    reductions,
    shapes,
)
from lenet.autograd.array_rows.arithmetic import *  # noqa: F403 - each file's __all__ is public
from lenet.autograd.array_rows.creation import *  # noqa: F403
from lenet.autograd.array_rows.elementwise import *  # noqa: F403
from lenet.autograd.array_rows.indexing import *  # noqa: F403
from lenet.autograd.array_rows.linear_algebra import *  # noqa: F403
from lenet.autograd.array_rows.methods import *  # noqa: F403
from lenet.autograd.array_rows.reductions import *  # noqa: F403
from lenet.autograd.array_rows.shapes import *  # noqa: F403

__all__ = [
    *arithmetic.__all__,
    *creation.__all__,
    *elementwise.__all__,
    *indexing.__all__,
    *linear_algebra.__all__,
    *methods.__all__,
    *reductions.__all__,
    *shapes.__all__,
]
