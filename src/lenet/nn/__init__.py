"""Layers, losses, activations, initialisers, gradient clips (Paddle: ``paddle.nn``); ``functional`` holds the plain functions."""

from lenet.nn import functional, initializer
from lenet.nn.activation import LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from lenet.nn.clip import ClipGradByGlobalNorm, ClipGradByNorm, ClipGradByValue
from lenet.nn.container import LayerList, Sequential
from lenet.nn.conv import Conv2D
from lenet.nn.dropout import Dropout, Dropout2D
from lenet.nn.layer import Layer
from lenet.nn.linear import Flatten, Identity, Linear
from lenet.nn.loss import CrossEntropyLoss
from lenet.nn.pooling import AdaptiveAvgPool2D, AdaptiveMaxPool2D, AvgPool2D, MaxPool2D

__all__ = [
    "AdaptiveAvgPool2D",
    "AdaptiveMaxPool2D",
    "AvgPool2D",
    "ClipGradByGlobalNorm",
    "ClipGradByNorm",
    "ClipGradByValue",
    "Conv2D",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2D",
    "Flatten",
    "Identity",
    "Layer",
    "LayerList",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool2D",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "functional",
    "initializer",
]
