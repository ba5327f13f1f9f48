"""Keras on TensorFlow: ``fit`` on arrays in memory, its graph compiled once; channels last, the only order it has on a CPU."""

from __future__ import annotations

import os

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from _keras_networks import WORKS
from _serve import BATCH, accuracy, latency, mnist, normalised, serve, weights
from keras import layers


def last(images: np.ndarray) -> np.ndarray:
    """[N, 1, 28, 28] to [N, 28, 28, 1]."""
    return images.reshape(-1, 28, 28, 1)


images, labels = last(normalised(mnist("train")[0])), mnist("train")[1]
test_images, test_labels = last(normalised(mnist("test")[0])), mnist("test")[1]


def network() -> Any:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Conv2D(16, 5, name="conv2"),
            layers.MaxPooling2D(2),
            layers.Permute((3, 1, 2)),  # so that the first linear layer's rows are in everybody's order
            layers.Flatten(),
            layers.Dense(120, activation="relu", name="linear1"),
            layers.Dense(84, activation="relu", name="linear2"),
            layers.Dense(10, name="linear3"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.001), loss, metrics=["accuracy"])
    return model


keras.utils.set_random_seed(0)
training = network()


def fit() -> None:
    training.fit(images, labels, batch_size=BATCH, epochs=1, verbose=0)


def trained() -> Any:
    model, stored = network(), weights()
    for name in ("conv1", "conv2", "linear1", "linear2", "linear3"):
        kernel = stored[f"{name}.weight"]
        if name.startswith("conv"):
            kernel = kernel.transpose(2, 3, 1, 0)
        model.get_layer(name).set_weights([kernel, stored[f"{name}.bias"]])
    graph = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32)]
    )
    return lambda x: graph(tf.constant(x)).numpy()


answer: list[Any] = []


def ready() -> Any:
    if not answer:
        answer.append(trained())
    return answer[0]


serve(
    {
        "fit": fit,
        "evaluate": lambda: accuracy(ready(), test_images, test_labels, 1000),
        "image": lambda: latency(ready(), test_images),
        **WORKS,
    },
    f"{keras.__version__} on TensorFlow {tf.__version__}",
)
