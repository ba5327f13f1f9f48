"""``TensorBoard`` and ``MLflow``: what ``Model.fit`` reports, written where those two programs look for it.

Both write down the loss and the metrics of every ``log_freq``-th batch and of an epoch's last one, the learning rate, and
each evaluation, and leave ``fit`` as quick as it was: it still runs several batches at once. The two packages are
optional, and imported when a run begins. Nothing here trains, draws or starts a server. Read by users and ``runner``.
"""

from __future__ import annotations

import importlib
import numbers
import os
import time
from typing import Any

from lenet.callbacks.base import Callback, Logs
from lenet.messages.check import installing, message, positive_int
from lenet.optimizer.lr import LRScheduler

__all__ = ["MLflow", "TensorBoard", "Tracker", "VisualDL", "WandbCallback"]

_MOST_AT_ONCE = 900  # numbers in one call to MLflow, which takes 1000
_SECONDS = 5.0  # between two calls to MLflow while an epoch goes on
_LONGEST_PARAM = 500  # characters; what every MLflow takes


def _package(name: str, extra: str) -> Any:
    """An optional package; ImportError with the line to type if it isn't installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != name.split(".")[0]:
            raise
        missing = f"no package {error.name.split('.')[0]}"
        raise ImportError(
            message("callbacks", missing, "it installed", installing(extra, name.split(".")[0]))
        ) from None


def _numbers(prefix: str, logs: Logs | None) -> dict[str, float]:
    """The logs' numbers by ``prefix/name``; of a list with several, ``prefix/name_0`` and so on."""
    found = {}
    for name, value in (logs or {}).items():
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        for i, number in enumerate(values):
            if name not in ("step", "batch_size") and isinstance(number, numbers.Real):
                found[f"{prefix}/{name}" + (f"_{i}" if len(values) > 1 else "")] = float(number)
    return found


