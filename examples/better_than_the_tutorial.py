"""Way 1, further than the tutorial: about 99.2 % in the same two epochs, by five means that cost nothing.

Images moved by a pixel, a learning rate that rises and falls, smoothed labels, a quicker Adam, and the average of the
weights instead of the last ones.
"""

import lenet
from lenet.vision.transforms import Augment, Compose, Normalize

EPOCHS, BATCH = 2, 64
normalise = Normalize(mean=[127.5], std=[127.5], data_format="CHW")
train = lenet.vision.datasets.MNIST(mode="train", transform=Compose([Augment(shift=1), normalise]))
test = lenet.vision.datasets.MNIST(mode="test", transform=normalise)  # nothing moves here

lenet.seed(0)
model = lenet.Model(lenet.LeNet())
steps = EPOCHS * -(-len(train) // BATCH)
rate = lenet.optimizer.lr.WarmupDecay(max_lr=5e-3, total_steps=steps)
adam = lenet.optimizer.Adam(rate, beta2=0.99, parameters=model.parameters())
model.prepare(adam, lenet.nn.CrossEntropyLoss(label_smoothing=0.03), lenet.metric.Accuracy())
model.fit(train, epochs=EPOCHS, batch_size=BATCH, log_freq=300, callbacks=lenet.callbacks.EMA(decay=0.99))
result = model.evaluate(test, batch_size=BATCH, verbose=0)
print(f"test accuracy {result['acc']:.4f}")
