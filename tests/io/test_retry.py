from __future__ import annotations

import pytest

from edge_fusion.io.retry import Backoff, End, ProtocolChoice, Retry, Verdict

SILENT = End(Verdict.SILENT, "")
UNREACHABLE = End(Verdict.UNREACHABLE, "")
LOST = End(Verdict.LOST, "", lasted=1.0)
LOST_AFTER_LONG = End(Verdict.LOST, "", lasted=3600.0)


def auto() -> Retry:
    return Retry(ProtocolChoice.AUTO, Backoff(1.0, 60.0))


def test_the_wait_doubles_from_first_to_longest_with_up_to_half_of_it_taken_off() -> None:
    backoff = Backoff(1.0, 60.0)
    for attempt, longest in enumerate([1, 2, 4, 8, 16, 32, 60, 60]):
        waits = [backoff.delay(attempt) for _ in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
    assert backoff.delay(10**6) <= 60


def test_auto_begins_with_5_and_a_choice_is_kept() -> None:
    assert auto().protocol is ProtocolChoice.V5
    retry = Retry(ProtocolChoice.V5, Backoff())
    for end in (SILENT, SILENT, SILENT, End(Verdict.UNSUPPORTED, "")):
        retry.after(end)
    assert retry.protocol is ProtocolChoice.V5


def test_a_broker_that_says_it_does_not_know_5_is_asked_in_3_1_1_at_once() -> None:
    retry = auto()
    assert retry.after(End(Verdict.UNSUPPORTED, "")) == 0.0
    assert retry.protocol is ProtocolChoice.V311


def test_a_broker_that_hangs_up_twice_is_asked_in_the_other_protocol_in_turn() -> None:
    retry = auto()
    protocols = []
    for _ in range(6):
        protocols.append(retry.protocol)
        assert retry.after(SILENT) > 0
    v5, v311 = ProtocolChoice.V5, ProtocolChoice.V311
    assert protocols == [v5, v5, v311, v311, v5, v5]


@pytest.mark.parametrize("end", [UNREACHABLE, LOST, End(Verdict.DENIED, "")])
def test_a_broker_that_is_down_or_refuses_us_or_is_lost_changes_nothing(end: End) -> None:
    retry = auto()
    for _ in range(10):
        retry.after(end)
    assert retry.protocol is ProtocolChoice.V5


def test_silences_count_only_in_a_row() -> None:
    retry = auto()
    for end in (SILENT, UNREACHABLE, SILENT):
        retry.after(end)
    assert retry.protocol is ProtocolChoice.V5


def test_once_a_protocol_has_worked_silence_no_longer_changes_it() -> None:
    retry = auto()
    for end in (LOST, SILENT, SILENT, SILENT):
        retry.after(end)
    assert retry.protocol is ProtocolChoice.V5


def test_a_denied_client_waits_longest_from_the_first_time() -> None:
    assert auto().after(End(Verdict.DENIED, "")) >= 30


def test_only_a_connection_that_lasted_makes_the_next_wait_short() -> None:
    retry = auto()
    for _ in range(10):
        retry.after(LOST)
    assert retry.after(LOST) >= 30
    assert retry.after(LOST_AFTER_LONG) <= 1