class Tracker(Callback):
    """What the two share: which numbers, when, and an end in any case. ``step``, ``epoch``: those trained on so far.

    A ``fit`` that ends by an exception calls no hook any more; ``runner`` then says ``_abandon``.
    """

    def __init__(self, log_freq: int) -> None:
        self.log_freq = positive_int(f"{type(self).__name__}(log_freq)", log_freq)
        self.step = 0
        self.epoch = 0
        self._rate = 0.0
        self._running = False

    def _start(self) -> None:
        """Make ready to write."""
        raise NotImplementedError

    def _write(self, values: dict[str, float], at: int) -> None:
        """Take these numbers down, at a step or an epoch."""
        raise NotImplementedError

    def _stop(self, whole: bool) -> None:
        """Write all that is left and close; ``whole``: the run came to its end."""
        raise NotImplementedError

    def _begin(self) -> None:
        self._abandon()
        self._start()
        self._running = True

    def _end(self, whole: bool) -> None:
        self._running = False
        self._stop(whole)

    def _abandon(self) -> None:
        """Close what an exception left open, if it did."""
        if self._running:
            self._end(whole=False)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin()

    def on_train_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        self._rate = self.model._optimizer.get_lr()  # of this step: LRScheduler moves it at the step's end

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        self.step += 1
        if (step + 1) % self.log_freq == 0:
            self._training(logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch += 1
        if ((logs or {})["step"] + 1) % self.log_freq:
            self._training(logs)

    def _training(self, logs: Logs | None) -> None:
        self._write(_numbers("train", logs) | {"train/learning_rate": self._rate}, self.step)

    def on_eval_end(self, logs: Logs | None = None) -> None:
        alone = not self._running  # an ``evaluate`` outside ``fit``
        if alone:
            self._begin()
        self._write(_numbers("eval", logs), self.epoch)
        if alone:
            self._end(whole=True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._end(whole=True)


class TensorBoard(Tracker):
    """Writes event files that ``tensorboard --logdir`` shows. Needs the package: ``pip install '.[tensorboard]'``.

    log_dir: a folder, made if need be; one folder per run, since TensorBoard shows whatever is in one as one curve. log_freq:
    every how many batches a point is written; also for the last of each epoch.

    Tags: ``train/loss`` (of that batch), ``train/<metric>`` (of the epoch so far) and ``train/learning_rate``, at the number
    of batches trained on; ``eval/loss``, of the last batch as ``evaluate`` reports it, and ``eval/<metric>``, at the number
    of epochs done. Both numbers go on counting if the same object is given to ``fit`` again. The file is complete also
    where ``fit`` ends by an exception or Ctrl-C. ImportError when a run begins without the package.
    """

    def __init__(self, log_dir: str | os.PathLike[str], log_freq: int = 10) -> None:
        super().__init__(log_freq)
        self.log_dir = os.fspath(log_dir)
        self._writer: Any = None
        self._protos: Any = None

    def _start(self) -> None:
        files = _package("tensorboard.summary.writer.event_file_writer", "tensorboard")
        self._protos = (
            _package("tensorboard.compat.proto.event_pb2", "tensorboard").Event,
            _package("tensorboard.compat.proto.summary_pb2", "tensorboard").Summary,
        )
        self._writer = files.EventFileWriter(self.log_dir, max_queue_size=1000, flush_secs=1)

    def _write(self, values: dict[str, float], at: int) -> None:
        event, summary = self._protos
        shown = summary(value=[summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        self._writer.add_event(event(wall_time=time.time(), step=at, summary=shown))

    def _stop(self, whole: bool) -> None:
        self._writer.close()
        self._writer = None


class MLflow(Tracker):
    """Writes each ``fit`` as a run of MLflow. Needs the package: ``pip install '.[mlflow]'``.

    experiment: its name, made if need be. run_name: MLflow invents one without. tracking_uri: where to, by default what
    MLflow has been told by ``mlflow.set_tracking_uri`` or ``MLFLOW_TRACKING_URI``, else its local store, the file
    ``mlflow.db`` in the working folder (files of a run go to ``mlruns/``). ``mlflow ui`` shows it, with the full package.
    log_freq: every how many batches a point is taken; also for the last of each epoch.

    A run gets the parameters optimizer, learning_rate, scheduler, batch_size, epochs, loss, network, weights (how many) and
    architecture (the layers in order); the metrics of ``TensorBoard``, by the same names; and at its end the file
    ``model.safetensors``. A ``fit`` that ends by an exception or Ctrl-C leaves a run FAILED, with all numbers until then.
    ``run_id``: of the last run. A run of the user's own is left alone. ImportError when a run begins without the package.
    MLflow sends statistics about its use to its makers unless ``MLFLOW_DISABLE_TELEMETRY=true`` is set.
    """

    def __init__(
        self,
        experiment: str = "lenet",
        run_name: str | None = None,
        tracking_uri: str | None = None,
        log_freq: int = 10,
    ) -> None:
        super().__init__(log_freq)
        self.experiment, self.run_name, self.tracking_uri = experiment, run_name, tracking_uri
        self.run_id: str | None = None
        self._client: Any = None
        self._entities: Any = None
        self._waiting: list[Any] = []
        self._params: dict[str, object] = {}
        self._sent = 0.0

    def _start(self) -> None:
        mlflow = _package("mlflow", "mlflow")
        if (self.tracking_uri or mlflow.get_tracking_uri()).startswith("sqlite"):
            _package("sqlalchemy", "mlflow")  # the small package, mlflow-skinny, comes without
            _package("alembic", "mlflow")
        self._entities = mlflow.entities
        self._client = mlflow.MlflowClient(tracking_uri=self.tracking_uri)
        known = self._client.get_experiment_by_name(self.experiment)
        number = self._client.create_experiment(self.experiment) if known is None else known.experiment_id
        self.run_id = self._client.create_run(number, run_name=self.run_name).info.run_id
        self.step = self.epoch = 0
        self._waiting, self._sent, self._params = [], time.monotonic(), self._facts()

    def _facts(self) -> dict[str, object]:
        """What is known of the run when it begins."""
        network, optimizer, epochs = self.model.network, self.model._optimizer, self.params.get("epochs")
        parts = [type(part).__name__ for part in network.sublayers() if not part.sublayers()]
        layers = " ".join(parts)
        facts: dict[str, object] = {
            "network": type(network).__name__,
            "weights": sum(p.size for p in network.parameters()),
            "architecture": layers if len(layers) <= _LONGEST_PARAM else f"{layers[: _LONGEST_PARAM - 1]}…",
        }
        if self.model._loss is not None:
            facts["loss"] = type(self.model._loss).__name__
        if epochs is not None:
            facts["epochs"] = epochs
        if optimizer is not None:
            facts |= {"optimizer": type(optimizer).__name__, "learning_rate": optimizer.get_lr()}
            if isinstance(optimizer._learning_rate, LRScheduler):
                facts["scheduler"] = type(optimizer._learning_rate).__name__
        return facts

    def _write(self, values: dict[str, float], at: int) -> None:
        now = int(time.time() * 1000)
        self._waiting += [self._entities.Metric(name, value, now, at) for name, value in values.items()]
        if len(self._waiting) >= _MOST_AT_ONCE or time.monotonic() - self._sent > _SECONDS:
            self._send()

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        params, self._params = self._params, {}
        pairs = [self._entities.Param(name, str(value)) for name, value in params.items()]
        self._sent = time.monotonic()
        while waiting or pairs:
            self._client.log_batch(self.run_id, metrics=waiting[:_MOST_AT_ONCE], params=pairs)
            waiting, pairs = waiting[_MOST_AT_ONCE:], []

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        if self.step == 0:
            self._params["batch_size"] = (logs or {})["batch_size"]  # which ``fit`` tells nobody before
        super().on_train_batch_end(step, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        self._send()

    def _stop(self, whole: bool) -> None:
        status = "FAILED"
        try:
            self._send()
            if whole:
                import tempfile  # slow to import, seldom needed

                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "model.safetensors")
                    self.model.save(path)
                    self._client.log_artifact(self.run_id, path)
                status = "FINISHED"
        finally:
            self._client.set_terminated(self.run_id, status)


class VisualDL(Callback):
    """Paddle's callback for its own viewer, which isn't here: NotImplementedError that names ``TensorBoard``."""

    def __init__(self, log_dir: str) -> None:
        fix = f"Type lenet.callbacks.TensorBoard({log_dir!r})"
        raise NotImplementedError(message("callbacks", "VisualDL, which lenet lacks", "TensorBoard or MLflow", fix))


class WandbCallback(Callback):
    """Paddle's callback for a web service, which isn't here: NotImplementedError that names ``MLflow``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        fix = "Type lenet.callbacks.MLflow(experiment=…)"
        raise NotImplementedError(
            message("callbacks", "WandbCallback, which lenet lacks", "MLflow or TensorBoard", fix)
        )
