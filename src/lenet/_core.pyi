"""
lenet's native engine: kernels, a thread pool, plans, and Paddle's random stream.
"""

from collections.abc import Sequence
from typing import Annotated, overload

import numpy
from numpy.typing import NDArray


LANES: int = 16

FEW: int = 8

MOST_NUMBERS: int = 67108864

class Winners:
    """Which cell won each pooling window: flat h * W + w, in lanes."""

    @property
    def size(self) -> int: ...

    def copy_to(self, out: Annotated[NDArray[numpy.int32], dict(order='C', device='cpu')]) -> None: ...

class Buffer:
    """
    Numbers in the core's own layout: groups of 16 samples, the sample innermost.
    """

    def __init__(self, size: int) -> None: ...

    @property
    def size(self) -> int: ...

    def copy_to(self, out: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]) -> None:
        """Copies the raw numbers into an array of the same size."""

    def copy_from(self, array: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)]) -> None:
        """Copies raw numbers from an array of the same size."""

@overload
def to_lanes(dense: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], n: int) -> Buffer: ...

@overload
def to_lanes(dense: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], n: int) -> Buffer64: ...

@overload
def to_few(dense: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], n: int) -> Buffer: ...

@overload
def to_few(dense: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], n: int) -> Buffer64:
    """
    The numbers of up to 8 samples as they are, for operations that no backward follows.
    """

@overload
def part_of(x: Buffer, n: int, features: int, start: int, count: int) -> Buffer: ...

@overload
def part_of(x: Buffer64, n: int, features: int, start: int, count: int) -> Buffer64:
    """Some features of each sample."""

@overload
def part_into(y: Buffer, n: int, features: int, start: int, count: int) -> Buffer: ...

@overload
def part_into(y: Buffer64, n: int, features: int, start: int, count: int) -> Buffer64:
    """The same features, and zeros for the others."""

@overload
def from_lanes(lanes: Buffer, n: int, out: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]) -> None: ...

@overload
def from_lanes(lanes: Buffer64, n: int, out: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')]) -> None: ...

@overload
def total(x: Buffer, n: int) -> float: ...

@overload
def total(x: Buffer64, n: int) -> float:
    """The sum of the first n numbers of a one-number-a-sample buffer."""

class Buffer64:
    """
    Numbers in the core's own layout: groups of 16 samples, the sample innermost.
    """

    def __init__(self, size: int) -> None: ...

    @property
    def size(self) -> int: ...

    def copy_to(self, out: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')]) -> None:
        """Copies the raw numbers into an array of the same size."""

    def copy_from(self, array: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)]) -> None:
        """Copies raw numbers from an array of the same size."""

def gather(images: Annotated[NDArray[numpy.uint8], dict(order='C', device='cpu', writable=False)], features: int, indices: Annotated[NDArray[numpy.int64], dict(order='C', device='cpu', writable=False)], lut: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)]) -> Buffer:
    """Rows of uint8 images through a 256-entry table, into lanes."""

class Conv:
    """The shape of a 2-D convolution on images of a given size."""

    def __init__(self, C: int, H: int, W: int, K: int, kh: int, kw: int, sh: int, sw: int, pt: int, pb: int, pl: int, pr: int, dh: int, dw: int, groups: int) -> None: ...

    @property
    def OH(self) -> int: ...

    @property
    def OW(self) -> int: ...

class Pool:
    """The shape of a 2-D pooling on images of a given size."""

    def __init__(self, C: int, H: int, W: int, kh: int, kw: int, sh: int, sw: int, pt: int, pb: int, pl: int, pr: int, ceil: bool, exclusive: bool, divisor: int) -> None: ...

    @property
    def OH(self) -> int: ...

    @property
    def OW(self) -> int: ...

@overload
def conv2d(conv: Conv, n: int, x: Buffer, w: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], b: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None) -> Buffer: ...

@overload
def conv2d(conv: Conv, n: int, x: Buffer64, w: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], b: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)] | None) -> Buffer64: ...

@overload
def conv2d_backward(conv: Conv, n: int, x: Buffer, w: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], dy: Buffer, need_dx: bool, dw: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')] | None, db: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')] | None) -> Buffer: ...

@overload
def conv2d_backward(conv: Conv, n: int, x: Buffer64, w: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], dy: Buffer64, need_dx: bool, dw: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')] | None, db: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')] | None) -> Buffer64: ...

@overload
def max_pool2d(pool: Pool, n: int, x: Buffer) -> tuple: ...

@overload
def max_pool2d(pool: Pool, n: int, x: Buffer64) -> tuple:
    """
    The maxima, and where each was, for max_pool2d_backward (None of few samples).
    """

@overload
def max_pool2d_backward(pool: Pool, n: int, dy: Buffer, winner: Winners) -> Buffer: ...

@overload
def max_pool2d_backward(pool: Pool, n: int, dy: Buffer64, winner: Winners) -> Buffer64: ...

