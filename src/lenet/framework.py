"""Names that Paddle keeps a second time in ``paddle.framework``."""

from lenet.autograd.dtype import get_default_dtype, set_default_dtype
from lenet.autograd.random import seed
from lenet.nn.param import ParamAttr, create_parameter

__all__ = ["ParamAttr", "create_parameter", "get_default_dtype", "seed", "set_default_dtype"]
