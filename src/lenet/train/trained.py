"""A trained model, as its file describes it: images in, probabilities out.

It knows how images become what the network saw in training, and nothing of how it was trained beyond the record that
the file carries. Read by the command line, and by whoever puts a model file to use.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import tape
from lenet.autograd.tensor import dense
from lenet.evaluation import Evaluation, evaluate, expected_calibration_error, fit_temperature, softmax, wilson
from lenet.evaluation.calibration import checked_temperature, mean_loss
from lenet.jit import plan
from lenet.messages.check import MOST, brief, describe, message, one_line
from lenet.modelfile import architecture, serialization
from lenet.modelfile.architecture import MAX_NAME
from lenet.nn.layer import Layer
from lenet.train.data import is_light
from lenet.vision.datasets.as_bytes import Form
from lenet.vision.datasets.folder import small_image
from lenet.vision.transforms import Normalize

__all__ = ["Score", "Trained", "standard_error"]

_AT_ONCE = 2048  # images a call into the engine: bounds the memory
_NUMBERS = 1 << 26  # that a network without a plan makes in one call
_FEWEST = 100  # images that a temperature is fitted to


def standard_error(share: float, n: int) -> float:
    """The standard error of a share measured on n independent samples; 0 for none."""
    return float(np.sqrt(share * (1 - share) / n)) if n else 0.0


Kind = TypeVar("Kind", bound="Trained")


class Score(NamedTuple):
    """How a model did on labelled images. loss: the mean cross-entropy, without smoothing."""

    images: int
    correct: int
    loss: float

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0 to 1."""
        return self.correct / self.images if self.images else 0.0

    @property
    def interval(self) -> tuple[float, float] | None:
        """The accuracy's 95 % interval (Wilson 1927), both ends 0 to 1; None without images."""
        return wilson(self.correct, self.images) if self.images else None

    @property
    def error(self) -> float:
        """The accuracy's standard error. Near 100 %, and for few images, ``interval`` says more: this one is 0 there."""
        return standard_error(self.accuracy, self.images)

    def as_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return {
            "images": self.images,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "standard_error": self.error,
            "interval": None if self.interval is None else list(self.interval),
            "loss": self.loss,
        }