@overload
def avg_pool2d(pool: Pool, n: int, x: Buffer) -> Buffer: ...

@overload
def avg_pool2d(pool: Pool, n: int, x: Buffer64) -> Buffer64: ...

@overload
def avg_pool2d_backward(pool: Pool, n: int, dy: Buffer) -> Buffer: ...

@overload
def avg_pool2d_backward(pool: Pool, n: int, dy: Buffer64) -> Buffer64: ...

@overload
def relu(x: Buffer) -> Buffer: ...

@overload
def relu(x: Buffer64) -> Buffer64: ...

@overload
def sigmoid(x: Buffer) -> Buffer: ...

@overload
def sigmoid(x: Buffer64) -> Buffer64: ...

@overload
def tanh(x: Buffer) -> Buffer: ...

@overload
def tanh(x: Buffer64) -> Buffer64: ...

@overload
def relu_backward(y: Buffer, dy: Buffer) -> Buffer: ...

@overload
def relu_backward(y: Buffer64, dy: Buffer64) -> Buffer64: ...

@overload
def sigmoid_backward(y: Buffer, dy: Buffer) -> Buffer: ...

@overload
def sigmoid_backward(y: Buffer64, dy: Buffer64) -> Buffer64: ...

@overload
def tanh_backward(y: Buffer, dy: Buffer) -> Buffer: ...

@overload
def tanh_backward(y: Buffer64, dy: Buffer64) -> Buffer64: ...

@overload
def add(a: Buffer, b: Buffer) -> Buffer: ...

@overload
def add(a: Buffer64, b: Buffer64) -> Buffer64: ...

@overload
def mul(a: Buffer, b: Buffer) -> Buffer: ...

@overload
def mul(a: Buffer64, b: Buffer64) -> Buffer64: ...

@overload
def scale(x: Buffer, factor: float) -> Buffer: ...

@overload
def scale(x: Buffer64, factor: float) -> Buffer64: ...

@overload
def linear(n_in: int, n_out: int, n: int, x: Buffer, w: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], b: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None) -> Buffer: ...

@overload
def linear(n_in: int, n_out: int, n: int, x: Buffer64, w: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], b: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)] | None) -> Buffer64: ...

@overload
def linear_backward(n_in: int, n_out: int, n: int, x: Buffer, w: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], dy: Buffer, need_dx: bool, dw: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')] | None, db: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')] | None) -> Buffer: ...

@overload
def linear_backward(n_in: int, n_out: int, n: int, x: Buffer64, w: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], dy: Buffer64, need_dx: bool, dw: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')] | None, db: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')] | None) -> Buffer64: ...

@overload
def softmax(classes: int, n: int, x: Buffer) -> Buffer: ...

@overload
def softmax(classes: int, n: int, x: Buffer64) -> Buffer64: ...

@overload
def softmax_backward(classes: int, n: int, y: Buffer, dy: Buffer) -> Buffer: ...

@overload
def softmax_backward(classes: int, n: int, y: Buffer64, dy: Buffer64) -> Buffer64: ...

@overload
def softmax_loss(classes: int, n: int, x: Buffer, target: Buffer, weight: Buffer) -> tuple: ...

@overload
def softmax_loss(classes: int, n: int, x: Buffer64, target: Buffer64, weight: Buffer64) -> tuple:
    """
    Each sample's weight * -sum(target * log softmax(x)), and its gradient.
    """

@overload
def class_targets(classes: int, n: int, labels: Annotated[NDArray[numpy.int64], dict(order='C', device='cpu', writable=False)], smoothing: float, like: Buffer) -> Buffer: ...

@overload
def class_targets(classes: int, n: int, labels: Annotated[NDArray[numpy.int64], dict(order='C', device='cpu', writable=False)], smoothing: float, like: Buffer64) -> Buffer64:
    """
    (1 - smoothing) * onehot + smoothing / classes, in lanes of the type of `like`.
    """

@overload
def norm_statistics(channels: int, cells: int, n: int, x: Buffer, mean: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')], var: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]) -> None: ...

@overload
def norm_statistics(channels: int, cells: int, n: int, x: Buffer64, mean: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')], var: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')]) -> None:
    """Writes each channel's mean and biased variance."""

@overload
def norm(channels: int, cells: int, n: int, x: Buffer, mean: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], shift: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)]) -> Buffer: ...

@overload
def norm(channels: int, cells: int, n: int, x: Buffer64, mean: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], shift: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)]) -> Buffer64: ...

@overload
def norm_backward(channels: int, cells: int, n: int, x: Buffer, dy: Buffer, mean: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], var: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], epsilon: float, batch: bool, need_dx: bool, dw: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')], db: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]) -> Buffer: ...

@overload
def norm_backward(channels: int, cells: int, n: int, x: Buffer64, dy: Buffer64, mean: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], var: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], epsilon: float, batch: bool, need_dx: bool, dw: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')], db: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu')]) -> Buffer64: ...

