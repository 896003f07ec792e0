"""How good scores are: ranking, recall and false alarms at a threshold, calibration.

Every function takes `truth` (bool [n]) and `scores` (float [n]) of one label and gives NaN where
the question has no answer, such as a ranking of positives when there are none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.bool_]
Floats = NDArray[np.float64] | NDArray[np.float32]
NAN = float("nan")


def auroc(truth: Truth, scores: Floats) -> float:
    """The chance that a positive scores higher than a negative, ties counted half.

    The Mann-Whitney statistic: the sum of the positives' ranks, less the least it could be.
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if positives == 0 or negatives == 0:
        return NAN
    _, where, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[where]
    surplus = ranks[truth].sum() - positives * (positives + 1) / 2
    return float(surplus / (positives * negatives))


def average_precision(truth: Truth, scores: Floats) -> float:
    """Sum over thresholds of precision x gain in recall; equal scores are one threshold."""
    if not truth.any():
        return NAN
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    steps = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    precision = hits[steps] / (steps + 1)
    gain = np.diff(hits[steps], prepend=0) / truth.sum()
    return float((precision * gain).sum())


def recall(truth: Truth, scores: Floats, threshold: float) -> float:
    """The share of positives at or above the threshold."""
    return float((scores[truth] >= threshold).mean()) if truth.any() else NAN


def false_alarms(truth: Truth, scores: Floats, threshold: float) -> float:
    """The share of negatives at or above the threshold."""
    return float((scores[~truth] >= threshold).mean()) if not truth.all() else NAN


def calibration_error(truth: Truth, scores: Floats, bins: int = 15) -> float:
    """Expected calibration error: |mean score - share of positives| over bins of equal width.

    Bins count by how many rows fall into them (Guo et al., "On Calibration of Modern Neural
    Networks", 2017).
    """
    if not len(truth):
        return NAN
    which = np.minimum((np.asarray(scores) * bins).astype(int), bins - 1)
    score_sums = np.bincount(which, scores, bins)
    truth_sums = np.bincount(which, truth.astype(float), bins)
    return float(np.abs(score_sums - truth_sums).sum() / len(truth))


def threshold_for(negatives: Floats, allowed: float) -> float:
    """The lowest threshold that at most a share `allowed` of these scores reaches.

    In hundredths, rounded up, and within 0.5 to 0.95: below, a calibrated score says that the
    hazard is the less likely case; above, a certain one could be missed for want of a digit.
    """
    tolerated = int(allowed * len(negatives))
    worst = float(np.sort(negatives)[-1 - tolerated]) if tolerated < len(negatives) else 0.0
    # A hair above, since a score equal to the threshold alarms.
    return min(0.95, max(0.5, math.ceil(worst * 100 + 1e-6) / 100))
