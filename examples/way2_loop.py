"""Way 2: the base API. Your own loop over batches; print, branch or break in it as you like."""

import lenet
from lenet.nn import functional as F
from lenet.vision.transforms import Normalize

normalise = Normalize(mean=[127.5], std=[127.5], data_format="CHW")
train = lenet.vision.datasets.MNIST(mode="train", transform=normalise)
test = lenet.vision.datasets.MNIST(mode="test", transform=normalise)

lenet.seed(0)
net = lenet.LeNet()
# net = lenet.jit.to_static(net)  # the same numbers, faster: forward and backward become one call each
adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=net.parameters())

net.train()
for step, (x, y) in enumerate(lenet.io.DataLoader(train, batch_size=64, shuffle=True)()):
    predictions = net(x)
    loss = F.cross_entropy(predictions, y)
    accuracy = lenet.metric.accuracy(predictions, y)
    loss.backward()
    adam.step()
    adam.clear_grad()
    if step % 300 == 0:
        print(f"step {step}, loss {loss.item():.4f}, accuracy {accuracy.item():.4f}")

net.eval()
right = 0.0
with lenet.no_grad():
    for x, y in lenet.io.DataLoader(test, batch_size=1000)():
        right += lenet.metric.accuracy(net(x), y).item() * len(y)
print(f"test accuracy {right / len(test):.4f}")
