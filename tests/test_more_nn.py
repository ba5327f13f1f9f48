"""Further layers, losses and functions beside real Paddle, live: outputs, gradients, parameters, what they print.

One line a case, as in test_nn_parity, whose letters and comparisons these are.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import calls
import numpy as np
import pytest
from test_nn_parity import backward, compare, run_layer, tensors

import lenet

FUNCTIONS = """
F.thresholded_relu(x)  F.thresholded_relu(x, 0.2, 0.5)  F.maxout(p.concat([x, y*2], 1), 2)
F.maxout(p.concat([h, h*2], 3), 3, axis=-1)  F.rrelu(x, training=False)  F.rrelu(x, 0.2, 0.2)  F.swiglu(m)
F.swiglu(m, q)  F.logsigmoid(x)  F.relu_(x*1)  F.elu_(x*1, 0.5)  F.softmax_(x*1, 1)  F.tanh_(x*1)
F.leaky_relu_(x*1, 0.2)  F.hardtanh_(x*1)  F.thresholded_relu_(x*1)  F.gumbel_softmax(m, hard=True).sum(-1).detach()
F.group_norm(x, 1, 1e-3, c, c*2)  F.group_norm(h, 3, 1e-5, c, c, data_format='NHWC')  F.instance_norm(x)
F.instance_norm(x, weight=c, bias=c*2)  F.local_response_norm(x, 2)  F.local_response_norm(x, 3, 0.3, 0.5, 2.)
F.local_response_norm(h, 3, 0.3, data_format='NHWC')
F.cosine_embedding_loss(m, q, p.to_tensor([1, -1, 1, -1, 1, -1]))
F.cosine_embedding_loss(m, q, p.to_tensor([1, -1, 1, -1, 1, -1]), 0.3, 'none')  F.hinge_embedding_loss(m, t*2-1)
F.hinge_embedding_loss(m, t*2-1, 0.4, 'none')  F.triplet_margin_loss(m, q, q*2)
F.triplet_margin_loss(m, q, q*2-m, 2., 1, swap=True)  F.triplet_margin_loss(m, q, q*2, reduction='none')
F.triplet_margin_with_distance_loss(m, q, q*2-m)
F.triplet_margin_with_distance_loss(m, q, m*2, lambda a, b: (a - b).abs().sum(-1), 0.2, True, 'sum')
F.pairwise_distance(m, q)  F.pairwise_distance(m, q, 1., keepdim=True)  F.soft_margin_loss(m, t*2-1)
F.soft_margin_loss(m, t*2-1, 'none')  F.multi_label_soft_margin_loss(m, t)
F.multi_label_soft_margin_loss(m, t, d[0], 'none')  F.multi_margin_loss(m, k)
F.multi_margin_loss(m, k, 2, 0.5, reduction='none')  F.multi_margin_loss(m, k, weight=d[0], reduction='none')
F.multi_label_margin_loss(m, p.to_tensor([[3, 0, -1, 1]]*6))
F.multi_label_margin_loss(m, p.to_tensor([[2, -1, -1, 1]]*6), 'none')  F.npair_loss(m, q, k.astype(m.dtype))
F.dice_loss(F.softmax(m), k.unsqueeze(1))  F.poisson_nll_loss(m, t*3)  F.poisson_nll_loss(q, t*3, False, True)
F.poisson_nll_loss(m, t*3, full=True, reduction='none')  F.gaussian_nll_loss(m, t, q.detach())
F.sigmoid_focal_loss(m, t)  F.sigmoid_focal_loss(m, t, p.to_tensor([3.]).astype(m.dtype), 0.3, 1.5, 'mean')
F.pixel_shuffle(x.reshape([2, 12, 5, 1]), 2)  F.pixel_shuffle(x.reshape([2, 5, 1, 12]), 2, 'NHWC')
F.pixel_unshuffle(x[:, :, :, :4], 2)  F.pixel_unshuffle(h[:, :, :4], 2, 'NHWC')  F.channel_shuffle(x, 3)
F.channel_shuffle(x.reshape([2, 6, 5, 2]), 2)  F.channel_shuffle(x.reshape([2, 5, 2, 6]), 3, 'NHWC')
F.temporal_shift(x.reshape([4, 5, 3, 2]), 2, 0.4)  F.interpolate(x, [7, 9], mode='bicubic')
F.interpolate(x, [3, 11], mode='bicubic', align_corners=True)  F.interpolate(x, scale_factor=2, mode='bicubic')
F.interpolate(x, [3, 2], mode='area')  F.zeropad2d(x, [1, 2, 0, 1])  F.unfold(x, 2)
F.unfold(x, [2, 3], 2, [1, 0], [1, 2])  F.unfold(x, 2, 1, [1, 2, 0, 1])  F.fold(F.unfold(x, 2), [4, 5], 2)
F.fold(F.unfold(x, [2, 3], 2, 1), [4, 5], [2, 3], 2, 1)  F.affine_grid(e, [1, 3, 4, 5])
F.affine_grid(e, [1, 3, 4, 5], False)  F.alpha_dropout(x, 0.4)  F.alpha_dropout(x, 0.4, False)
F.feature_alpha_dropout(x, 0.4)  F.bilinear(m, q, z)  F.sequence_mask(k, 5)  F.sequence_mask(k, dtype='float32')
F.grid_sample(x, g)  F.grid_sample(x, g.detach(), 'nearest')  F.grid_sample(x, g, padding_mode='border', align_corners=False)
F.grid_sample(x, g * 2, padding_mode='reflection')
F.grid_sample(x, g * 2, padding_mode='reflection', align_corners=False)
"""

# Paddle's gradient lacks a term without weight and bias, or the variance's; ours is held to differences below.
VALUES = """
F.group_norm(x, 3)  F.gaussian_nll_loss(m, t, q, full=True, reduction='none')  F.gaussian_nll_loss(m, t, q[:, 0])
"""


def found(p: Any, call: str, dtype: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    p.seed(5)
    r = np.random.RandomState(7)
    letters = tensors(p, dtype)
    letters["g"] = p.to_tensor(r.uniform(-1.3, 1.3, (2, 3, 4, 2)).astype(dtype), stop_gradient=False)
    letters["z"] = p.to_tensor(r.rand(3, 4, 4).astype(dtype), stop_gradient=False)
    letters["e"] = p.to_tensor(np.array([[[1, 0.2, 0], [0.1, 1, 0.3]]], dtype), stop_gradient=False)
    results = backward(p, eval(call, {"p": p, "np": np, "F": p.nn.functional, **letters}))
    grads = {name: t.grad.numpy() for name, t in letters.items() if t.grad is not None}
    return {f"output {i}": t.numpy() for i, t in enumerate(results)}, grads


# float32: sums in another order, e.g. of interpolation's weights; float64: Paddle's settings are float32 in places
def close(dtype: str) -> tuple[float, float]:
    return (2e-5, 5e-6) if dtype == "float32" else (1e-6, 1e-7)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", calls.lines(FUNCTIONS))
def test_a_function_gives_paddles_numbers(paddle: ModuleType, call: str, dtype: str) -> None:
    if "npair" in call:
        dtype = "float32"  # Paddle's only one there
    ours, theirs = (found(p, call, dtype) for p in (lenet, paddle))
    # Paddle's weights of interpolation are single precision
    compare(ours[0] | ours[1], theirs[0] | theirs[1], *close("float32" if "interpolate" in call else dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", calls.lines(VALUES))
def test_a_function_gives_paddles_values(paddle: ModuleType, call: str, dtype: str) -> None:
    compare(found(lenet, call, dtype)[0], found(paddle, call, dtype)[0], *close(dtype))


@pytest.mark.parametrize("call", calls.lines(VALUES))
def test_its_gradient_is_right(call: str) -> None:
    """By central differences along one random direction."""
    r = np.random.RandomState(2)

    def value(letters: dict[str, Any]) -> Any:
        y = eval(call, {"F": lenet.nn.functional, **letters})
        return (y * lenet.to_tensor(np.random.RandomState(9).standard_normal(y.shape))).sum()

    letters = tensors(lenet, "float64")
    value(letters).backward()
    for name, t in letters.items():
        if t.grad is not None:
            way = r.standard_normal(t.shape)
            ends = [value(letters | {name: lenet.to_tensor(t.numpy() + s * way)}).item() for s in (1e-6, -1e-6)]
            np.testing.assert_allclose((t.grad.numpy() * way).sum(), (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-7)


LAYERS = {
    "nn.GroupNorm(3, 6)": (2, 6, 4, 5),
    "nn.GroupNorm(2, 4, 1e-3, data_format='NHWC')": (2, 3, 5, 4),
    "nn.InstanceNorm2D(3)": (2, 3, 4, 5),
    "nn.InstanceNorm2D(3, weight_attr=False, bias_attr=False)": (2, 3, 4, 5),
    "nn.InstanceNorm1D(3)": (2, 3, 4),
    "nn.LocalResponseNorm(3, 0.2)": (2, 5, 4, 5),
    "nn.PixelShuffle(2)": (2, 4, 3, 5),
    "nn.PixelUnshuffle(2)": (2, 3, 4, 6),
    "nn.ChannelShuffle(2)": (2, 4, 3, 5),
    "nn.ChannelShuffle(2, 'NHWC')": (2, 3, 5, 4),
    "nn.Unfold([2, 3], paddings=1)": (2, 3, 4, 5),
    "nn.Fold([4, 5], 2)": (2, 12, 12),
    "nn.Unflatten(1, [2, -1])": (2, 4, 3),
    "nn.Hardshrink()": (5, 4),
    "nn.Softshrink(0.3)": (5, 4),
    "nn.ThresholdedReLU(0.5)": (5, 4),
    "nn.GLU(0)": (4, 5),
    "nn.Maxout(2)": (2, 4, 3, 3),
    "nn.Softmax2D()": (2, 3, 4, 5),
    "nn.RReLU(0.25, 0.25)": (5, 4),
    "nn.ConstantPad2D(1, 2.0)": (2, 3, 4, 5),
    "nn.ReflectionPad2D([1, 2, 1, 0])": (2, 3, 4, 5),
    "nn.ReplicationPad2D(1)": (2, 3, 4, 5),
    "nn.CircularPad2D(2)": (2, 3, 4, 5),
    "nn.UpsamplingNearest2D([7, 3])": (2, 3, 4, 5),
    "nn.UpsamplingBilinear2D([7, 3])": (2, 3, 4, 5),
    "nn.AlphaDropout(0.3)": (5, 4),
    "nn.FeatureAlphaDropout(0.3)": (5, 4, 3, 3),
    "nn.Conv2d(3, 4, 3)": (2, 3, 4, 5),
    "nn.SiLU()": (5, 4),
    "nn.AdaptiveMaxPool2d(2)": (2, 3, 4, 5),
    "nn.ConstantPad2d(1, 2.0)": (2, 3, 4, 5),
    "nn.ReflectionPad2d(1)": (2, 3, 4, 5),
    "nn.ReplicationPad2d(1)": (2, 3, 4, 5),
    "nn.CircularPad2d(1)": (2, 3, 4, 5),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("build", LAYERS)
def test_a_layer_gives_paddles_numbers(paddle: ModuleType, build: str, dtype: str) -> None:
    ours, theirs = (run_layer(p, build, LAYERS[build], dtype) for p in (lenet, paddle))
    compare(ours, theirs, *((1e-5, 1e-5) if dtype == "float32" else (1e-5, 1e-7)))


PRINTED = [
    *LAYERS,
    "nn.SpectralNorm([4, 3], 1, 2)",
    "nn.Bilinear(4, 3, 2)",
    "nn.SyncBatchNorm(3)",
    "nn.PairwiseDistance(1.0)",
]


@pytest.mark.parametrize("build", PRINTED)
def test_a_layer_prints_and_names_its_parameters_as_paddle_does(paddle: ModuleType, build: str) -> None:
    ours, theirs = (eval(build, {"nn": p.nn}) for p in (lenet, paddle))
    assert repr(ours) == repr(theirs)
    described = [
        [(name, value.name.split(".")[1], value.stop_gradient) for name, value in layer.named_parameters()]
        for layer in (ours, theirs)
    ]
    assert described[0] == described[1]


def test_spectral_norm(paddle: ModuleType) -> None:
    """Values, and the vectors, which stay as they were drawn. The gradient takes the vectors for constants."""
    kept = []
    for p in (lenet, paddle):
        p.seed(4)
        layer = p.nn.SpectralNorm([4, 3, 2], 1, 3)
        x = p.to_tensor(np.random.RandomState(2).standard_normal((4, 3, 2)).astype("float32"))
        kept.append({"y": layer(x).numpy(), "again": layer(x).numpy(), "u": layer.weight_u.numpy()})
    compare(*kept, 1e-5, 1e-6)


LOSSES = {
    "CosineEmbeddingLoss(0.2)": "m, q, p.to_tensor([1, -1, 1, -1, 1, -1])",
    "HingeEmbeddingLoss(0.4)": "m, t * 2 - 1",
    "TripletMarginLoss(swap=True)": "m, q, q * 2 - m",
    "TripletMarginWithDistanceLoss(margin=0.5)": "m, q, q * 2 - m",
    "SoftMarginLoss()": "m, t * 2 - 1",
    "MultiLabelSoftMarginLoss(reduction='sum')": "m, t",
    "MultiMarginLoss(2, 0.5)": "m, k",
    "MultiLabelMarginLoss('none')": "m, p.to_tensor([[3, 0, -1, 1]] * 6)",
    "PoissonNLLLoss(full=True)": "m, t * 3",
    "GaussianNLLLoss()": "m, t, q.detach()",
    "MarginRankingLoss(0.1)": "m, q, t * 2 - 1",
    "PairwiseDistance(1.0, keepdim=True)": "m, q",
    "CosineSimilarity(0)": "m, q",
    "Bilinear(4, 4, 3)": "m, q",
}


@pytest.mark.parametrize("build", LOSSES)
def test_a_layer_of_several_inputs(paddle: ModuleType, build: str) -> None:
    results = []
    for p in (lenet, paddle):
        p.seed(3)
        letters = tensors(p, "float32")
        layer = eval(f"nn.{build}", {"nn": p.nn})
        y = layer(*eval(f"({LOSSES[build]},)", {"p": p, **letters}))
        backward(p, y)
        grads = {name: t.grad.numpy() for name, t in letters.items() if t.grad is not None}
        results.append({"output": y.numpy()} | grads | {n: v.grad.numpy() for n, v in layer.named_parameters()})
    compare(*results, 1e-5, 2e-6)


def test_gumbel_softmax_and_rrelu_draw_within_their_bounds() -> None:
    lenet.seed(1)
    x = lenet.to_tensor(np.random.RandomState(0).standard_normal((2000, 4)).astype("float32"))
    soft = lenet.nn.functional.gumbel_softmax(x * 0, 0.5)
    np.testing.assert_allclose(soft.sum(-1).numpy(), 1, rtol=1e-5)
    hard = lenet.nn.functional.gumbel_softmax(x * 0, hard=True).numpy()
    np.testing.assert_allclose(hard.round(5).mean(0), 0.25, atol=5 * (0.1875 / 2000) ** 0.5)  # five standard errors
    y = lenet.nn.functional.rrelu(x, 0.1, 0.3).numpy()
    slopes = (y / x.numpy())[x.numpy() < 0]
    assert 0.1 <= slopes.min() < 0.11
    assert 0.29 < slopes.max() <= 0.3 + 1e-6
    assert np.array_equal(y[x.numpy() >= 0], x.numpy()[x.numpy() >= 0])


def test_a_wrapped_network_is_the_network() -> None:
    net = lenet.nn.Linear(3, 2)
    wrapped = lenet.DataParallel(net)
    x = lenet.ones([2, 3])
    assert np.array_equal(wrapped(x).numpy(), net(x).numpy())
    assert list(wrapped.state_dict()) == ["weight", "bias"]
    wrapped.set_state_dict({"weight": np.ones((3, 2), "float32"), "bias": np.zeros(2, "float32")})
    assert wrapped(x).tolist() == [[3, 3], [3, 3]]
    held = lenet.nn.ParameterDict({"a": lenet.create_parameter([2])})
    held["b"] = lenet.nn.Parameter(lenet.ones([3]))
    assert [name for name, _ in held.named_parameters()] == list(held) == ["a", "b"]
    with pytest.raises(KeyError, match="ParameterDict: got 'c', expected one of a, b"):
        held["c"]


F = lenet.nn.functional
X = lenet.ones([2, 3, 4, 5])
M = lenet.ones([2, 3])
REFUSED = [
    (lambda: F.group_norm(X, 2), r"group_norm: got 2 groups for x of shape \[2, 3, 4, 5\], expected a divisor"),
    (lambda: F.pixel_shuffle(X, 2), "pixel_shuffle: got 3 channels for a factor of 2, expected a multiple of 4"),
    (lambda: F.channel_shuffle(X, 2), "channel_shuffle: got 3 channels, expected a multiple of 2"),
    (lambda: F.maxout(X, 2), "maxout: got 2 groups of an axis of 3, expected a divisor"),
    (lambda: F.unfold(X, 9), "unfold: got patches of 9×9 of images of 4×5, expected patches that fit"),
    (lambda: F.fold(M.unsqueeze(0), [4, 5], 2), r"fold: got columns of shape \[1, 2, 3\]"),
    (lambda: F.triplet_margin_loss(M, M, M, -1.0), r"triplet_margin_loss\(margin\): got -1.0"),
    (lambda: F.cosine_embedding_loss(M, M, M), "cosine_embedding_loss: got labels of shape"),
    (lambda: F.gaussian_nll_loss(M, M, -M), r"gaussian_nll_loss\(variance\): got -1.0"),
    (lambda: F.dice_loss(M, M), "dice_loss: got labels of shape"),
    (lambda: F.grid_sample(X, M), "grid_sample: got points of shape"),
    (lambda: F.rrelu(M, 0.5, 0.2), "rrelu: got lower 0.5 and upper 0.2"),
    (lambda: lenet.nn.InstanceNorm2D(3)(M), r"InstanceNorm2D.*got x of shape \[2, 3\], expected 4 dimensions"),
    (lambda: lenet.nn.Softmax2D()(M), r"Softmax2D.*got x of shape \[2, 3\]"),
    (lambda: lenet.optimizer.Rprop(1.0, (2.0, 3.0), [lenet.nn.Parameter(M)]), r"Rprop\(learning_rate_range\): got"),
    (lambda: lenet.optimizer.Rprop(1.0, etas=(2, 3), parameters=[lenet.nn.Parameter(M)]), r"Rprop\(etas\): got"),
]


@pytest.mark.parametrize(("call", "text"), REFUSED)
def test_a_mistake_is_named(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
