"""Names known to the hand from elsewhere, and what they are called here: one table, read where a look-up has failed.

``teach`` gives the table to a module or a class once it is complete. It happens at run time, so that type checkers still
see which names there are. What does exist is found as before and costs nothing more. Read by ``lenet/__init__``.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any

from lenet.messages.check import message

__all__ = ["elsewhere", "teach"]

_CPU = "Leave it out: lenet computes on the processor"

# What to type, by where the name was looked for. A value without a space is the name here.
NAMES: dict[str, dict[str, str]] = {
    "lenet": {
        "optim": "lenet.optimizer",
        "optimizers": "lenet.optimizer",
        "layers": "lenet.nn",
        "datasets": "lenet.vision.datasets",
        "transforms": "lenet.vision.transforms",
        "Module": "lenet.nn.Layer",
        "Sequential": "lenet.nn.Sequential",
        "cuda": _CPU,
        "compile": "lenet.jit.to_static",
    },
    "nn": {
        "MaxPool2d": "nn.MaxPool2D",
        "AvgPool2d": "nn.AvgPool2D",
        "MaxPooling2D": "nn.MaxPool2D",
        "AveragePooling2D": "nn.AvgPool2D",
        "AdaptiveAvgPool2d": "nn.AdaptiveAvgPool2D",
        "Dropout2d": "nn.Dropout2D",
        "BatchNorm1d": "nn.BatchNorm1D",
        "BatchNorm2d": "nn.BatchNorm2D",
        "BatchNormalization": "nn.BatchNorm2D",
        "ConvTranspose2d": "nn.Conv2DTranspose",
        "ZeroPad2d": "nn.ZeroPad2D",
        "Dense": "nn.Linear",
        "init": "nn.initializer",
    },
    "functional": {
        "conv_transpose2d": "nn.functional.conv2d_transpose",
    },
    "optimizer": {
        "RMSprop": "optimizer.RMSProp",
        "lr_scheduler": "optimizer.lr",
    },
    "metric": {
        "accuracy_score": "metric.Accuracy()",
        "CategoricalAccuracy": "metric.Accuracy()",
        "SparseCategoricalAccuracy": "metric.Accuracy()",
    },
    "Tensor": {
        "type": "astype",
        "half": "astype('float32')",
        "cuda": _CPU,
        "zero_grad": "clear_grad",
    },
    "Layer": {
        "cuda": _CPU,
        "cpu": _CPU,
        "load_state_dict": "set_state_dict",
        "modules": "sublayers(include_self=True)",
        "named_modules": "named_sublayers",
        "zero_grad": "clear_gradients()",
        "requires_grad_": "stop_gradient on each of parameters()",
        "register_parameter": "add_parameter",
        "add_module": "add_sublayer",
        "compile": "lenet.Model(net).prepare(...)",
        "fit": "lenet.Model(net).fit(...)",
        "predict": "lenet.Model(net).predict(...)",
    },
    "Optimizer": {
        "zero_grad": "clear_grad",
        "param_groups": "get_lr() and set_lr(0.001) for the learning rate",
        "load_state_dict": "set_state_dict",
        "apply_gradients": "step",
    },
    "Model": {
        "compile": "prepare",
        "cuda": _CPU,
        "to": _CPU,
        "load_weights": "load",
        "save_weights": "save",
        "state_dict": "network.state_dict()",
        "train": "fit, or network.train() for the mode",
        "eval": "evaluate, or network.eval() for the mode",
    },
}

KEYWORDS = {
    "lr": "learning_rate",
    "params": "parameters",
    "dim": "axis",
    "dims": "axis",
    "keepdims": "keepdim",
    "betas": "beta1 and beta2",
    "eps": "epsilon",
    "bias": "bias_attr, False for none",
    "requires_grad": "stop_gradient, which is its opposite",
    "device": "nothing: there is one device, the processor",
    "num_epochs": "epochs",
    "batchsize": "batch_size",
    "units": "out_features",
    "filters": "out_channels",
    "strides": "stride",
    "decay": "weight_decay",
    "clipnorm": "grad_clip",
    "validation_data": "eval_data",
    "x": "train_data",
}


def elsewhere(where: str, shown: str, name: str) -> str:
    """The sentence for a name that isn't there; a plain one if nobody would know it. shown: what it was looked for in."""
    ours = NAMES[where].get(name)
    if ours is None:
        return ""
    fix = ours if " " in ours and ours[0].isupper() else f"Type {ours}"
    return message(f"{shown}.{name}", "a name from elsewhere", "the one that lenet and Paddle use", fix)


