"""What is left out of a message before it waits for the pipeline."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from edge_fusion.events import ArrivalTime, Delivery, Message
from edge_fusion.intake import MAX_PROPERTIES_LENGTH, _cut

DATED = {"time": "2026-11-24T10:00:00Z"}


def delivery(payload: bytes, properties: Mapping[str, str] | None = None) -> Delivery:
    message = Message("home/hall/probe", payload, ArrivalTime(1.0), properties=properties or {})
    return Delivery(message, lambda: None)


@pytest.mark.parametrize("properties", [{}, DATED])
def test_what_a_device_sends_stays_as_it_is(properties: dict[str, str]) -> None:
    sent = delivery(b"12345", properties)
    assert _cut(sent, 5).message == sent.message


def test_of_a_payload_above_its_limit_enough_is_kept_to_tell() -> None:
    assert _cut(delivery(b"123456789", DATED), 5).message.payload == b"123456"


def test_properties_that_nobody_of_good_will_sends_are_left_out() -> None:
    flood = {str(number): "x" * 100 for number in range(MAX_PROPERTIES_LENGTH // 50)}
    assert _cut(delivery(b"1", flood | DATED), 5).message.properties == {}
