"""``lenet.evaluation``: every number beside scikit-learn's, statsmodels' or SciPy's on the same predictions.

The predictions are those of a small network on the whole test sets of MNIST and Fashion-MNIST, and random ones with
ties and missing classes.
"""

from __future__ import annotations

import functools
import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.evaluation import (
    bootstrap,
    compare,
    evaluate,
    expected_calibration_error,
    mistakes,
    paired_interval,
    rejection,
    reliability,
    suspects,
    wilson,
)
from lenet.evaluation.intervals import mcnemar, normal_quantile
from lenet.train import train
from lenet.train.data import load
from lenet.vision.datasets import ArrayDataset

with warnings.catch_warnings():  # their own imports warn of each other's old ways
    warnings.simplefilter("ignore")
    import scipy.optimize
    import scipy.stats
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        log_loss,
        precision_recall_fscore_support,
        top_k_accuracy_score,
    )
    from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
    from statsmodels.stats.proportion import proportion_confint

EXACT = 1e-12  # float64 sums of at most 10,000 shares, in another order


@pytest.fixture(scope="session")
def predictions(mnist_dir, tmp_path_factory):
    """By data set: probabilities float32 [10000, 10] of a network that saw 12,000 images once, labels, classes."""

    @functools.cache
    def of(name: str):
        try:
            data = load(name, mnist_dir if name == "mnist" else None)
        except RuntimeError:
            pytest.skip("apt install dataset-fashion-mnist")
        part = ArrayDataset(data.train.images[:12_000, 0], data.train.labels[:12_000], classes=data.classes)
        test = ArrayDataset(data.test.images[:, 0], data.test.labels, classes=data.classes)
        out = tmp_path_factory.mktemp("models") / f"{name}.safetensors"
        result = train("fast", (part, test), epochs=1, out=out, say=lambda text: None)
        return result.trained.probabilities(data.test.images), data.test.labels, data.classes

    return of


