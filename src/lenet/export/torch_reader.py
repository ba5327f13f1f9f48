"""``lenet.from_torch``: a module of PyTorch as a network with the same weights.

``torch.export`` watches the module's forward pass; each of its operators becomes rows (``torch_operators``). At the end both
answer the same images, and a network that answers otherwise is refused. Writing is ``torch_module``'s.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.export.graph import Building, answers
from lenet.export.need import need
from lenet.export.torch_operators import Operators
from lenet.messages.check import MOST, describe, message, one_line
from lenet.nn import Layer

__all__ = ["agree", "from_torch"]

_BATCH = 3  # images that the module is watched with
_AGREE = 1e-4  # the largest difference of the answers, of the largest answer


def from_torch(module: Any, shape: Sequence[int] = (1, 28, 28)) -> Layer:
    """A network, in evaluation mode, that answers as a PyTorch module in evaluation mode does.

    module: a ``torch.nn.Module`` that takes float32 [N, *shape] to [N, K]. Its parameters keep their names and bits;
    linear weights [O, I] become [I, O], ``running_mean`` and ``running_var`` become ``_mean`` and ``_variance``. The module
    is left as it was.

    ImportError without PyTorch; TypeError for anything but a module; ValueError for a module with an operation that a
    network here hasn't, which is named with its layer and its line, for a forward that can't be watched, and for parameters
    that aren't float32.
    """
    need("from_torch", "torch")
    import torch

    if not isinstance(module, torch.nn.Module):
        fix = "from_torch(Net())" if isinstance(module, type) else "load_torch_state(net, state) takes a state dict"
        raise TypeError(message("from_torch", describe(module), "a torch.nn.Module", fix))
    size = tuple(int(side) for side in shape)
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise ValueError(message(f"from_torch, {name}", f"{tensor.dtype}", "float32", "Type module.float()"))
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        device = next((p.device for p in module.parameters()), torch.device("cpu"))
        images = torch.rand((_BATCH, *size), generator=torch.Generator().manual_seed(0)).to(device)
        program = _exported(module, images, size)
        building = Building("from_torch", size)
        Operators(building, program, module).run()
        network = building.network()
        more = torch.rand((_BATCH + 2, *size), generator=torch.Generator().manual_seed(1)).to(device)
        with torch.no_grad():
            theirs = module(more).cpu().numpy()
        agree("from_torch", theirs, answers(network, more.cpu().numpy()))
    finally:
        for part, mode in modes.items():
            part.training = mode
    return network


def _exported(module: Any, images: Any, size: tuple[int, ...]) -> Any:
    import torch

    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.export.export(module, (images,), strict=False)
    except Exception as error:  # whatever the module's own code or the tracer raises
        fix = "Type shape=(C, H, W) if its images have another one"
        given = f"a forward that fails on images {list(size)} ({one_line(str(error), 120)})"
        raise ValueError(one_line(message("from_torch", given, "operations on tensors alone", fix), MOST)) from None


def agree(what: str, theirs: NDArray[Any], ours: NDArray[np.float32]) -> None:
    """ValueError unless two networks answered alike, as far as float32 can tell."""
    if theirs.shape == ours.shape:
        apart = float(np.abs(theirs - ours).max(initial=0))
        if apart <= _AGREE * max(1.0, float(np.abs(theirs).max(initial=0))):
            return
        given = f"a network whose answers are {apart:.1e} apart from lenet's"
    else:
        given = f"answers of shape {list(theirs.shape)} where lenet's are {list(ours.shape)}"
    fix = "Its forward seems to go by the number or the values of the images"
    raise ValueError(message(what, given, "the same answers", fix))
