from __future__ import annotations

import math

import numpy as np
import pytest

from edge_fusion.training import quality

TRUTH = np.array([True, False, True, False])
SCORES = np.array([0.9, 0.8, 0.7, 0.1])


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    # Positives 0.9 and 0.7 against negatives 0.8 and 0.1: three pairs of four are right.
    assert quality.auroc(TRUTH, SCORES) == pytest.approx(0.75)


def test_auroc_counts_a_tie_half() -> None:
    assert quality.auroc(np.array([True, False]), np.array([0.5, 0.5])) == pytest.approx(0.5)


def test_auroc_of_a_perfect_ranking_is_one_and_of_its_reverse_zero() -> None:
    truth = np.array([False, False, True])
    assert quality.auroc(truth, np.array([0.1, 0.2, 0.3])) == 1.0
    assert quality.auroc(truth, np.array([0.3, 0.2, 0.1])) == 0.0


def test_auroc_agrees_with_counting_pairs() -> None:
    rng = np.random.default_rng(1)
    truth, scores = rng.random(60) < 0.3, rng.integers(0, 9, 60) / 9
    pairs = np.subtract.outer(scores[truth], scores[~truth])
    counted = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    assert quality.auroc(truth, scores) == pytest.approx(counted)


def test_average_precision_adds_precision_at_each_hit() -> None:
    # Hits at places 1 and 3: (1/1 + 2/3) / 2.
    assert quality.average_precision(TRUTH, SCORES) == pytest.approx((1 + 2 / 3) / 2)


def test_average_precision_takes_equal_scores_together() -> None:
    truth = np.array([True, False, False, False])
    assert quality.average_precision(truth, np.full(4, 0.5)) == pytest.approx(0.25)


def test_what_cannot_be_answered_is_nan() -> None:
    none, some = np.zeros(3, bool), np.array([0.1, 0.2, 0.3])
    assert math.isnan(quality.auroc(none, some))
    assert math.isnan(quality.average_precision(none, some))
    assert math.isnan(quality.recall(none, some, 0.5))
    assert math.isnan(quality.false_alarms(~none, some, 0.5))
    assert math.isnan(quality.calibration_error(none[:0], some[:0]))


def test_a_score_at_the_threshold_alarms() -> None:
    assert quality.recall(TRUTH, SCORES, 0.7) == 1.0
    assert quality.false_alarms(TRUTH, SCORES, 0.8) == 0.5


def test_calibration_error_is_the_gap_between_score_and_share() -> None:
    # One bin: mean score 0.75, three of four true.
    truth = np.array([True, True, True, False])
    assert quality.calibration_error(truth, np.full(4, 0.75)) == pytest.approx(0.0)
    assert quality.calibration_error(truth, np.full(4, 0.95)) == pytest.approx(0.2)


def test_the_threshold_is_the_lowest_that_keeps_false_alarms_few() -> None:
    scores = np.linspace(0, 0.999, 1000)
    threshold = quality.threshold_for(scores, 0.1)
    assert threshold == pytest.approx(0.9)
    assert quality.false_alarms(np.zeros(1000, bool), scores, threshold) <= 0.1


def test_the_threshold_stays_where_scores_mean_something() -> None:
    assert quality.threshold_for(np.zeros(10), 0.0) == 0.5
    assert quality.threshold_for(np.ones(10), 0.0) == 0.95
    assert quality.threshold_for(np.zeros(0), 0.0) == 0.5