@overload
def upsample2d(C: int, H: int, W: int, fh: int, fw: int, n: int, x: Buffer) -> Buffer: ...

@overload
def upsample2d(C: int, H: int, W: int, fh: int, fw: int, n: int, x: Buffer64) -> Buffer64:
    """Each pixel fh x fw times."""

@overload
def upsample2d_backward(C: int, H: int, W: int, fh: int, fw: int, n: int, dy: Buffer) -> Buffer: ...

@overload
def upsample2d_backward(C: int, H: int, W: int, fh: int, fw: int, n: int, dy: Buffer64) -> Buffer64: ...

def sgd(params: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], grads: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], lr: float, l2: float) -> None: ...

def momentum(params: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], grads: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], velocities: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], lr: float, mu: float, nesterov: bool, l2: float) -> None: ...

def adam(params: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], grads: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], moments1: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], moments2: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], lr: float, beta1: float, beta2: float, eps: float, beta1_pow: float, beta2_pow: float, l2: float, decay: float) -> None:
    """
    Adam (l2 is added to the gradient) and AdamW (decay: p *= 1 - lr * decay first); beta_pow: beta^(t+1), float32.
    """

class Pass:
    """One forward pass of a plan, for its backward."""

class Plan:
    """A graph of operations run as one: see plan.h."""

    def __init__(self, n_in: int, rows: list, heads: Sequence[tuple[int, int, int]], values: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]], trainable: Sequence[bool], grads: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]]) -> None: ...

    def set_states(self, states: Sequence[Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]]], lr: Sequence[float], l2: Sequence[float], decays: Sequence[bool], clips: Sequence[bool]) -> None: ...

    def set_averages(self, averages: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]]) -> None: ...

    @property
    def n_in(self) -> int: ...

    @property
    def n_out(self) -> int: ...

    @property
    def takes_warps(self) -> bool: ...

    @property
    def fused(self) -> int: ...

    @property
    def names(self) -> list[str]:
        """What each of its rows is, as fused."""

    def profile(self, on: bool) -> None: ...

    @property
    def clock(self) -> list[float]: ...

    @property
    def work(self) -> list[tuple[float, float]]:
        """
        By the clock's places, multiply-adds a sample: needed by definition, and done.
        """

    def infer(self, bytes: Annotated[NDArray[numpy.uint8], dict(order='C', device='cpu', writable=False)] | None, lut: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None, floats: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None, indices: Annotated[NDArray[numpy.int64], dict(order='C', device='cpu', writable=False)] | None, outputs: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]]) -> None: ...

    def forward(self, x: Buffer, n: int, training: bool, random: Generator, moves: bool = True) -> tuple:
        """
        The outputs, one after another, and what backward() has to know of this pass. moves: running statistics do.
        """

    def backward(self, dy: Buffer, x: Buffer, forward_pass: Pass, grads: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')] | None]) -> None:
        """
        Writes each parameter's gradient, of the pass over x that made dy, into grads where that isn't None.
        """

    def train(self, bytes: Annotated[NDArray[numpy.uint8], dict(order='C', device='cpu', writable=False)] | None, lut: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None, floats: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None, loss: Sequence[tuple[Annotated[NDArray[numpy.int64], dict(order='C', device='cpu', writable=False)], float, int, Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None, Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None]], indices: Annotated[NDArray[numpy.int64], dict(order='C', device='cpu', writable=False)], warps: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)] | None, counts: Sequence[int], rates: Sequence[float], averaging: Sequence[float] | None, update: dict, random: Generator, losses: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')], outputs: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')] | None]) -> str:
        """
        Runs len(counts) updates; returns '' or what was not finite, 'loss' or 'gradient'. A step's loss is written when done.
        """

class Generator:
    """Paddle's CPU random stream."""

    def __init__(self, seed: int) -> None: ...

    def seed(self, seed: int) -> None: ...

    def uniform(self, low: float, high: float, out: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]) -> None: ...

    def normal(self, mean: float, std: float, out: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu')]) -> None: ...

    def permutation(self, out: Annotated[NDArray[numpy.int64], dict(order='C', device='cpu')]) -> None: ...

    def integers(self, low: int, high: int, out: Annotated[NDArray[numpy.int64], dict(order='C', device='cpu')]) -> None: ...

    def get_state(self) -> str: ...

    def set_state(self, state: str) -> None: ...

def levels() -> list:
    """
    Every level compiled in, best first: (name, usable on this CPU, floats in a register).
    """

def level() -> str:
    """The level in use."""

def select_level(name: str) -> str | None:
    """Uses that level from now on; returns None, or the reason why it can't."""

def multiply_add_peak(seconds: float, threads: int) -> float:
    """GFLOP/s of multiply-adds in registers, at the level in use."""

def copy_peak(seconds: float, threads: int) -> float:
    """GB/s of a copy beyond the caches, bytes read and written."""

def set_num_threads(n: int) -> None: ...

def num_threads() -> int: ...
