"""``Model``: a network with its optimizer, loss and metrics, and the loops around them (Paddle: ``paddle.Model``).

The surface is Paddle's, with its names, defaults, printed lines and return values. The work is done elsewhere: ``feed``
reads batches, ``steps`` runs one, ``passes`` runs an epoch, ``files`` reads and writes. Where Paddle falls over its own feet,
this does what was meant: a second ``fit`` runs all its epochs, metrics start at zero, every mistake is a clear error.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Parameter, Tensor, to_tensor
from lenet.callbacks import EarlyStopping
from lenet.callbacks.runner import CallbackList
from lenet.html import notebook
from lenet.messages.check import describe, message, positive_int
from lenet.metric import Metric
from lenet.model import arrays, files
from lenet.model.feed import Feed
from lenet.model.history import History
from lenet.model.passes import Evaluation, Prediction, TrainingEpoch
from lenet.model.state import State, as_list
from lenet.model.steps import Trouble, add_to_metrics, explain, forward, losses_of, train_step
from lenet.model.turns import turn
from lenet.modelfile.summary import summary
from lenet.nn import Layer
from lenet.optimizer import Optimizer

__all__ = ["Model"]


class Model(State):
    """A network to be trained: ``Model(net)``, ``prepare``, then ``fit``, ``evaluate``, ``predict``.

    network: a Layer whose ``forward`` takes the batch's first fields, as many as it has arguments without a default, and
    those with one as long as a field is left for the label. inputs: objects with a ``.shape``, one for each input; then
    their number decides, and ``summary`` knows the sizes. labels is accepted.

    Any number of threads may predict at once, also beside a training; all else is for one at a time, or RuntimeError.

    ``network``, ``mode`` ('train', 'eval', 'test'), ``stop_training`` (set it in a callback) are Paddle's.
    ``plan_reason``: why the last ``fit`` ran the network step by step in Python; None if it didn't.
    """

    def __init__(self, network: Layer, inputs: Any = None, labels: Any = None) -> None:
        if not isinstance(network, Layer):
            fix = f"Type Model({network.__name__}())" if isinstance(network, type) else ""
            raise TypeError(message("Model(network)", describe(network), "a Layer of lenet", fix))
        for spec in as_list(inputs):
            if not hasattr(spec, "shape"):
                raise TypeError(message("Model(inputs)", describe(spec), "objects with a .shape"))
        super().__init__(network, as_list(inputs), as_list(labels))

    # ---- preparing -----------------------------------------------------------------------------------------------------

    def prepare(
        self, optimizer: Optimizer | None = None, loss: Any = None, metrics: Any = None, amp_configs: Any = None
    ) -> None:
        """Say how to train and what to measure; each may be left out where it isn't needed.

        loss: a Layer or function of (outputs…, labels…) that returns a Tensor or several, which are added. metrics: one
        or a list of ``lenet.metric.Metric``. amp_configs: None or 'O0', since everything is float32.
        """
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            fix = f"Type {optimizer.__name__}(parameters=model.parameters())" if isinstance(optimizer, type) else ""
            raise TypeError(message("prepare(optimizer)", describe(optimizer), "an optimizer of lenet", fix))
        if loss is not None and (not callable(loss) or isinstance(loss, type)):
            fix = f"Type {loss.__name__}()" if isinstance(loss, type) else ""
            raise TypeError(message("prepare(loss)", describe(loss), "a Layer or a function", fix))
        for metric in as_list(metrics):
            if not isinstance(metric, Metric):
                fix = f"Type {metric.__name__}()" if isinstance(metric, type) else ""
                raise ValueError(
                    message("prepare(metrics)", describe(metric), "objects of class lenet.metric.Metric", fix)
                )
        level = amp_configs.get("level", "O1") if isinstance(amp_configs, dict) else amp_configs
        if level not in (None, "", "O0") and amp_configs != {}:
            raise ValueError(message("prepare(amp_configs)", repr(amp_configs), "None: everything here is float32"))
        own = {id(p) for p in self.network.parameters()}
        if optimizer is not None and own and not any(id(p) in own for p in optimizer._params):
            fix = "After making the network anew, make the optimizer anew too: parameters=model.parameters()"
            raise ValueError(message("prepare(optimizer)", "one for other parameters", "one for this network's", fix))
        self._optimizer, self._loss, self._metrics = optimizer, loss, as_list(metrics)
        self._prepared = True

    def parameters(self, *args: Any, **kwargs: Any) -> list[Parameter]:
        """The network's parameters; takes what ``Layer.parameters`` takes."""
        return self.network.parameters(*args, **kwargs)

    def _need(self, what: str, optimizer: bool = False) -> None:
        """ValueError unless prepared, for training with ``optimizer``."""
        fix = "Type model.prepare(optimizer, loss, metrics)"
        if not self._prepared:
            raise ValueError(message(what, "a model that isn't prepared", "model.prepare() before", fix))
        if optimizer and (self._optimizer is None or self._loss is None):
            given = "no optimizer" if self._optimizer is None else "no loss"
            raise ValueError(message(what, f"a model prepared with {given}", "an optimizer and a loss", fix))

    # ---- over a data set -----------------------------------------------------------------------------------------------

    def fit(
        self,
        train_data: Any = None,
        eval_data: Any = None,
        batch_size: int | list[int] = 1,
        epochs: int = 1,
        eval_freq: int = 1,
        log_freq: int = 10,
        save_dir: str | os.PathLike[str] | None = None,
        save_freq: int = 1,
        verbose: int = 2,
        drop_last: bool = False,
        shuffle: bool = True,
        num_workers: int = 0,
        callbacks: Any = None,
        accumulate_grad_batches: int = 1,
        num_iters: int | None = None,
        *,
        validation_split: float | None = None,
        class_weight: Any = None,
        classes: Sequence[str] | None = None,
        data_format: str | None = None,
    ) -> History:
        """Train for ``epochs`` epochs, evaluating after every epoch that ``eval_freq`` divides, counted from 0.

        train_data, eval_data: a Dataset, or a DataLoader or other iterable of batches; for the latter the loader decides
        batch_size, shuffle and drop_last. Or arrays: ``fit(x, y)``, ``fit((x, y), eval_data=(a, b))``, of images
        [N, C, H, W], [N, H, W, C], [N, H, W] or [N, F], bytes (which become -1 to 1) or floats (taken as they are), and of
        labels of any kind: words, numbers, rows with one 1; ``classes`` names them.
        batch_size: a number, or [of training, of evaluation]. shuffle: the order of
        epoch e is ``numpy.random.RandomState(e)``'s, the same in every run. save_dir: saves ``<save_dir>/<epoch>`` every
        ``save_freq`` epochs and ``<save_dir>/final``. verbose: 0 nothing, 1 a bar, 2 lines, 3 lines with times.
        accumulate_grad_batches: update after so many batches, with the sum of their gradients. num_iters: stop after so
        many batches. num_workers: accepted; data is read in this process.

        Ours, for arrays: validation_split: the share of the images that is held out for evaluation, of each class alike.
        class_weight: weights by class, or "balanced". classes: the labels' names in order. data_format: "NCHW" or "NHWC",
        where the shape leaves it open. Returns the losses and metrics of each epoch.

        ValueError or TypeError for an argument that can't be, before anything is trained. FloatingPointError for a loss
        or gradient that is NaN or infinite, with the likely cause; it leaves everything as it was before that step.
        Gradients from before are forgotten. Ctrl-C raises KeyboardInterrupt between two steps.
        """
        self._need("fit", optimizer=True)
        if train_data is None:
            raise ValueError(message("fit(train_data)", None, "a Dataset, a DataLoader or a list of batches"))
        numbers = {"epochs": epochs, "eval_freq": eval_freq, "accumulate_grad_batches": accumulate_grad_batches}
        for name, value in numbers.items():
            positive_int(f"fit({name})", value)
        left = None if num_iters is None else positive_int("fit(num_iters)", num_iters)
        sizes = list(batch_size) if isinstance(batch_size, (list, tuple)) else [batch_size, batch_size]
        if len(sizes) != 2:
            raise ValueError(message("fit(batch_size)", batch_size, "a number, or two: for training and evaluation"))
        train_data, eval_data, numbers_of_classes = arrays.for_training(
            self, train_data, eval_data, validation_split, classes, data_format
        )
        feed = Feed("train_data", train_data, sizes[0], shuffle, drop_last)
        eval_feed = None if eval_data is None else Feed("eval_data", eval_data, sizes[1])
        steps = feed.steps
        if left is not None and steps is not None:
            epochs, steps = left // steps + 1, min(left, steps)
        calls = CallbackList(
            callbacks, self, verbose=verbose, log_freq=log_freq, save_freq=save_freq, save_dir=save_dir,
            epochs=epochs, steps=steps, metrics=self._metric_names(),
        )  # fmt: skip
        if eval_feed is None and calls.has(EarlyStopping):
            warnings.warn("EarlyStopping needs validation data: pass eval_data to fit", stacklevel=2)

        history = History()
        with turn(self, "fit"), arrays.weighted(self, class_weight, numbers_of_classes):
            self.stop_training, self.plan_reason = False, None
            self.network.clear_gradients()
            try:
                self._epochs(epochs, feed, eval_feed, calls, accumulate_grad_batches, eval_freq, left, history)
            except BaseException:
                calls.on_failure()
                raise
        return history

    def _epochs(
        self, epochs: int, feed: Feed, eval_feed: Feed | None, calls: CallbackList, accumulate: int, eval_freq: int,
        left: int | None, history: History,
    ) -> None:  # fmt: skip
        """``fit``'s loop. left: the number of batches after which it ends, if there is one."""
        calls.on_begin("train")
        logs: dict[str, Any] = {}
        for epoch in range(epochs):
            feed.set_epoch(epoch)
            calls.on_epoch_begin(epoch)
            training = TrainingEpoch(self, feed, calls, epoch, accumulate, left)
            logs = training.run()
            history.add(logs)
            if left is not None:
                left -= training.step
                self.stop_training |= left == 0
            calls.on_epoch_end(epoch, dict(logs))
            if eval_feed is not None and epoch % eval_freq == 0:
                with calls.averaged():
                    history.add(self._evaluate(eval_feed, calls, None), evaluated=True)
            if self.stop_training:
                break
        calls.on_end("train", logs)

    def evaluate(
        self,
        eval_data: Any,
        batch_size: int = 1,
        log_freq: int = 10,
        verbose: int = 2,
        num_workers: int = 0,
        callbacks: Any = None,
        num_iters: int | None = None,
    ) -> dict[str, Any]:
        """Loss and metrics on a data set: {'loss': [float], 'acc': float, …}, 'loss' only if there is one.

        As in Paddle, 'loss' is that of the LAST batch; metrics are over all samples. Arguments as for ``fit``; num_iters:
        evaluate only so many batches.
        """
        self._need("evaluate")
        most = None if num_iters is None else positive_int("evaluate(num_iters)", num_iters)
        feed = Feed("eval_data", arrays.for_evaluation(self, eval_data), batch_size)
        names = self._metric_names()
        calls = CallbackList(callbacks, self, verbose=verbose, log_freq=log_freq, metrics=names)
        with turn(self, "evaluate"):
            logs = self._evaluate(feed, calls, most)
        return {name: logs[name] for name in names}

    def _evaluate(self, feed: Feed, calls: CallbackList, most: int | None) -> dict[str, Any]:
        steps = feed.steps if most is None or feed.steps is None else min(most, feed.steps)
        calls.on_begin("eval", {"steps": steps, "metrics": self._metric_names()})
        logs = Evaluation(self, feed, calls, most).run()
        calls.on_end("eval", dict(logs))
        return logs

    def predict(
        self,
        test_data: Any,
        batch_size: int = 1,
        num_workers: int = 0,
        stack_outputs: bool = False,
        verbose: int = 1,
        callbacks: Any = None,
    ) -> list[Any]:
        """The network's outputs for a data set; labels in it are left aside. Needs no ``prepare``.

        Returns a list with one entry for each output of the network: a tuple of arrays, one a batch, or with
        ``stack_outputs`` a single array. Arguments as for ``fit``.
        """
        feed = Feed("test_data", arrays.for_prediction(self, test_data), batch_size)
        calls = CallbackList(callbacks, self, verbose=verbose)
        calls.on_begin("predict", {"steps": feed.steps})
        run = Prediction(self, feed, calls)
        logs = run.run()
        outputs: list[Any] = list(zip(*run.outputs, strict=True))
        if stack_outputs:
            outputs = [np.vstack(parts) for parts in outputs]
        calls.on_end("predict", logs)
        return outputs

    # ---- one batch -----------------------------------------------------------------------------------------------------

    def train_batch(self, inputs: Any, labels: Any = None, update: bool = True) -> Any:
        """One training step; update=False only adds to the gradients, for a later call to use.

        inputs, labels: a Tensor or array, or a list of them. Returns ([loss], [metric of this batch]), arrays and numbers,
        or [loss] without metrics. The metrics go on counting. FloatingPointError as for ``fit``.
        """
        self._need("train_batch", optimizer=True)
        ins, outs = _tensors("inputs", inputs), _tensors("labels", labels)
        with turn(self, "train_batch"):
            self.mode = "train"
            try:
                losses, metrics = train_step(self, ins, outs, bool(update))
            except Trouble as trouble:
                raise FloatingPointError(explain("train_batch", trouble.what, self, ins + outs)) from None
        return (losses, metrics) if self._metrics else losses

    def eval_batch(self, inputs: Any, labels: Any = None) -> Any:
        """Loss and metrics of one batch, nothing trained. Returns as ``train_batch``; [metric] if there is no loss."""
        self._need("eval_batch")
        ins, targets = _tensors("inputs", inputs), _tensors("labels", labels)
        with turn(self, "eval_batch"):
            self.mode = "eval"
            outputs = forward(self, ins)
            losses = [loss.numpy() for loss in losses_of(self, outputs, targets)]
            metrics = add_to_metrics(self, outputs, targets)
        return metrics if self._loss is None else (losses, metrics) if self._metrics else losses

    def predict_batch(self, inputs: Any) -> list[NDArray[Any]]:
        """The network's outputs for one batch, a list of arrays. inputs: a Tensor or array, or a list of them."""
        self.mode = "test"
        single = inputs[0] if isinstance(inputs, (list, tuple)) and len(inputs) == 1 else inputs
        images = single.data_array() if isinstance(single, Tensor) else single
        chain = self._answers.known(images)
        if chain is not None:  # for one image every microsecond counts
            return [chain.infer(images)]
        return [output.numpy() for output in forward(self, _tensors("inputs", inputs))]

    # ---- files and summary ---------------------------------------------------------------------------------------------

    def save(
        self,
        path: str | os.PathLike[str],
        training: bool = True,
        *,
        mean: float | None = None,
        std: float | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Write weights and the optimizer's state; folders are made, and old files replaced only by complete ones.

        ``save("x.safetensors")`` makes one file that holds everything, the network too, if its forward is operations on
        tensors alone: then ``lenet evaluate``, ``predict``, ``compare``, ``show`` and ``lenet.train.Trained`` take it.
        ``save("x")`` makes Paddle's pair ``x.pdparams`` and, if the optimizer has a state, ``x.pdopt``, which real Paddle
        reads.

        Ours: mean, std: a pixel x of 0 to 255 enters the network as (x - mean) / std, known after a ``fit`` on arrays or on
        a data set in memory that is normalised; labels: the classes' names. With any of them given, a network that can't
        be described is a ValueError that names the line.
        """
        if not training:
            fix = "Leave training out: save('x.safetensors') makes a file that answers, too"
            raise NotImplementedError(message("save(training)", training, "True", fix))
        files.save(self, path, mean, std, labels)

    def load(self, path: str | os.PathLike[str], skip_mismatch: bool = False, reset_optimizer: bool = False) -> None:
        """Read what ``save`` or real Paddle wrote; nothing in the file is run. The network must be of the same build.

        path: with or without ``.pdparams``, or with ``.safetensors``. skip_mismatch: leave parameters as they are where
        the file has none of that name and shape, with a warning, and start the optimizer afresh. reset_optimizer: start it
        afresh in any case. ValueError if there is no such file, or it doesn't fit; then nothing is changed.
        """
        files.load(self, path, bool(skip_mismatch), bool(reset_optimizer))

    def summary(self, input_size: Any = None, dtype: Any = None) -> dict[str, int]:
        """Print a table of the layers; returns {'total_params': int, 'trainable_params': int}. See ``lenet.summary``.

        input_size: such as (1, 1, 28, 28); without it the ``inputs`` given to ``Model``, or what it was last run on. After a
        ``fit`` that couldn't use a plan, one more line says why.
        """
        size = input_size
        if size is None:
            size = [tuple(spec.shape) for spec in self._inputs] or self._seen_shapes
        if not size:
            fix = "Type model.summary((1, 1, 28, 28))"
            raise ValueError(message("summary(input_size)", None, "the shape of a batch", fix))
        result = summary(self.network, size, dtypes=dtype)
        if self.plan_reason:
            print(f"fit ran step by step in Python, because {self.plan_reason}.")  # noqa: T201
        return result

    def __repr__(self) -> str:
        kind, count = type(self.network).__name__, sum(p.size for p in self.network.parameters())
        parts = [f"Model({kind}, {count:,} parameters"]
        if self._prepared:
            given = [self._optimizer, self._loss, *self._metrics]
            parts += [repr(one) if isinstance(one, Layer) else type(one).__name__ for one in given if one is not None]
        else:
            parts.append("not prepared")
        return f"{', '.join(parts)})"

    def _repr_html_(self) -> str:
        return notebook.line(repr(self)) + f"<pre>{notebook.escape(repr(self.network))}</pre>"


def _tensors(what: str, value: Any) -> list[Tensor]:
    """A Tensor or array, or a list of them, as a list of Tensors."""
    found = []
    for item in as_list(value):
        if not isinstance(item, (Tensor, np.ndarray)):
            raise TypeError(message(what, describe(item), "a Tensor or ndarray, or a list of them"))
        found.append(item if isinstance(item, Tensor) else to_tensor(item))
    return found
