"""The operations as plain functions, without parameters of their own (Paddle: ``paddle.nn.functional``, usually ``F``).

Each is one call into the table of operations (``autograd.table``), or a short composition where the table has no such row;
the latter always runs eagerly. Only what needs no look at the numbers is checked here; shapes are the table's business.
Images are float32 [N, C, H, W]. ``name`` is Paddle's and changes nothing.
"""

from lenet.nn.functional import activation, common, conv, likelihood, loss, norm, pixels, pooling, ranking
from lenet.nn.functional.activation import *  # noqa: F403 - each file's __all__ is public
from lenet.nn.functional.common import *  # noqa: F403
from lenet.nn.functional.conv import *  # noqa: F403
from lenet.nn.functional.likelihood import *  # noqa: F403
from lenet.nn.functional.loss import *  # noqa: F403
from lenet.nn.functional.norm import *  # noqa: F403
from lenet.nn.functional.pixels import *  # noqa: F403
from lenet.nn.functional.pooling import *  # noqa: F403
from lenet.nn.functional.ranking import *  # noqa: F403

__all__ = [
    *activation.__all__,
    *common.__all__,
    *conv.__all__,
    *likelihood.__all__,
    *loss.__all__,
    *norm.__all__,
    *pixels.__all__,
    *pooling.__all__,
    *ranking.__all__,
]
