"""What is measured: the suites, each a list of (peer, work), and what a suite's result keeps. Plain data and small rules.

A peer's work is what its file in peers/ serves under that name. Adding a peer is one file there, one row in
``environments`` and a line here.
"""

from __future__ import annotations

from typing import Any

from bench.runner import ratios, spread

# One epoch of 60,000 images, batch 64, Adam 0.001.
TRAIN = [
    ("lenet", "fit"),
    ("lenet", "static"),
    ("lenet", "loop"),
    ("torch", "loop"),
    ("torch", "loader"),
    ("torch", "compile"),
    ("jax", "loop"),
    ("keras", "fit"),
    ("tinygrad", "loop"),
    ("paddle", "loop"),
    ("paddle", "fit"),
]
# 10,000 images to an accuracy.
EVALUATE = [
    ("lenet", "evaluate"),
    ("onnxruntime", "evaluate1"),
    ("onnxruntime", "evaluate2"),
    ("openvino", "evaluate"),
    ("opencv", "evaluate"),
    ("torch", "evaluate"),
    ("jax", "evaluate"),
    ("keras", "evaluate"),
    ("tinygrad", "evaluate"),
    ("paddle", "evaluate"),
]
# One image, many times, from a numpy array to numpy logits.
IMAGE = [
    ("lenet", "image_batch"),
    ("lenet", "image_static"),
    ("lenet", "image_net"),
    ("onnxruntime", "image1"),
    ("onnxruntime", "image2"),
    ("openvino", "image"),
    ("opencv", "image"),
    ("torch", "image"),
    ("jax", "image"),
    ("keras", "image"),
    ("tinygrad", "image"),
    ("paddle", "image"),
]
# Other networks, training and answering: peers/_networks.py.
NETWORKS = ("vgg", "vgg_norm", "resnet", "resnet_8", "mlp", "page")
OTHERS = [
    (peer, f"{name}_{task}{form}")
    for name in NETWORKS
    for task in ("train", "answer", *(["whole"] if name == "page" else []))
    for peer, form in (
        ("lenet", ""),
        ("torch", ""),
        ("torch", "_compiled"),
        ("jax", ""),
        ("keras", ""),
        ("onnxruntime", ""),
    )
    if peer != "onnxruntime" or task != "train"
]
SUITES = {"speed": TRAIN, "evaluate": EVALUATE, "image": IMAGE, "networks": OTHERS}


def same_work(pair: str) -> bool:
    """Whether "torch.vgg_train_compiled / lenet.vgg_train" and its like compare one work with itself."""
    theirs, ours = (key.split(".")[1] for key in pair.split(" / "))
    return theirs.removesuffix("_compiled") == ours


Answers = dict[str, list[dict[str, Any]]]


def kept(suite: str, answers: Answers) -> dict[str, Any]:
    """The part of a result that its suite stores: the measured values of each round, and ratios to each of ours."""
    if suite == "image":
        values = {
            part: {key: [a["result"][part] for a in each] for key, each in answers.items()} for part in ("p50", "p99")
        }
        return {**values, "ratios": ratios(values["p50"])}
    seconds = {key: [a["seconds"] for a in each] for key, each in answers.items()}
    result: dict[str, Any] = {"seconds": seconds, "ratios": ratios(seconds)}
    if suite == "networks":  # each beside the same work alone
        result["ratios"] = {key: value for key, value in result["ratios"].items() if same_work(key)}
    if suite == "evaluate":
        result["accuracy"] = {key: each[-1]["result"] for key, each in answers.items() if each}
        result["agree"] = max(result["accuracy"].values()) - min(result["accuracy"].values()) <= 0.0005
    return result


def slowdown(alone: list[float], beside: list[float]) -> dict[str, float]:
    """How many times longer each run beside another process took than the one alone before it."""
    return spread([b / a for a, b in zip(alone, beside, strict=True)])
