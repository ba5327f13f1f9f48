"""Names known from elsewhere: each is answered by a sentence that names ours, and what it names is there."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import numpy as np
import pytest

import lenet
from lenet.names import elsewhere as _names

NET = lenet.nn.Linear(3, 2)
PLACES = {
    "lenet": lenet,
    "nn": lenet.nn,
    "functional": lenet.nn.functional,
    "optimizer": lenet.optimizer,
    "metric": lenet.metric,
    "Tensor": lenet.zeros([2, 3]),
    "Layer": NET,
    "Optimizer": lenet.optimizer.Adam(parameters=NET.parameters()),
    "Model": lenet.Model(NET),
}


@pytest.mark.parametrize(("where", "name"), [(where, name) for where, names in _names.NAMES.items() for name in names])
def test_each_name_is_answered(where, name):
    ours = _names.NAMES[where][name]
    with pytest.raises(AttributeError, match=f"{name}: got a name from elsewhere.*{re.escape(ours)}"):
        getattr(PLACES[where], name)
    assert not hasattr(PLACES[where], name)
    if " " not in ours and "(" not in ours:  # a name here: it exists
        start = PLACES[where] if where[0].isupper() else lenet
        for part in ours.removeprefix("lenet.").split("."):
            start = getattr(start, part)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: lenet.optimizer.Adam(lr=0.1, parameters=NET.parameters()), r"Adam\(lr=\).* Type learning_rate"),
        (lambda: lenet.optimizer.SGD(params=NET.parameters()), "Type parameters"),
        (lambda: lenet.optimizer.Momentum(0.1, eps=1, parameters=NET.parameters()), "Type epsilon"),
        (lambda: lenet.zeros([2, 3]).sum(dim=1), r"Tensor.sum\(dim=\).* Type axis"),
        (lambda: lenet.mean(lenet.zeros([2, 3]), dim=1), r"mean\(dim=\).* Type axis"),
        (lambda: lenet.max(lenet.zeros([2, 3]), axis=1, keepdims=True), "Type keepdim"),
        (lambda: lenet.nn.functional.softmax(lenet.zeros([2, 3]), dim=1), r"softmax\(dim=\).* Type axis"),
        (lambda: lenet.nn.Softmax(dim=1), r"Softmax\(dim=\).* Type axis"),
        (lambda: lenet.nn.Linear(3, 2, bias=False), "Type bias_attr, False for none"),
        (lambda: lenet.Model(NET).fit([], num_epochs=3), "Type epochs"),
    ],
)
def test_each_keyword_is_answered(call, text):
    with pytest.raises(TypeError, match=f"got a name from elsewhere.*{text}|{text}"):
        call()


def test_other_mistakes_stay_pythons():
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        lenet.zeros([2]).sum(colour=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        lenet.nn.Linear(3, 2, nonsense=1)
    for place in PLACES.values():
        with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
            place.nonsense  # noqa: B018


def test_an_import_says_it_too():
    with pytest.raises(ImportError, match=r"nn\.MaxPool2d: got a name from elsewhere.* Type nn\.MaxPool2D"):
        from lenet.nn import MaxPool2d  # noqa: F401
    with pytest.raises(ImportError, match="no attribute 'nonsense'"):
        from lenet.nn import nonsense  # noqa: F401


def test_signatures_and_copies_are_as_before():
    assert next(iter(inspect.signature(lenet.optimizer.Adam).parameters)) == "learning_rate"
    assert list(inspect.signature(lenet.sum).parameters)[:2] == ["x", "axis"]
    assert pickle.loads(pickle.dumps(lenet.sum)) is lenet.sum
    tensor = copy.deepcopy(lenet.to_tensor(np.arange(3.0)))
    assert tensor.numpy().tolist() == [0, 1, 2]