def random_case(seed: int, n: int, k: int, digits: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [n, k], rounded so that many are equal if digits say so, and labels that they know something of."""
    draw = np.random.RandomState(seed)
    scores = draw.gamma(0.3, size=(n, k)) + 1e-3
    if digits is not None:
        scores = np.ceil(scores * 10**digits)
    shares = scores / scores.sum(axis=1, keepdims=True)
    labels = np.where(draw.rand(n) < 0.7, shares.argmax(axis=1), draw.randint(0, k, n))
    return shares, labels


cases = st.builds(
    random_case,
    st.integers(0, 2**31 - 1),
    st.integers(1, 200),
    st.integers(2, 7),
    st.sampled_from([None, 0, 1]),
)


def check_classes(shares: np.ndarray, labels: np.ndarray) -> None:
    """Everything that scikit-learn counts."""
    k = shares.shape[1]
    answers = shares.argmax(axis=1)
    found = evaluate(shares, labels, [f"c{i}" for i in range(k)])
    every = range(k)
    np.testing.assert_array_equal(found.confusion, confusion_matrix(labels, answers, labels=every))
    precision, recall, f1, support = precision_recall_fscore_support(labels, answers, labels=every, zero_division=0)
    seen = support > 0
    np.testing.assert_array_equal(found.support, support)
    np.testing.assert_allclose(found.precision, precision, rtol=EXACT)
    np.testing.assert_allclose(found.recall[seen], recall[seen], rtol=EXACT)
    np.testing.assert_allclose(found.f1[seen], f1[seen], rtol=EXACT)
    assert np.isnan(found.recall[~seen]).all()
    assert np.isnan(found.f1[~seen]).all()
    macro = precision_recall_fscore_support(
        labels, answers, labels=np.flatnonzero(seen), average="macro", zero_division=0
    )
    assert found.macro_f1 == pytest.approx(macro[2], rel=EXACT)
    assert (found.images, found.correct) == (len(labels), accuracy_score(labels, answers, normalize=False))
    assert found.accuracy == accuracy_score(labels, answers)
    low, high = proportion_confint(found.correct, found.images, method="wilson")
    assert found.interval == pytest.approx((low, high), rel=1e-10, abs=1e-14)  # theirs is rounded at the ends
    own = shares.astype(np.float64)[np.arange(len(labels)), labels]
    assert own.min() > 1e-12  # beyond, scikit-learn clips at another place
    exact = shares.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)  # scikit-learn wants sums of 1 to double precision
    assert found.loss == pytest.approx(
        log_loss(labels, exact, labels=every), rel=1e-6
    )  # float32 rows add up to 1 ± 1e-7
    for share in (0.0, 0.02, 0.03, 0.4):
        kept = np.argsort(-shares.max(axis=1), kind="stable")[: max(1, len(labels) - round(share * len(labels)))]
        assert found.accuracy_at(share) == pytest.approx(accuracy_score(labels[kept], answers[kept]), rel=EXACT)


def check_bins(shares: np.ndarray, labels: np.ndarray, bins: int) -> None:
    """scikit-learn's quantile bins; it does not say how many are in each, so the error is summed image by image.

    Where a quantile falls on an image, scikit-learn's rounding decides its bin (n = 13, 9 bins: the third is at 4 or at
    3.9999…): there the sum alone is compared.
    """
    right, confidence = shares.argmax(axis=1) == labels, shares.max(axis=1).astype(np.float64)
    found = reliability(shares, labels, bins)
    if math.gcd(len(labels) - 1, bins) == 1:
        theirs = calibration_curve(right, confidence, n_bins=bins, strategy="quantile")
        assert found.accuracy == pytest.approx(theirs[0], rel=EXACT)
        assert found.confidence == pytest.approx(theirs[1], rel=1e-10)
    assert found.count.sum() == len(labels)
    by_confidence = np.sort(confidence)
    edges = sorted({by_confidence[(len(labels) - 1) * j // bins] for j in range(1, bins)})
    gaps = []
    for low, high in zip([-1.0, *edges], [*edges, 2.0], strict=True):
        mine = [i for i in range(len(labels)) if low < confidence[i] <= high]
        gaps.append(abs(sum(float(right[i]) - confidence[i] for i in mine)))
    error = expected_calibration_error(shares, labels, bins)
    assert error == pytest.approx(sum(gaps) / len(labels), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_real_predictions_beside_scikit_learn(predictions, name):
    shares, labels, classes = predictions(name)
    check_classes(shares, labels)
    check_bins(shares, labels, 15)
    assert math.gcd(9997, 15) == 1
    check_bins(shares[:9998], labels[:9998], 15)
    found = evaluate(shares, labels, classes)
    assert found.top2 == pytest.approx(top_k_accuracy_score(labels, shares, k=2, labels=range(10)), rel=EXACT)
    assert found.ece == expected_calibration_error(shares, labels)
    assert found.classes == classes
    assert found.reliability.count.min() >= 660  # fifteen bins of a fifteenth each, a few equal confidences aside
    assert found.reliability.count.max() <= 673
    assert 0.75 < found.accuracy < 1  # a network worth evaluating, that makes mistakes


@settings(max_examples=60, deadline=None)
@given(cases)
def test_random_predictions_beside_scikit_learn(case):
    shares, labels = case
    check_classes(shares, labels)


@settings(max_examples=60, deadline=None)
@given(cases, st.integers(1, 20))
def test_bins_beside_scikit_learn(case, bins):
    check_bins(*case, bins)


@settings(max_examples=60, deadline=None)
@given(cases)
def test_top_two_of_distinct_scores(case):
    """Among equals scikit-learn puts the last class first, we the first: so scores here are all different."""
    shares, labels = case
    different = shares + np.linspace(0, 1e-6, shares.size).reshape(shares.shape)
    different /= different.sum(axis=1, keepdims=True)
    k = shares.shape[1]
    found = evaluate(different, labels, [str(i) for i in range(k)]).top2
    ranks = [sorted(range(k), key=lambda j: -row[j]).index(label) for row, label in zip(different, labels, strict=True)]
    assert found == pytest.approx(np.mean([rank < 2 for rank in ranks]), rel=EXACT)
    if k > 2:
        assert found == pytest.approx(top_k_accuracy_score(labels, different, k=2, labels=range(k)), rel=EXACT)


def test_bins_do_not_depend_on_the_order_of_images(predictions):
    shares, labels, _ = predictions("fashion-mnist")
    rounded = np.round(shares, 2)  # many equal confidences
    rounded /= rounded.sum(axis=1, keepdims=True)
    order = np.random.RandomState(0).permutation(len(labels))
    assert expected_calibration_error(rounded[order], labels[order]) == pytest.approx(
        expected_calibration_error(rounded, labels), rel=EXACT
    )


# ---- rejection, mistakes, suspects -------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(cases)
def test_the_rejection_curve_image_by_image(case):
    shares, labels = case
    found, n = rejection(shares, labels), len(labels)
    order = sorted(range(n), key=lambda i: (-shares[i].max(), i))
    for rejected in range(n):
        kept = order[: n - rejected]
        assert found.rejected[rejected] == rejected / n
        assert found.threshold[rejected] == min(shares[i].max() for i in kept)
        right = sum(shares[i].argmax() == labels[i] for i in kept)
        assert found.accuracy[rejected] == pytest.approx(right / len(kept), rel=EXACT)


def test_rejecting_by_the_threshold_keeps_those_images(predictions):
    shares, labels, classes = predictions("mnist")
    found = evaluate(shares, labels, classes)
    at = found.rejection.at(0.03)
    kept = shares.max(axis=1) >= found.rejection.threshold[at]
    assert kept.sum() == 9700
    assert found.accuracy_at(0.03) == pytest.approx((shares.argmax(axis=1) == labels)[kept].mean(), rel=EXACT)
    assert found.accuracy_at(0.03) > found.accuracy


@settings(max_examples=40, deadline=None)
@given(cases)
def test_mistakes_and_suspects_one_image_at_a_time(case):
    shares, labels = case
    wrong = [i for i in range(len(labels)) if shares[i].argmax() != labels[i]]
    assert mistakes(shares, labels).tolist() == sorted(wrong, key=lambda i: (shares[i, labels[i]], i))

    means = {j: shares[labels == j, j].mean() for j in set(labels.tolist())}
    margins = {}
    for i, row in enumerate(shares):
        # images on the very threshold depend on the mean's last bit: hypothesis finds them, so both sides are allowed
        counted = [j for j, mean in means.items() if row[j] >= mean * (1 + 1e-12)]
        perhaps = [j for j, mean in means.items() if row[j] >= mean * (1 - 1e-12)]
        if counted != perhaps:
            return
        if counted and max(counted, key=lambda j: (row[j], -j)) != labels[i]:
            margins[i] = row[labels[i]] - max(row[j] for j in range(len(row)) if j != labels[i])
    found = suspects(shares, labels).tolist()
    assert sorted(found) == sorted(margins)
    assert [margins[i] for i in found] == sorted(margins.values())


def test_suspects_are_the_labels_that_were_changed(predictions):
    shares, labels, _ = predictions("mnist")
    draw = np.random.RandomState(3)
    spoilt = draw.choice(len(labels), 100, replace=False)
    changed = labels.copy()
    changed[spoilt] = (labels[spoilt] + draw.randint(1, 10, 100)) % 10
    found = suspects(shares, changed)
    assert np.isin(spoilt, found).sum() >= 60  # an image must be surer than its class's mean to count
    first = np.isin(found[:50], spoilt).mean()
    assert first >= 0.9
    assert len(suspects(shares, labels)) < 150


# ---- intervals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99, 0.9999])
def test_the_normal_quantile(confidence):
    assert normal_quantile(confidence) == pytest.approx(scipy.stats.norm.ppf((1 + confidence) / 2), rel=1e-12)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 20_000), st.floats(0, 1), st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_beside_statsmodels(n, share, confidence):
    correct = round(share * n)
    theirs = proportion_confint(correct, n, alpha=1 - confidence, method="wilson")
    low, high = wilson(correct, n, confidence)
    assert (low, high) == pytest.approx(theirs, rel=1e-9, abs=1e-14)  # rounding where an end is 0
    assert 0 <= low <= correct / n <= high <= 1


def test_wilson_at_its_ends():
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_beside_statsmodels(only_a, only_b):
    theirs = their_mcnemar([[5, only_a], [only_b, 5]], exact=True).pvalue if only_a + only_b else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(theirs, rel=1e-9)


def test_mcnemar_of_very_many():
    assert mcnemar(4000, 4300) == pytest.approx(scipy.stats.binomtest(4000, 8300).pvalue, rel=1e-9)


def score_of(only_a: int, only_b: int, n: int, difference: float) -> float:
    """The paired score statistic from its definition: the likelihood's maximum under the difference, found by search."""
    same = n - only_a - only_b
    low, high = max(0.0, -difference), (1 - difference) / 2  # of P(a alone); P(b alone) is that plus the difference

    def minus_likelihood(q: float) -> float:
        cells = (only_a, q), (only_b, q + difference), (same, 1 - 2 * q - difference)
        return -sum(count * math.log(max(share, 1e-300)) for count, share in cells if count)

    best = scipy.optimize.minimize_scalar(
        minus_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-13}
    )
    q = best.x
    variance = n * (2 * q + difference - difference**2)
    return (only_b - only_a - n * difference) / math.sqrt(variance)


