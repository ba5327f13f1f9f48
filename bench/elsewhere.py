"""How exactly networks go to other libraries and back, on a thousand of MNIST's test images.

    python -m bench.elsewhere              stores bench/results/elsewhere.json

For LeNet, Paddle's other LeNet, a ResNet with batch normalisation and thirty networks drawn by hypothesis: the largest
difference between lenet's logits and ONNX Runtime's, PyTorch's and Paddle's, of the network that went there and of the one
that came back, of the largest logit where that is above 1; and whether each weight came back bit for bit.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench import machine

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bench" / "results" / "elsewhere.json"
IMAGES, DRAWN = 1000, 30
LIBRARIES = {"onnx": "ONNX Runtime", "torch": "PyTorch", "paddle": "Paddle"}
TITLES = {
    "tutorial": "the tutorial's LeNet", "other": "Paddle's other LeNet", "resnet": "ResNet-20, batch normalisation",
    "drawn": f"{DRAWN} drawn networks, the worst",
}  # fmt: skip

sys.path.append(str(ROOT / "tests"))


def networks() -> Iterator[tuple[str, Any]]:
    """The named ones, then the drawn ones; their statistics are no longer those of a new network."""
    import drawn_networks
    from hypothesis import given, settings
    from hypothesis import strategies as st

    import lenet
    from lenet.vision import models

    for name, make in (("tutorial", lenet.LeNet), ("other", models.LeNet), ("resnet", lambda: models.resnet20(10, 1))):
        lenet.seed(0)
        yield name, drawn_networks.lived_in(make(), 0)
    drawn: list[Any] = []

    @settings(max_examples=DRAWN, deadline=None, database=None, derandomize=True)
    @given(drawn_networks.steps(), st.integers(0, 1000))
    def draw_one(steps: Any, seed: int) -> None:
        drawn.append((steps, seed))

    draw_one()
    for steps, seed in drawn:
        yield "drawn", drawn_networks.Drawn(steps, seed)


def there(way: str, network: Any, images: Any, folder: Path) -> tuple[Any, Callable[[], Any]]:
    """What the network answers in the other library, and how it comes back."""
    import lenet
    from lenet import export

    if way == "onnx":
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)
        file = folder / "net.onnx"
        export.onnx(network, file, probabilities=False, shape=images.shape[1:])
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        return session.run(None, {"images": images})[0], lambda: lenet.from_onnx(file)
    if way == "torch":
        import torch

        module = export.torch(network, shape=images.shape[1:])
        with torch.no_grad():
            return module(torch.from_numpy(images)).numpy(), lambda: lenet.from_torch(module)
    import paddle

    layer = export.paddle(network, shape=images.shape[1:])
    with paddle.no_grad():
        return layer(paddle.to_tensor(images)).numpy(), lambda: lenet.from_paddle(layer)


def apart(a: Any, b: Any) -> float:
    return float(np.abs(a - b).max() / max(1.0, float(np.abs(b).max())))


def measure() -> dict[str, Any]:
    import onnxruntime
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import paddle

    from lenet.export.graph import answers
    from lenet.train.data import load

    images = load("mnist").test.images[:IMAGES].astype(np.float32) / 127.5 - 1
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, network) in enumerate(networks()):
            ours = answers(network, images)
            if not ours.std(axis=0).max() > 1e-3:
                raise SystemExit(f"{name}: a network that tells no images apart proves nothing")
            for way in LIBRARIES:
                theirs, back = there(way, network, images, Path(folder))
                returned = back()
                a, b = network.state_dict(), returned.state_dict()
                same = sorted(a) == sorted(b) and all(a[k].numpy().tobytes() == b[k].numpy().tobytes() for k in a)
                row = rows.setdefault(name, {}).setdefault(
                    way, {"there": 0.0, "back": 0.0, "bits": True, "networks": 0}
                )
                row["there"] = max(row["there"], apart(theirs, ours))
                row["back"] = max(row["back"], apart(answers(returned, images), theirs))
                row["bits"], row["networks"] = row["bits"] and same, row["networks"] + 1
            print(f"{number + 1}: {name}", file=sys.stderr, flush=True)
    versions = {
        "onnx": onnxruntime.__version__,
        "torch": torch.__version__.partition("+")[0],
        "paddle": paddle.__version__,
    }
    return {
        "images": IMAGES,
        "rows": rows,
        "versions": versions,
        "machine": {"cpu": machine.cpu(), "cores": machine.cores()},
    }


def table(result: dict[str, Any]) -> str:
    """The Markdown table of a stored result."""
    versions = result["versions"]
    heads = [f"{title} {versions[way]}" for way, title in LIBRARIES.items()]
    lines = [f"| network | {' | '.join(heads)} | bits of each weight |", "|---|" + "---|" * (len(heads) + 1)]
    for name in (name for name in TITLES if name in result["rows"]):
        row = result["rows"][name]
        cells = [f"{row[way]['there']:.0e}, {row[way]['back']:.0e}" for way in LIBRARIES]
        same = "the same" if all(row[way]["bits"] for way in LIBRARIES) else "**not all the same**"
        lines.append(f"| {TITLES[name]} | {' | '.join(cells)} | {same} |")
    text = (
        f"The largest difference of the logits of {result['images']:,} of MNIST's test images, of the largest logit where that is"
        " above 1: there, and back again."
    )
    return "\n".join([*lines, "", text])


if __name__ == "__main__":
    OUT.write_text(json.dumps(measure(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
