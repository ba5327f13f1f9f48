"""``DataParallel``: a network as Paddle's programs for several cards wrap it. There is one processor; the wrapper hands on."""

from __future__ import annotations

from typing import Any

from lenet.nn.layer import Layer

__all__ = ["DataParallel"]


class DataParallel(Layer):
    """The network within, called and saved as itself. The arguments beside it are Paddle's and change nothing."""

    def __init__(
        self,
        layers: Layer,
        strategy: Any = None,
        comm_buffer_size: int = 25,
        last_comm_buffer_size: int = 1,
        find_unused_parameters: bool = False,
        group: Any = None,
    ) -> None:
        super().__init__()
        self._layers = layers

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self._layers(*inputs, **kwargs)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The state of the network within."""
        return self._layers.state_dict(*args, **kwargs)

    def set_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The network within takes over a state."""
        return self._layers.set_state_dict(*args, **kwargs)

    set_dict = load_dict = set_state_dict

    def scale_loss(self, loss: Any) -> Any:
        """The loss as it is."""
        return loss

    def apply_collective_grads(self) -> None:
        """Does nothing: the gradients are there."""
