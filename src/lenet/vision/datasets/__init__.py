"""Data sets under Paddle's names: MNIST and its kin, and folders of one's own images. Read by users and the CLI."""

from __future__ import annotations

from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.datasets.cifar import Cifar10, Cifar100
from lenet.vision.datasets.folder import DatasetFolder, ImageFolder, load_folder
from lenet.vision.datasets.kin import EMNIST, KMNIST, QMNIST
from lenet.vision.datasets.mnist import MNIST, FashionMNIST

__all__ = [
    "EMNIST", "KMNIST", "MNIST", "QMNIST", "ArrayDataset", "Cifar10", "Cifar100", "DatasetFolder", "FashionMNIST",
    "ImageFolder", "load_folder",
]  # fmt: skip
