"""What happens beside the training: printing, saving, stopping early, changing the rate (Paddle: ``paddle.callbacks``)."""

from lenet.callbacks.automatic import LRScheduler, ModelCheckpoint
from lenet.callbacks.base import Callback
from lenet.callbacks.ema import EMA
from lenet.callbacks.plateau import EarlyStopping, ReduceLROnPlateau
from lenet.callbacks.progbar import ProgBarLogger
from lenet.callbacks.trackers import MLflow, TensorBoard
from lenet.callbacks.trackers import VisualDL as VisualDL
from lenet.callbacks.trackers import WandbCallback as WandbCallback

__all__ = [
    "EMA",
    "Callback",
    "EarlyStopping",
    "LRScheduler",
    "MLflow",
    "ModelCheckpoint",
    "ProgBarLogger",
    "ReduceLROnPlateau",
    "TensorBoard",
]
