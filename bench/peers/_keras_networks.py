"""The networks of ``_networks`` in Keras on TensorFlow, channels last: ``train_on_batch``, its graph compiled once, and answers
through a ``tf.function``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from _networks import NETWORKS, data, works
from keras import layers, ops


class _Ops:
    """Layers on symbolic tensors [N, H, W, C]."""

    relu = staticmethod(ops.relu)

    def conv(self, x: Any, inputs: int, outputs: int, kernel: int, step: int, bias: bool) -> Any:
        edge = kernel // 2  # by hand: "same" would pad a strided convolution at its end alone
        x = layers.ZeroPadding2D(edge)(x) if edge and step > 1 else x
        how = "valid" if step > 1 else "same"
        return layers.Conv2D(outputs, kernel, step, how, use_bias=bias)(x)

    def norm(self, x: Any, channels: int) -> Any:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)

    def linear(self, x: Any, inputs: int, outputs: int) -> Any:
        return layers.Dense(outputs)(x)

    def half(self, x: Any) -> Any:
        return layers.MaxPooling2D(2)(x)

    def twice(self, x: Any) -> Any:
        return layers.UpSampling2D(2)(x)

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def around(self, x: Any, more: int) -> Any:
        return ops.pad(x[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), (more // 2, more - more // 2)))

    def mean(self, x: Any) -> Any:
        return layers.GlobalAveragePooling2D()(x)

    def flat(self, x: Any) -> Any:
        return layers.Flatten()(x)


def network(name: str) -> Any:
    """[N, H, W, C] to the network's output, channels last; the page net takes images of any size."""
    run, (channels, height, width), _, _ = NETWORKS[name]
    given = keras.Input((None, None, channels) if name == "page" else (height, width, channels))
    return keras.Model(given, run(_Ops(), given))


def _last(images: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))


def train(name: str) -> Callable[[], Any]:
    keras.utils.set_random_seed(0)
    model = network(name)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.001, momentum=0.9), loss)
    images, labels = _last(data(name)[0]), data(name)[1]
    return lambda: model.train_on_batch(images, labels)


def answer(name: str) -> Callable[[np.ndarray], Any]:
    keras.utils.set_random_seed(0)
    model = network(name)
    graph = tf.function(lambda x: model(x, training=False), reduce_retracing=True)
    return lambda images: graph(tf.constant(_last(images))).numpy()


WORKS = works(train, answer)
