"""What happens beside the training: printing, saving, stopping early, changing the rate (Paddle: ``paddle.callbacks``)."""

from lenet.callbacks.automatic import LRScheduler, ModelCheckpoint
from lenet.callbacks.base import Callback
from lenet.callbacks.ema import EMA
from lenet.callbacks.plateau import EarlyStopping, ReduceLROnPlateau
from lenet.callbacks.progbar import ProgBarLogger

__all__ = ["EMA", "Callback", "EarlyStopping", "LRScheduler", "ModelCheckpoint", "ProgBarLogger", "ReduceLROnPlateau"]
