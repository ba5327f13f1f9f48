"""Way 1: the high-level API. Two epochs, then the test set, then one digit."""

import lenet
from lenet.vision.transforms import Normalize

normalise = Normalize(mean=[127.5], std=[127.5], data_format="CHW")
train = lenet.vision.datasets.MNIST(mode="train", transform=normalise)
test = lenet.vision.datasets.MNIST(mode="test", transform=normalise)

lenet.seed(0)
model = lenet.Model(lenet.LeNet())
adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=model.parameters())
model.prepare(adam, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
model.fit(train, epochs=2, batch_size=64, log_freq=300)
result = model.evaluate(test, batch_size=64, verbose=0)
print(f"test accuracy {result['acc']:.4f}")

image, label = test[0]
logits = model.predict_batch([image[None]])[0]
print(f"the first test image is a {label[0]}, read as {logits.argmax()}")
