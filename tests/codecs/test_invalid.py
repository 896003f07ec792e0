from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.invalid import invalid, printable
from edge_fusion.events import ArrivalTime, Invalid, InvalidReason, Message


@given(st.text())
def test_details_are_short_and_fit_for_a_log(text: str) -> None:
    shown = printable(text)
    assert len(shown) <= 120
    assert shown.isprintable()
    assert "\n" not in shown
    shown.encode()


def test_an_invalid_names_the_topic_it_came_on() -> None:
    found = invalid(Message("a/b", b"", ArrivalTime(0)), InvalidReason.EMPTY, "nothing\n")
    assert found == Invalid("a/b", InvalidReason.EMPTY, "nothing?")
