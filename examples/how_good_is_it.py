"""How good is it? Trains for two epochs, then says more than one number: an interval, every class, and what happens when
the network may say "I don't know".
"""

import tempfile
from pathlib import Path

from lenet.train import train
from lenet.train.data import load_test

SURE = 0.9  # set beforehand: a threshold chosen on the test images would flatter

out = Path(tempfile.mkdtemp()) / "model.safetensors"
model = train("fast", out=out, say=print).trained
classes, test, _ = load_test("mnist")
found = model.evaluate(test.images, test.labels)

low, high = found.interval
print(f"test accuracy {found.accuracy:.4f}, 95 % interval {low:.4f} to {high:.4f}")
print("class  precision  recall  images")
for name, precision, recall, images in zip(classes, found.precision, found.recall, found.support, strict=True):
    print(f"{name:5}  {precision:9.4f}  {recall:6.4f}  {images:6}")
truth, answer, times = found.confusions()[0]
print(f"most often mistaken: {classes[truth]} as {classes[answer]}, {times} times")

probabilities = model.probabilities(test.images)
sure = probabilities.max(axis=1) >= SURE
right = probabilities.argmax(axis=1) == test.labels
print(f"calibration error {found.ece:.4f}")
print(f"less than {SURE:.0%} sure: {(~sure).sum()} images, {right[~sure].mean():.4f} of them right")
print(f"the others: {right[sure].mean():.4f} right")
