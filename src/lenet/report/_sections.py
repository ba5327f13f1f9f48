"""The parts of the page, each from ``Findings`` to HTML. Every figure has a sentence that says how to read it.

Words are for a teacher, not for a statistician; the terms stand beside them. Read by ``_page``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet import plots
from lenet.html.document import percent, sure, text
from lenet.report._figures import picture, svg
from lenet.report._findings import Findings, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["about", "errors", "headline", "suspected", "trust", "worst"]

_MISTAKES, _SUSPECTS, _CONFUSIONS = 24, 16, 8  # shown at most
_SET_ASIDE = (0.01, 0.02, 0.03, 0.05)


def headline(findings: Findings) -> str:
    """The title, the answer in one paragraph, and the numbers."""
    found = findings.found
    wrong = found.images - found.correct
    low, high = found.interval
    tiles = [
        ("Right", percent(found.accuracy), f"95\u00a0% interval {percent(low)} to {percent(high)}"),
        ("Wrong", f"{wrong:,}", f"of {found.images:,} images"),
        ("In two guesses", percent(found.top2), "right with the second answer (top-2)"),
        ("Mean F1", percent(found.macro_f1), "each class counts the same"),
        ("Loss", f"{found.loss:.4f}", "mean cross-entropy; 0 is best"),
        ("Calibration error", percent(found.ece), _ece_note(findings)),
    ]
    numbers = "".join(
        f"<div><dt>{name}</dt><dd>{value} <small>{note}</small></dd></div>" for name, value, note in tiles
    )
    return f"""<h1>{text(findings.name)}: {percent(found.accuracy)} right</h1>
<p>The model saw {found.images:,} images and named {found.correct:,} of them correctly. On other images of the same kind
it can be expected to be right between {percent(low)} and {percent(high)} of the time.</p>
<p class="soft">Images: {text(findings.line, 1000)}</p>
<dl class="numbers">{numbers}</dl>"""


def _ece_note(findings: Findings) -> str:
    return "ECE; 0 is best" if findings.before is None else f"ECE; {percent(findings.before.ece)} before calibration"


def errors(findings: Findings) -> str:
    """The confusion matrix, the most frequent confusions, and the classes one by one."""
    found = findings.found
    confusions = found.confusions()[:_CONFUSIONS]
    frequent = "".join(
        f"<li>{findings.class_name(truth)} taken for {findings.class_name(answer)}: {_times(count)}</li>"
        for truth, answer, count in confusions
    )
    shown = f"<h3>The most frequent mistakes</h3><ol>{frequent}</ol>" if frequent else "<p>There are none.</p>"
    caption = (
        "Each row is a class, each column an answer. Blue cells, on the diagonal, are right answers;"
        " orange ones are mistakes, the stronger the more of the row's images they take."
    )
    alternative = (
        f"Confusion matrix of {len(found.classes)} classes, {found.images - found.correct} mistakes. "
        + "; ".join(
            f"{found.classes[truth]} taken for {found.classes[answer]} {_times(count)}"
            for truth, answer, count in confusions
        )
    )
    rows = [
        [
            findings.class_name(at),
            percent(found.precision[at], 1),
            percent(found.recall[at], 1) if found.support[at] else "no images",
            percent(found.f1[at], 1),
            f"{found.support[at]:,}",
        ]
        for at in range(len(found.classes))
    ]
    words = (
        "<b>Precision</b>: of the images it called so, how many are. <b>Recall</b>: of the images that are, how many it"
        " found. <b>F1</b> is high only where both are."
    )
    table = _table(words, "The classes one by one", ["Class", "Precision", "Recall", "F1", "Images"], rows)
    figure = _figure(plots.confusion(found), "confusion", alternative, caption)
    return f'<div class="pair"><div>{figure}{shown}</div><div>{table}</div></div>'


def worst(findings: Findings) -> str:
    """The mistakes in which the model was most wrong."""
    if not len(findings.mistakes):
        return "<p>The model made no mistake on these images.</p>"
    chosen = findings.mistakes[:_MISTAKES]
    return f"""<p>{_some(len(chosen), len(findings.mistakes), "mistake")}, those first in which the model gave the truth the least
probability. Under each image: what it is, what the model took it for, and the probability that it gave to each.</p>
{_tiles(findings, chosen, "is", "taken for")}"""


def suspected(findings: Findings) -> str:
    """The images whose label may be wrong."""
    if not len(findings.suspects):
        return "<p>None: no label disagrees with the model strongly enough.</p>"
    chosen = findings.suspects[:_SUSPECTS]
    return f"""<p>{_some(len(chosen), len(findings.suspects), "label")} that the model contradicts with the
