"""lenet: small convolutional networks on small images, on our own native CPU engine, under Paddle's names.

``import lenet as paddle`` runs Paddle's MNIST tutorial as it stands. ``lenet train`` on the command line trains a model of
over 99 % in seconds. Importing this loads numpy, the standard library and the engine, nothing else.
"""

import typing as _typing

from lenet import (
    callbacks,
    dataset,
    device,
    framework,
    io,
    jit,
    linalg,
    metric,
    nn,
    optimizer,
    reader,
    regularizer,
    static,
    tensor,
    utils,
    vision,
)
from lenet._core import num_threads as get_num_threads
from lenet.autograd import array_rows as _rows
from lenet.autograd.array_rows import *  # noqa: F403
from lenet.autograd.dtype import (
    DType,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from lenet.autograd.dtype import bool_ as bool
from lenet.autograd.dtype import float32 as float
from lenet.autograd.dtype import float64 as double
from lenet.autograd.limits import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    e,
    finfo,
    iinfo,
    inf,
    nan,
    newaxis,
    pi,
)
from lenet.autograd.print import set_printoptions
from lenet.autograd.random import Generator, get_rng_state, seed, set_rng_state
from lenet.autograd.random import seed as manual_seed
from lenet.autograd.tape import enable_grad, grad, is_grad_enabled, no_grad, set_grad_enabled
from lenet.autograd.tensor import CPUPlace, Size, Tensor, is_tensor, to_tensor
from lenet.device import (
    disable_signal_handler,
    get_device,
    is_compiled_with_cinn,
    is_compiled_with_cuda,
    is_compiled_with_distribute,
    is_compiled_with_ipu,
    is_compiled_with_rocm,
    is_compiled_with_xpu,
    set_device,
    set_num_threads,
)
from lenet.model import Model
from lenet.modelfile import program as _program
from lenet.modelfile.flops import flops
from lenet.modelfile.serialization import load, save
from lenet.modelfile.summary import summary
from lenet.names import elsewhere as _names
from lenet.names.on_demand import on_demand as _on_demand
from lenet.names.paddle import as_paddle
from lenet.names.paddle import lay_paths as _lay_paths
from lenet.nn.functional import conv2d, group_norm, layer_norm, softmax
from lenet.nn.parallel import DataParallel
from lenet.nn.param import ParamAttr, create_parameter
from lenet.reader import batch
from lenet.static import disable_static, enable_static, in_dynamic_mode
from lenet.vision.tutorial import LeNet

if _typing.TYPE_CHECKING:
    from lenet import evaluation, export, plots, reading, report
    from lenet.export import from_onnx, from_paddle, from_torch
    from lenet.train.on_arrays import Train

    train: Train

__getattr__ = _on_demand(
    "lenet",
    ("evaluation", "export", "plots", "reading", "report", "sklearn", "train"),
    dict.fromkeys(("from_onnx", "from_paddle", "from_torch"), "export"),
)

_names.teach(nn.functional, "functional")
for _part in (nn, optimizer, metric):
    _names.teach(_part, _part.__name__.rpartition(".")[2])
for _kind in (Tensor, optimizer.Optimizer, Model):
    _names.teach(_kind, _kind.__name__)
_names.teach(__name__, "lenet")
_lay_paths()

__version__ = "0.1.0"
dtype = DType

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CPUPlace",
    "CharTensor",
    "DType",
    "DataParallel",
    "DoubleTensor",
    "FloatTensor",
    "Generator",
    "IntTensor",
    "LeNet",
    "LongTensor",
    "Model",
    "ParamAttr",
    "ShortTensor",
    "Size",
    "Tensor",
    "as_paddle",
    "batch",
    "bool",
    "callbacks",
    "conv2d",
    "create_parameter",
    "dataset",
    "device",
    "disable_signal_handler",
    "disable_static",
    "double",
    "dtype",
    "e",
    "enable_grad",
    "enable_static",
    "finfo",
    "float",
    "float32",
    "float64",
    "flops",
    "framework",
    "get_default_dtype",
    "get_device",
    "get_num_threads",
    "get_rng_state",
    "grad",
    "group_norm",
    "iinfo",
    "in_dynamic_mode",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "io",
    "is_compiled_with_cinn",
    "is_compiled_with_cuda",
    "is_compiled_with_distribute",
    "is_compiled_with_ipu",
    "is_compiled_with_rocm",
    "is_compiled_with_xpu",
    "is_grad_enabled",
    "is_tensor",
    "jit",
    "layer_norm",
    "linalg",
    "load",
    "manual_seed",
    "metric",
    "nan",
    "newaxis",
    "nn",
    "no_grad",
    "optimizer",
    "pi",
    "reader",
    "regularizer",
    "save",
    "seed",
    "set_default_dtype",
    "set_device",
    "set_grad_enabled",
    "set_num_threads",
    "set_printoptions",
    "set_rng_state",
    "softmax",
    "static",
    "summary",
    "tensor",
    "to_tensor",
    "uint8",
    "utils",
    "vision",
]
__all__ += _rows.__all__