class Trained:
    """A network with its labels and its input's form.

    network: takes float32 [N, *shape] to [N, K]. shape: (C, H, W). labels: the K classes' names. mean, std: a pixel x
    of 0 to 255 enters as (x - mean) / std. meta: the file's whole account. path, digest: the file and its weights'
    SHA-256, "" for a network that comes from no file. arrays: how arrays of images become bytes, if the network was
    trained on some. calibration: what ``calibrate`` found, or None; temperature: by which logits are divided before
    softmax, 1 without calibration. Neither is part of the weights or their digest.
    """

    def __init__(
        self,
        network: Layer,
        shape: tuple[int, int, int],
        labels: Sequence[str],
        mean: float,
        std: float,
        meta: dict[str, Any] | None = None,
        path: str = "",
        digest: str = "",
    ) -> None:
        self.network = network.eval()
        self.shape, self.labels = shape, list(labels)
        self.mean, self.std = mean, std
        self.lut = pixel_table(mean, std)
        self.meta = {} if meta is None else meta
        self.path, self.digest = path, digest
        self.calibration = _calibration(self.meta.get("calibration"))
        self.arrays = _arrays(self.meta.get("input"))
        self.rows = architecture.describe(self.network, shape)
        outputs = self.rows[-1]["output"]
        if outputs != [len(self.labels)]:
            raise ValueError(message("labels", f"{len(self.labels)} names", f"one for each of {outputs[0]} outputs"))
        self._chain = self._compile()

    def _compile(self) -> plan.Chain | None:
        """The network's plan; None if none can run it, and it answers an operation at a time."""
        chain = plan.compile(self.network, None, None, [dense(np.zeros((1, *self.shape), np.float32))])
        return chain if isinstance(chain, plan.Chain) else None

    def __getstate__(self) -> dict[str, Any]:
        """All but the plan, which is compiled anew: so it can be pickled, copied and sent to other processes."""
        return {name: value for name, value in self.__dict__.items() if name != "_chain"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._chain = self._compile()

    @classmethod
    def load(cls: type[Kind], path: str | os.PathLike[str]) -> Kind:
        """A model file that ``train`` wrote. FileNotFoundError if there is none; ValueError if it is anything else."""
        file = os.fspath(path)
        tensors, meta = serialization.read_model(file)
        if meta.get("resume") is not None:
            fix = "It belongs to --resume; the model itself is the file without .resume.safetensors"
            raise ValueError(message(file, "the state of an interrupted run", "a model", fix))
        if "architecture" not in meta or not isinstance(meta.get("input"), dict):
            fix = (
                "If Model.save() wrote it, type model.save(path, mean=127.5, std=127.5, labels=[...]) with your numbers"
            )
            raise ValueError(
                message(file, "a file that doesn't describe its network", "one that lenet train wrote", fix)
            )
        try:
            about = meta["input"]
            shape = architecture.input_shape(about.get("shape"))
            mean, std = _number("mean", about.get("mean")), _number("std", about.get("std"))
            if std <= 0:
                raise ValueError(message("std", std, "a number above 0"))
            network = architecture.build(meta["architecture"], shape, tensors)
            return cls(network, shape, _names(meta.get("labels")), mean, std, meta, file, serialization.digest(tensors))
        except ValueError as error:
            raise ValueError(one_line(f"{file}: {error}", MOST)) from None

    def __repr__(self) -> str:
        shape, count = " x ".join(map(str, self.shape)), sum(p.size for p in self.network.parameters())
        name = f"{self.path}: " if self.path else ""
        sure = "calibrated" if self.calibration is not None else "not calibrated"
        return f"Trained({name}images of {shape} to {len(self.labels)} classes, {count:,} parameters, {sure})"

    @property
    def temperature(self) -> float:
        """What logits are divided by before softmax: above 1 makes answers less sure, and changes none."""
        return 1.0 if self.calibration is None else float(self.calibration["temperature"])

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """For images uint8 [N, H, W] or [N, C, H, W], light on dark: the network's scores, float32 [N, K].

        Of a network that ends in softmax, the logarithms of what it answers.
        """
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
            raise TypeError(message("images", describe(images), "a numpy array of uint8"))
        if images.shape[1:] not in (self.shape, self.shape[1:] if self.shape[0] == 1 else self.shape):
            given, expected = f"images of shape {list(images.shape)}", f"[N, {', '.join(map(str, self.shape))}]"
            raise ValueError(message("network", given, expected, "Resize the images, or train on images of their size"))
        found = np.empty((len(images), len(self.labels)), np.float32)
        for start in range(0, len(images), _AT_ONCE):
            some = np.ascontiguousarray(images[start : start + _AT_ONCE])
            found[start : start + len(some)] = self._answers(some)
        if self.rows[-1]["op"] == "softmax":
            return np.log(np.maximum(found, np.finfo(np.float32).tiny))
        return found

    def _answers(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's outputs for some images [n, …], [n, K]."""
        if self._chain is not None:
            return self._chain.infer(images, self.lut)
        most = sum(int(np.prod(row["output"])) for row in self.rows)
        at_once = max(1, _NUMBERS // most)
        with tape.no_grad():
            parts = [
                self.network(dense(self.lut[images[k : k + at_once].reshape(-1, *self.shape)])).numpy()
                for k in range(0, len(images), at_once)
            ]
        return np.concatenate(parts)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """softmax(logits / temperature), float32 [N, K], each row adding up to 1; images as ``logits`` takes them.

        ValueError if a logit is NaN or infinite, as those of damaged weights are.
        """
        logits = self.logits(images)
        bad = int((~np.isfinite(logits).all(axis=1)).sum())
        if bad:
            given, fix = f"NaN or infinity for {bad:,} of {len(logits):,} images", "The weights are damaged: train anew"
            raise ValueError(message(f"logits of {self.path or 'the network'}", given, "finite numbers", fix))
        return softmax(logits, self.temperature)

    def calibrate(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> str:
        """Fit the temperature to images that the network has not been trained on; returns a line that says how it went.

        Sets ``calibration``: {"temperature", "images", "ece": [before, after], "loss": [before, after]}, all measured on
        these images. Nothing is set for fewer than 100 images: they cannot tell how sure is too sure. Temperature scaling:
        Guo, Pleiss, Sun and Weinberger 2017.
        """
        if len(labels) < _FEWEST:
            return f"not calibrated: that takes {_FEWEST} held-out images, and there are {len(labels)}"
        logits = self.logits(images)
        temperature = fit_temperature(logits, labels)
        both = softmax(logits), softmax(logits, temperature)
        ece, loss = ([measure(p, labels) for p in both] for measure in (expected_calibration_error, mean_loss))
        self.calibration = {"temperature": temperature, "images": len(labels), "ece": ece, "loss": loss}
        change = f"calibration error {100 * ece[0]:.2f} % -> {100 * ece[1]:.2f} %"
        return f"calibrated on {len(labels):,} held-out images: temperature {temperature:.3f}, {change}"

    def evaluate(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Evaluation:
        """All that there is to say of the answers to labelled images: ``lenet.evaluation.evaluate``."""
        return evaluate(self.probabilities(images), labels, self.labels)

    def score(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Score:
        """The answers to images as ``probabilities`` takes them, against labels int64 [N]."""
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(self.labels):
            given = f"labels from {labels.min()} to {labels.max()}"
            fix = "Is this the data set that the model was trained for?"
            raise ValueError(message("labels", given, f"0 to {len(self.labels) - 1}", fix))
        found = self.probabilities(images)
        right = int((found.argmax(axis=1) == labels).sum())
        return Score(len(labels), right, mean_loss(found, labels) if len(labels) else 0.0)

    # ---- arrays of any kind --------------------------------------------------------------------------------------------

    def images(self, x: Any) -> NDArray[np.uint8]:
        """Arrays of images, laid out as those it was trained on, as ``probabilities`` takes them: uint8 [N, C, H, W].

        x: [N, H, W], [N, C, H, W], [N, H, W, C] or [N, F], bytes or floats, a numpy array, Tensor, list or data frame. A
        network that was not trained on arrays takes them as they are. Inverted if the training images were.
        """
        form = Form.of("images", x) if self.arrays is None else self.arrays
        images = form.bytes_of("images", x)
        if images.shape[1:] != self.shape:
            given, expected = f"images of [C, H, W] = {list(images.shape[1:])}", f"{list(self.shape)}, as in training"
            raise ValueError(message("images", given, expected))
        return 255 - images if self.inverted else images

    def predict(self, x: Any) -> NDArray[Any]:
        """The likeliest label of each image of ``x`` (see ``images``): [N] names, or numbers where all names are numbers."""
        names = np.array(self.labels)
        if all(name.isascii() and name.lstrip("-").isdigit() and len(name) < 18 for name in self.labels):
            names = names.astype(np.int64)
        return names[self.probabilities(self.images(x)).argmax(axis=1)]

    def predict_proba(self, x: Any) -> NDArray[np.float32]:
        """Calibrated probabilities [N, K] of the images of ``x`` (see ``images``), in the order of ``labels``."""
        return self.probabilities(self.images(x))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a model file, ending in .safetensors, which ``load`` and the command line read; it replaces an earlier one."""
        target = os.fspath(path)
        if not target.endswith(".safetensors"):
            fix = f"Type {os.path.splitext(target)[0] or 'model'}.safetensors"
            raise ValueError(message("save(path)", repr(target), "a name ending in .safetensors", fix))
        about = architecture.account(self.rows, self.shape, self.mean, self.std, self.labels)
        if self.arrays is not None:
            about["input"]["arrays"] = self.arrays.as_json()
        calibration = {} if self.calibration is None else {"calibration": self.calibration}
        tensors = {name: tensor.data_array() for name, tensor in self.network.state_dict().items()}
        serialization.write_model(target, tensors, self.meta | about | calibration)

    @property
    def inverted(self) -> bool | None:
        """Whether the images that it was trained on were dark on light, and so were inverted; None if no record says so."""
        training = self.meta.get("training")
        data = training.get("data") if isinstance(training, dict) else None
        value = data.get("inverted") if isinstance(data, dict) else None
        return value if isinstance(value, bool) else None

    def read(self, path: str | os.PathLike[str]) -> NDArray[np.uint8]:
        """An image file as this network wants it: uint8 [H, W], light on dark, or [3, H, W] of colour; resized to fit.

        Turned as its camera said, laid on white where transparent; inverted if the training images were (``inverted``),
        or, where no record says so, if its border is light. OSError naming a file that is no image; ValueError if the
        network takes neither grey nor colour images.
        """
        if self.shape[0] not in (1, 3):
            given = f"one for images of {self.shape[0]} channels"
            raise ValueError(message("network", given, "one for grey or colour images"))
        image = small_image(os.fspath(path), self.shape[1:], self.shape[0] == 3)
        if image.ndim == 3:
            return np.ascontiguousarray(image.transpose(2, 0, 1))
        inverted = is_light(image[None]) if self.inverted is None else self.inverted
        return 255 - image if inverted else image


def pixel_table(mean: float, std: float) -> NDArray[np.float32]:
    """What each pixel value 0 … 255 becomes, float32 [256]: made by the very transform that users write."""
    values = np.arange(256, dtype=np.float32).reshape(1, 16, 16)
    normalised = Normalize(mean=[mean], std=[std], data_format="CHW")(values)
    return np.ascontiguousarray(normalised, np.float32).reshape(256)


def _number(what: str, value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < 1e6:
        raise ValueError(message(what, brief(value, 80), "a number such as 127.5"))
    return float(value)


def _calibration(value: Any) -> dict[str, Any] | None:
    """A file's account of its calibration, checked; None if it has none."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError(message("calibration", brief(value, 80), "an object with a temperature"))
    checked_temperature(value.get("temperature"))
    if type(value.get("images")) is not int or not all(_is_pair(value.get(key)) for key in ("ece", "loss")):
        expected = "images, and ece and loss, each before and after"
        raise ValueError(message("calibration", brief(value, 80), expected))
    return value


def _arrays(about: Any) -> Form | None:
    """How arrays become images, out of a file's account of its input; None if it says nothing of it."""
    value = about.get("arrays") if isinstance(about, dict) else None
    return None if value is None else Form.of_json(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(n) in (int, float) and n >= 0 for n in value)


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) and len(name) <= MAX_NAME for name in value):
        raise ValueError(message("labels", brief(value, 80), f"a list of names of at most {MAX_NAME} characters"))
    return value
