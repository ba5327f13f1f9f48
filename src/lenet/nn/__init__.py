"""Layers, losses, activations, initialisers, gradient clips (Paddle: ``paddle.nn``); ``functional`` holds the plain functions."""

from lenet.nn import functional, initializer, utils
from lenet.nn.activation import (
    CELU,
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Softsign,
    Swish,
    Tanh,
    Tanhshrink,
)
from lenet.nn.clip import ClipGradByGlobalNorm, ClipGradByNorm, ClipGradByValue
from lenet.nn.common import CosineSimilarity, Embedding, Pad2D, Upsample, ZeroPad2D
from lenet.nn.container import LayerDict, LayerList, ParameterList, Sequential
from lenet.nn.conv import Conv2D, Conv2DTranspose
from lenet.nn.dropout import Dropout, Dropout2D
from lenet.nn.layer import Layer
from lenet.nn.linear import Flatten, Identity, Linear
from lenet.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from lenet.nn.norm import BatchNorm, BatchNorm1D, BatchNorm2D, LayerNorm
from lenet.nn.pooling import AdaptiveAvgPool2D, AdaptiveMaxPool2D, AvgPool2D, MaxPool2D

__all__ = [
    "CELU", "ELU", "GELU", "SELU", "AdaptiveAvgPool2D", "AdaptiveMaxPool2D", "AvgPool2D", "BCELoss",
    "BCEWithLogitsLoss", "BatchNorm", "BatchNorm1D", "BatchNorm2D", "ClipGradByGlobalNorm", "ClipGradByNorm",
    "ClipGradByValue", "Conv2D", "Conv2DTranspose", "CosineSimilarity", "CrossEntropyLoss", "Dropout", "Dropout2D",
    "Embedding", "Flatten", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "KLDivLoss", "L1Loss", "Layer",
    "LayerDict", "LayerList", "LayerNorm", "LeakyReLU", "Linear", "LogSigmoid", "LogSoftmax", "MSELoss",
    "MarginRankingLoss", "MaxPool2D", "Mish", "NLLLoss", "PReLU", "Pad2D", "ParameterList", "ReLU", "ReLU6",
    "Sequential", "Sigmoid", "Silu", "SmoothL1Loss", "Softmax", "Softplus", "Softsign", "Swish", "Tanh", "Tanhshrink",
    "Upsample", "ZeroPad2D", "functional", "initializer", "utils",
]  # fmt: skip
