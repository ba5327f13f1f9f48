"""Layers, losses, activations, initialisers, gradient clips (Paddle: ``paddle.nn``); ``functional`` holds the plain functions."""

from lenet.autograd.tensor import Parameter
from lenet.nn import functional, initializer, utils
from lenet.nn.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Maxout,
    Mish,
    PReLU,
    RReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    Silu,
    Softmax,
    Softmax2D,
    Softplus,
    Softshrink,
    Softsign,
    Swish,
    Tanh,
    Tanhshrink,
    ThresholdedReLU,
)
from lenet.nn.clip import ClipGradByGlobalNorm, ClipGradByNorm, ClipGradByValue
from lenet.nn.common import (
    Bilinear,
    CircularPad2D,
    ConstantPad2D,
    CosineSimilarity,
    Embedding,
    Pad2D,
    ReflectionPad2D,
    ReplicationPad2D,
    Upsample,
    UpsamplingBilinear2D,
    UpsamplingNearest2D,
    ZeroPad2D,
)
from lenet.nn.container import (
    LayerDict,
    LayerList,
    ParameterDict,
    ParameterList,
    Sequential,
)
from lenet.nn.conv import Conv2D, Conv2DTranspose
from lenet.nn.dropout import (
    AlphaDropout,
    Dropout,
    Dropout2D,
    FeatureAlphaDropout,
)
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
from lenet.nn.norm import (
    BatchNorm,
    BatchNorm1D,
    BatchNorm2D,
    GroupNorm,
    InstanceNorm1D,
    InstanceNorm2D,
    LayerNorm,
    LocalResponseNorm,
    SpectralNorm,
    SyncBatchNorm,
)
from lenet.nn.pooling import AdaptiveAvgPool2D, AdaptiveMaxPool2D, AvgPool2D, MaxPool2D
from lenet.nn.pixels import (
    ChannelShuffle,
    Fold,
    PixelShuffle,
    PixelUnshuffle,
    Unflatten,
    Unfold,
)
from lenet.nn.ranking import (
    CosineEmbeddingLoss,
    GaussianNLLLoss,
    HingeEmbeddingLoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    PairwiseDistance,
    PoissonNLLLoss,
    SoftMarginLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)

# Paddle's second names
Module, ModuleList, ModuleDict = Layer, LayerList, LayerDict
AdaptiveMaxPool2d, Conv2d, SiLU = AdaptiveMaxPool2D, Conv2D, Silu
CircularPad2d, ConstantPad2d, ReflectionPad2d, ReplicationPad2d = (
    CircularPad2D,
    ConstantPad2D,
    ReflectionPad2D,
    ReplicationPad2D,
)

__all__ = [
    "AdaptiveAvgPool2D", "AdaptiveMaxPool2D", "AdaptiveMaxPool2d", "AlphaDropout", "AvgPool2D", "BCELoss",
    "BCEWithLogitsLoss", "BatchNorm", "BatchNorm1D", "BatchNorm2D", "Bilinear", "CELU", "ChannelShuffle",
    "CircularPad2D", "CircularPad2d", "ClipGradByGlobalNorm", "ClipGradByNorm", "ClipGradByValue", "ConstantPad2D",
    "ConstantPad2d", "Conv2D", "Conv2DTranspose", "Conv2d", "CosineEmbeddingLoss", "CosineSimilarity",
    "CrossEntropyLoss", "Dropout", "Dropout2D", "ELU", "Embedding", "FeatureAlphaDropout", "Flatten", "Fold",
    "GELU", "GLU", "GaussianNLLLoss", "GroupNorm", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh",
    "HingeEmbeddingLoss", "Identity", "InstanceNorm1D", "InstanceNorm2D", "KLDivLoss", "L1Loss", "Layer",
    "LayerDict", "LayerList", "LayerNorm", "LeakyReLU", "Linear", "LocalResponseNorm", "LogSigmoid", "LogSoftmax",
    "MSELoss", "MarginRankingLoss", "MaxPool2D", "Maxout", "Mish", "Module", "ModuleDict", "ModuleList",
    "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "PReLU", "Pad2D",
    "PairwiseDistance", "Parameter", "ParameterDict", "ParameterList", "PixelShuffle", "PixelUnshuffle",
    "PoissonNLLLoss", "RReLU", "ReLU", "ReLU6", "ReflectionPad2D", "ReflectionPad2d", "ReplicationPad2D",
    "ReplicationPad2d", "SELU", "Sequential", "SiLU", "Sigmoid", "Silu", "SmoothL1Loss", "SoftMarginLoss",
    "Softmax", "Softmax2D", "Softplus", "Softshrink", "Softsign", "SpectralNorm", "Swish", "SyncBatchNorm", "Tanh",
    "Tanhshrink", "ThresholdedReLU", "TripletMarginLoss", "TripletMarginWithDistanceLoss", "Unflatten", "Unfold",
    "Upsample", "UpsamplingBilinear2D", "UpsamplingNearest2D", "ZeroPad2D", "functional", "initializer", "utils",
]  # fmt: skip
