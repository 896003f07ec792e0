from __future__ import annotations

import pytest

from edge_fusion.io.broker import BrokerSettings


@pytest.mark.parametrize("keepalive", [2.0, 2.5, 3.0, 4.9, 10.0, 30.0, 65535.0])
def test_a_dead_connection_is_given_up_within_one_and_a_half_keepalives(keepalive: float) -> None:
    settings = BrokerSettings("localhost", keepalive=keepalive)
    assert 2 * (settings.ping_after + settings.tick) <= 1.5 * keepalive


def test_the_broker_is_never_asked_to_do_without_a_keepalive() -> None:
    assert BrokerSettings("localhost", keepalive=1.0).ping_after == 1