@pytest.mark.parametrize(
    ("only_a", "only_b", "n"),
    [(12, 2, 50), (2, 12, 50), (30, 44, 10_000), (5, 5, 100), (0, 7, 1000), (9, 0, 9), (0, 0, 500), (400, 600, 1000)],
)
def test_the_paired_interval_holds_what_a_score_test_allows(only_a, only_b, n):
    ends = paired_interval(only_a, only_b, n)
    assert -1 <= ends[0] <= (only_b - only_a) / n <= ends[1] <= 1
    z = scipy.stats.norm.ppf(0.975)
    for end, expected in zip(ends, (z, -z), strict=True):
        if abs(end) < 1 - 1e-9:
            assert score_of(only_a, only_b, n, end) == pytest.approx(expected, abs=1e-4)  # a minimum's place is flat


@pytest.mark.parametrize(
    ("only_a", "only_b", "n", "confidence", "expected", "digits"),
    [
        (7, 1, 21, 0.95, (-0.517, -0.026), 3),  # Bentur et al. 2009, in Fagerland, Lydersen and Laake, chapter 8
        (25, 28, 618, 0.90, (-0.0148, 0.0247), 4),  # R's PropCIs::scoreci.mp(25, 28, 618, 0.90)
    ],
)
def test_the_paired_interval_gives_published_numbers(only_a, only_b, n, confidence, expected, digits):
    ends = paired_interval(only_a, only_b, n, confidence)
    assert tuple(round(end, digits) for end in ends) == expected


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 5000))
def test_the_paired_interval_leaves_out_zero_when_mcnemar_rejects(only_a, only_b, same):
    n = only_a + only_b + same
    if not n:
        return
    low, high = paired_interval(only_a, only_b, n)
    z = abs(only_a - only_b) / math.sqrt(max(1, only_a + only_b))
    assert (low > 0 or high < 0) == (z > normal_quantile(0.95))
    swapped = paired_interval(only_b, only_a, n)
    assert swapped == pytest.approx((-high, -low), abs=1e-12)