confidence it has where it is usually right (confident learning). Look at them: some are mistakes of the model, some of
whoever labelled them.</p>
{_tiles(findings, chosen, "labelled", "looks like")}"""


def trust(findings: Findings) -> str:
    """Calibration, and what is gained by setting the least sure answers aside."""
    found, before = findings.found, findings.before
    if before is None:
        change = f"on average the two are {percent(found.ece)} apart (ECE). This model's file holds no calibration."
    else:
        change = f"on average the two are {percent(found.ece)} apart (ECE), {percent(before.ece)} before calibration."
    sure_caption = (
        "Each dot is one of up to 15 groups of equally many answers, from the least to the most sure; its bar is a 95\u00a0%"
        " interval. A hollow dot is a group without a mistake. On the dashed line the model is as sure as it should be:"
        f" {change} Both axes are stretched towards 100\u00a0% (logit scale): from 90 to 99 to 99.9\u00a0%, each step has a"
        " tenth of the mistakes."
    )
    marks = ", ".join(f"{percent(found.accuracy_at(s))} at {percent(s, 0)}" for s in _SET_ASIDE)
    aside_caption = (
        "If a person looks at the answers of which the model is least sure, this is how often it is right on the rest."
        " The dots are the rows of the table."
    )
    rows = []
    for share in (0.0, *_SET_ASIDE):
        kept = float(found.rejection.threshold[found.rejection.at(share)])
        rows.append([percent(share, 0), percent(found.accuracy_at(share)), f"{percent(kept, 1)} sure"])
    table = _table(
        "What is left when the least sure answers are set aside.",
        "Answers set aside",
        ["Set aside", "Right on the rest", "Lowest confidence kept"],
        rows,
    )
    left = _figure(
        plots.reliability(found, before),
        "reliability",
        f"How sure the model was against how often it was right. Calibration error {percent(found.ece)}.",
        sure_caption,
    )
    right = _figure(plots.rejection(found), "rejection", f"Right among the rest: {marks} set aside.", aside_caption)
    return f"""<div class="pair"><div><h3>Is it as sure as it should be?</h3>{left}</div>
<div><h3>When may it answer alone?</h3>{right}{table}</div></div>"""


def _curve(findings: Findings) -> str:
    """The training curve of the model's record; empty if there is none that can be drawn."""
    curve = _columns(findings.training.get("curve"))
    if curve is None:
        return ""
    steps, loss, right = curve
    held = _columns(findings.training.get("held_out_curve"))
    caption = "Above, the loss, which training makes small; below, accuracy, the share of right answers."
    if held is None:
        caption += " Both are of the images in training; augmented images are harder than those of the test."
    else:
        caption += (
            " The line is the images in training, with whatever augmentation and label smoothing the recipe adds; each dot"
            " is the held-out images after an epoch, without either. Dots that get worse while the line improves mean"
            " overfitting."
        )
    ends = f"loss from {loss[0]:.3g} to {loss[-1]:.3g}, right from {percent(right[0])} to {percent(right[-1])}"
    if held is not None:
        ends += f"; held-out images at the end: loss {held[1][-1]:.3g}, right {percent(held[2][-1])}"
    drawn = plots.curves([("", steps, loss, right)], held_out=[None if held is None else (held[0], held[1], held[2])])
    return _figure(drawn, "training", f"Training curve: {ends}", caption)


def _columns(curve: Any) -> list[list[float]] | None:
    """Steps, loss and accuracy out of a file: lists of finite numbers, equally long and not empty; None for anything else."""
    columns = [curve.get(key) for key in ("steps", "loss", "accuracy")] if isinstance(curve, dict) else []
    lists = [column for column in columns if isinstance(column, list) and column]
    if len(lists) != 3 or len({len(column) for column in lists}) != 1:
        return None
    finite = all(type(value) in (int, float) and np.isfinite(value) for column in lists for value in column)
    return lists if finite else None