def teach(target: Any, where: str) -> None:
    """Let ``target``, a module, its name, or a class, say what is meant by the table's names for ``where``."""
    if isinstance(target, str):
        target = sys.modules[target]
    if isinstance(target, ModuleType):
        _teach_module(target, where)
    else:
        _teach_class(target, where)


def _teach_module(module: ModuleType, where: str) -> None:
    before = vars(module).get("__getattr__")

    def look_up(name: str) -> Any:
        if before is not None:
            with suppress(AttributeError):
                return before(name)
        text = elsewhere(where, module.__name__.removeprefix("lenet."), name)
        text = text or f"module {module.__name__!r} has no attribute {name!r}"
        if _is_from_import(sys._getframe(1)):  # which would put a text of its own in the place of ours
            raise ImportError(text, name=module.__name__)
        raise AttributeError(text, name=name, obj=module)

    module.__getattr__ = look_up  # type: ignore[method-assign]
    for name, thing in list(vars(module).items()):
        if name.startswith("_") or not str(getattr(thing, "__module__", "")).startswith("lenet"):
            continue
        if isinstance(thing, type):
            if "__init__" in vars(thing) and not hasattr(thing, "_fields"):
                setattr(thing, "__init__", _renaming(vars(thing)["__init__"], thing.__name__))  # noqa: B010
        elif isinstance(thing, FunctionType) and not hasattr(thing, "__wrapped__"):
            if not {"axis", "keepdim", "stop_gradient"} & _arguments(thing):
                continue
            better = _renaming(thing, thing.__name__)
            home = sys.modules[thing.__module__]
            for place in {id(home): home, id(module): module}.values():
                if vars(place).get(name) is thing:
                    setattr(place, name, better)


def _is_from_import(frame: Any) -> bool:
    import opcode

    code = frame.f_code.co_code
    return bool(0 <= frame.f_lasti < len(code) and code[frame.f_lasti] == opcode.opmap["IMPORT_FROM"])


def _teach_class(kind: type, where: str) -> None:
    if "__getattr__" not in vars(kind):

        def look_up(self: object, name: str) -> Any:
            shown = type(self).__name__
            raise AttributeError(
                elsewhere(where, shown, name) or f"'{shown}' object has no attribute '{name}'", name=name
            )

        kind.__getattr__ = look_up  # type: ignore[attr-defined]
    for name, method in list(vars(kind).items()):
        if name.startswith("_") or not isinstance(method, FunctionType) or hasattr(method, "__wrapped__"):
            continue
        if {"axis", "keepdim", "epochs", "batch_size"} & _arguments(method):
            setattr(kind, name, _renaming(method, f"{kind.__name__}.{name}"))


def _arguments(function: FunctionType) -> set[str]:
    code = function.__code__
    return set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _renaming(function: Callable[..., Any], shown: str) -> Callable[..., Any]:
    """The function, whose complaint about a keyword argument from elsewhere names ours."""
    if hasattr(function, "__renaming__"):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if not kwargs or error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # from within: somebody else's argument
            import inspect

            known = inspect.signature(function).parameters
            for name in kwargs:
                if name not in known and name in KEYWORDS:
                    expected = "the one that lenet and Paddle use"
                    text = message(f"{shown}({name}=)", "a name from elsewhere", expected, f"Type {KEYWORDS[name]}")
                    raise TypeError(text) from None
            raise

    call.__renaming__ = True  # type: ignore[attr-defined]
    return call