def test_bootstrap_beside_scipy():
    draw = np.random.RandomState(0)
    a, b = draw.rand(400), draw.rand(400)

    def statistic(x: np.ndarray, y: np.ndarray) -> float:
        return float((x - y).mean())

    ours = bootstrap(statistic, a, b, repeats=4000)
    theirs = scipy.stats.bootstrap(
        (a, b), statistic, paired=True, vectorized=False, n_resamples=4000, method="percentile", rng=1
    ).confidence_interval
    error = np.std(a - b) / 20
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.15 * error)  # quantiles of 4,000 draws wobble by 4 %
    assert bootstrap(statistic, a, b, repeats=50) == bootstrap(statistic, a, b, repeats=50)
    assert bootstrap(statistic, a, b, repeats=50, seed=1) != bootstrap(statistic, a, b, repeats=50)


# ---- comparison ----------------------------------------------------------------------------------------------------------


def test_compare_counts_and_tests(predictions):
    shares, labels, _ = predictions("fashion-mnist")
    other = np.roll(shares, 1, axis=1)
    other[300:] = shares[300:]
    found = compare(shares, other, labels)
    right = shares.argmax(axis=1) == labels, other.argmax(axis=1) == labels
    table = [[np.sum(right[0] & right[1]), np.sum(right[0] & ~right[1])], [np.sum(~right[0] & right[1]), 0]]
    assert (found.only_a, found.only_b) == (table[0][1], table[1][0])
    assert found.p == pytest.approx(their_mcnemar(table, exact=True).pvalue, rel=1e-9)
    assert found.accuracy == (
        accuracy_score(labels, shares.argmax(axis=1)),
        accuracy_score(labels, other.argmax(axis=1)),
    )
    assert found.difference == pytest.approx(found.accuracy[1] - found.accuracy[0], rel=EXACT)
    assert found.interval[0] < found.difference < found.interval[1] < 0
    np.testing.assert_array_equal(found.disagree, np.flatnonzero(shares.argmax(axis=1) != other.argmax(axis=1)))
    assert json.loads(json.dumps(found.as_json()))["mcnemar_p"] == found.p


def test_a_model_is_no_better_than_itself(predictions):
    shares, labels, _ = predictions("mnist")
    found = compare(shares, shares, labels)
    assert (found.difference, found.only_a, found.only_b, found.p, len(found.disagree)) == (0.0, 0, 0, 1.0, 0)
    assert found.interval[0] < 0 < found.interval[1] < 1e-3


# ---- JSON ----------------------------------------------------------------------------------------------------------------