def about(findings: Findings) -> str:
    """What the model is and where it comes from, as far as its file says."""
    run, trained = findings.training, findings.trained
    recipe, data, machine = (_table_of(run, key) for key in ("recipe", "data", "machine"))
    classes = ", ".join(map(findings.class_name, range(min(len(trained.labels), 60))))
    rows = [
        ("Model", text(findings.name)),
        ("Weights", f"<code>{text(trained.digest)}</code>" if trained.digest else "–"),
        ("Input", f"{' × '.join(map(str, trained.shape))} pixels (channels × height × width), light on dark"),
        ("Classes", classes + (f" and {len(trained.labels) - 60:,} more" if len(trained.labels) > 60 else "")),
    ]
    if recipe:
        rows.append(("Recipe", f"{text(recipe.get('name', '?'))}: {_run(run)}"))
    if data:
        rows.append(("Trained on", text(data.get("line", "?"), 1000)))
    if machine:
        speed = f"{_rounded(run, 'seconds', 1)} s, {_rounded(run, 'images_per_second', 0)} images/s"
        where = f"{text(machine.get('cpu', '?'))}, {number(machine.get('threads', '?'))} threads"
        rows.append(("Trained in", f"{speed}, on {where}"))
        rows.append(("Versions", f"lenet {text(machine.get('lenet', '?'))}, numpy {text(machine.get('numpy', '?'))}"))
    if trained.calibration is not None:
        fitted = trained.calibration
        change = " to ".join(percent(value) for value in fitted["ece"])
        how = f"temperature {fitted['temperature']:.3f}, fitted to {number(fitted['images'])} images held out"
        rows.append(("Calibration", f"{how}; ECE there from {change}"))
    if not run:
        rows.append(("Training", "The model's file says nothing about it."))
    body = "".join(f'<tr><th scope="row">{name}</th><td>{value}</td></tr>' for name, value in rows)
    table, curve = f'<table class="facts"><tbody>{body}</tbody></table>', _curve(findings)
    return f'<div class="pair"><div>{curve}</div><div>{table}</div></div>' if curve else table


def _table_of(run: dict[str, Any], key: str) -> dict[str, Any]:
    found = run.get(key)
    return found if isinstance(found, dict) else {}


def _run(run: dict[str, Any]) -> str:
    """How long it trained, as far as the record says: ``2 epochs, 55,000 images, batches of 64, seed 0``."""
    parts = []
    for key, before, after in (("epochs", "", " epochs"), ("images", "", " images"), ("batch_size", "batches of ", "")):
        if key in run:
            parts.append(f"{before}{number(run[key])}{after[:-1] if run[key] == 1 and after else after}")
    parts.append(f"seed\u00a0{text(run.get('seed', '?'))}")
    return ", ".join(parts) + ("" if run.get("complete", True) else "; unfinished")


def _rounded(run: dict[str, Any], key: str, digits: int) -> str:
    value = run.get(key, "?")
    return f"{value:,.{digits}f}" if isinstance(value, (int, float)) else text(value)


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count:,} times"


def _some(shown: int, there: int, what: str) -> str:
    """``The 24 worst of 97 mistakes``, or what fits."""
    if shown == there:
        return f"The only {what}" if there == 1 else f"Both {what}s" if there == 2 else f"All {there:,} {what}s"
    return f"{shown} of {there:,} {what}s"


def _tiles(findings: Findings, chosen: NDArray[np.int64], truth_words: str, answer_words: str) -> str:
    items = []
    for at in chosen:
        truth, shares = int(findings.labels[at]), findings.probabilities[at].copy()
        own = float(shares[truth])
        shares[truth] = -1  # a suspect may be answered as labelled: then what it looks like else
        answer = int(shares.argmax())
        names = findings.found.classes[truth], findings.found.classes[answer]
        image = picture(findings.images[at], f"Image {at}: {truth_words} {names[0]}, {answer_words} {names[1]}")
        caption = (
            _answer("truth", truth_words, findings.class_name(truth), own)
            + _answer("answer", answer_words, findings.class_name(answer), float(shares[answer]))
            + f'<span class="soft">image {at:,}</span>'
        )
        items.append(f"<li><figure>{image}<figcaption>{caption}</figcaption></figure></li>")
    return f'<ul class="tiles">{"".join(items)}</ul>'


def _answer(kind: str, words: str, name: str, probability: float) -> str:
    return f'<span class="{kind}">{words} <b>{name}</b> <span class="share">{sure(probability)}</span></span>'


def _figure(figure: Figure, name: str, alternative: str, caption: str) -> str:
    return f"<figure>{svg(figure, name, alternative)}<figcaption>{caption}</figcaption></figure>"


def _table(caption: str, name: str, head: Iterable[str], rows: Iterable[list[str]]) -> str:
    """A table whose first column names the row; it scrolls inside itself where it must. caption: HTML."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return (
        f'<p>{caption}</p><div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
