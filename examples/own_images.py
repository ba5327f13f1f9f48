"""Your own labelled images: a folder with one folder a class, each holding image files of any size and kind.

    python own_images.py FOLDER

Without a FOLDER it first writes a small one of MNIST digits, to have something to show.
"""

import sys
import tempfile
from pathlib import Path

import lenet
from lenet.vision.datasets import MNIST, DatasetFolder
from lenet.vision.transforms import Compose, Grayscale, Normalize, Resize


def sample_folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    digits = MNIST(mode="test")
    for i in range(600):
        image, label = digits[i]
        (folder / str(label[0])).mkdir(exist_ok=True)
        image.save(folder / str(label[0]) / f"{i}.png")
    return folder


folder = Path(sys.argv[1]) if len(sys.argv) > 1 else sample_folder()
to_network = Compose([Grayscale(), Resize((28, 28)), Normalize(mean=[127.5], std=[127.5], data_format="CHW")])
images = DatasetFolder(str(folder), transform=to_network)
train, held_out = lenet.io.random_split(images, [0.8, 0.2])

lenet.seed(0)
model = lenet.Model(lenet.LeNet())
adam = lenet.optimizer.Adam(learning_rate=0.002, parameters=model.parameters())
model.prepare(adam, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
model.fit(train, epochs=5, batch_size=32, verbose=2)
print(f"classes {images.classes}")
print(f"held-out accuracy {model.evaluate(held_out, batch_size=32, verbose=0)['acc']:.3f}")