def test_json_has_every_number_and_null_for_what_does_not_exist():
    shares, labels = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.6, 0.3]]), np.array([0, 1, 1])
    found = evaluate(shares, labels, ["a", "b", "c"])
    as_json = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert as_json["support"] == [1, 2, 0]
    assert as_json["recall"] == [1.0, 0.5, None]
    assert as_json["precision"] == [0.5, 1.0, 0.0]
    assert as_json["f1"][2] is None
    assert as_json["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert as_json["loss"] == pytest.approx(-(math.log(0.7) + math.log(0.3) + math.log(0.6)) / 3, rel=EXACT)
    assert as_json["rejection"]["rejected"][0] == 0
    assert sum(as_json["reliability"]["count"]) == 3
    fields = {"images", "correct", "accuracy", "interval", "loss", "top2", "macro_f1", "ece", "classes"}
    assert fields < set(as_json)
    assert found.confusions() == [(1, 0, 1)]


# ---- bad input -----------------------------------------------------------------------------------------------------------

GOOD = np.array([[0.7, 0.3], [0.2, 0.8]])
LABELS = np.array([0, 1])


@pytest.mark.parametrize(
    ("shares", "labels", "classes", "kind", "text"),
    [
        (GOOD[:0], LABELS[:0], "ab", ValueError, "images: got none, expected at least one"),
        (GOOD, LABELS[:1], "ab", ValueError, "labels: got shape [1], expected one for each of 2 images, [2]"),
        (GOOD, LABELS[:, None], "ab", ValueError, "labels: got shape [2, 1]"),
        (GOOD, np.array([0, 2]), "ab", ValueError, "labels: got labels from 0 to 2, expected 0 to 1. Is this the data"),
        (GOOD, np.array([-1, 0]), "ab", ValueError, "labels: got labels from -1 to 0"),
        (GOOD, np.array([0.0, 1.0]), "ab", TypeError, "labels: got ndarray of float64 [2], expected class numbers"),
        (
            np.array([[0.7, 0.3], [np.nan, 0.8]]),
            LABELS,
            "ab",
            ValueError,
            "got NaN or infinity for 1 of 2 images, image 1",
        ),
        (np.array([[0.7, 0.3], [np.inf, 0.8]]), LABELS, "ab", ValueError, "Do the model's weights hold NaN?"),
        (GOOD * 3, LABELS, "ab", ValueError, "got rows that are no probabilities"),
        (GOOD - 0.5, LABELS, "ab", ValueError, "Are they logits? Take their softmax first"),
        (
            GOOD[0],
            LABELS,
            "ab",
            ValueError,
            "probabilities: got ndarray of float64 [2], expected an array of float [N, K]",
        ),
        (LABELS[:, None], LABELS, "ab", ValueError, "probabilities: got ndarray of int64 [2, 1]"),
        (GOOD, LABELS, "abc", ValueError, "classes: got 3 names, expected one for each of 2 columns"),
    ],
)
def test_what_cannot_be_evaluated(shares, labels, classes, kind, text):
    with pytest.raises(kind) as caught:
        evaluate(shares, labels, classes)
    assert text in str(caught.value)


@pytest.mark.parametrize("function", [mistakes, suspects, rejection, reliability, expected_calibration_error])
def test_every_function_checks_its_input(function):
    with pytest.raises(ValueError, match="images: got none"):
        function(GOOD[:0], LABELS[:0])


def test_comparing_different_images_or_classes():
    with pytest.raises(
        ValueError, match=r"compare: got probabilities \[2, 2\] and \[1, 2\], expected two of one shape"
    ):
        compare(GOOD, GOOD[:1], LABELS)
    with pytest.raises(ValueError, match="both must know the same classes"):
        compare(GOOD, np.full((2, 3), 1 / 3), LABELS)
    with pytest.raises(ValueError, match="labels: got labels from 0 to 2"):
        compare(GOOD, GOOD, np.array([0, 2]))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: wilson(3, 2), "correct: got 3, expected 0 to n, 2"),
        (lambda: wilson(0, 0), "n: got 0"),
        (lambda: wilson(1, 2, 1.0), "confidence: got 1.0"),
        (lambda: paired_interval(2, 2, 3), "only_a, only_b: got 2 and 2, expected counts of together at most 3"),
        (lambda: paired_interval(-1, 2, 3), "got -1 and 2"),
        (lambda: bootstrap(np.mean, np.zeros(0)), "arrays: got lengths [0]"),
        (lambda: bootstrap(np.mean, np.zeros(2), np.zeros(3)), "arrays: got lengths [2, 3], expected one length"),
        (lambda: rejection(GOOD, LABELS).at(1.0), "rejected: got 1.0, expected a share from 0 to below 1"),
        (lambda: reliability(GOOD, LABELS, 0), "bins: got 0"),
    ],
)
def test_wrong_requests(call, text):
    with pytest.raises(ValueError, match=r".") as caught:
        call()
    assert text in str(caught.value)
