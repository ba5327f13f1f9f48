"""A network's plan for answers, kept as long as the network stays as it is. Read by ``state``, ``steps`` and ``passes``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import dense
from lenet.jit import plan
from lenet.nn.layer import Layer, mutations

__all__ = ["Answers"]


class Answers:
    """A network's plan for evaluation, kept as long as it is true; where the network can't have one, that is kept."""

    def __init__(self) -> None:
        # The images' shape, ``mutations()`` and the plan. Replaced as a whole: several threads may ask at once.
        self._kept: tuple[tuple[int, ...], int, plan.Chain | None] = ((), -1, None)

    def chain(
        self, network: Layer, shape: tuple[int, ...], sample: Callable[[], NDArray[np.float32]]
    ) -> plan.Chain | None:
        """The plan for images of this shape; None: run the network itself, which is in evaluation mode now.

        sample: gives a batch of such images, float32 [N, *shape], for the network to be watched on.
        """
        known, seen, chain = self._kept
        if known != shape or seen != mutations():
            network.eval()
            seen = mutations()
            found = plan.compile(network, None, None, [dense(np.ascontiguousarray(sample()))])
            chain = found if isinstance(found, plan.Chain) else None
            # What a forward that can't be a plan has just assigned to the network is no news.
            self._kept = (shape, mutations() if chain is None else seen, chain)
        return chain

    def known(self, images: Any) -> plan.Chain | None:
        """The plan for these images, if there is one already and they are float32."""
        if type(images) is not np.ndarray or images.dtype != np.float32 or not images.ndim:
            return None
        shape, seen, chain = self._kept
        return chain if shape == images.shape[1:] and seen == mutations() else None

    def network_ran(self) -> None:
        """What ``forward`` has just assigned to the network, which has no plan, is no news."""
        shape, _, chain = self._kept
        if chain is None:
            self._kept = (shape, mutations(), None)
