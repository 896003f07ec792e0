from __future__ import annotations

from pathlib import Path

from edge_fusion.assembly import camera_subscriptions, decoder, sensor_subscriptions
from edge_fusion.config import load
from edge_fusion.events import ArrivalTime, Message, Offline
from edge_fusion.io.broker import Subscription

TWO_TOPICS_A_DEVICE = """
[[sensors]]
topic = "{site}/{device}/temperature"
format = "plain"
availability = "{site}/{device}/status"
qos = 0
[[sensors]]
topic = "{site}/{device}/humidity"
format = "plain"
availability = "{site}/{device}/status"
[[cameras]]
topic = "cameras/{site}/{camera}"
"""


def test_availability_is_subscribed_to_once_at_the_highest_quality_of_service(
    tmp_path: Path,
) -> None:
    (tmp_path / "e.toml").write_text(TWO_TOPICS_A_DEVICE)
    settings = load(tmp_path / "e.toml", {})
    assert sensor_subscriptions(settings) == (
        Subscription("+/+/temperature", 0),
        Subscription("+/+/status", 1),
        Subscription("+/+/humidity", 1),
    )
    assert camera_subscriptions(settings) == (Subscription("cameras/+/+", 0),)
    dead = Message("hall/th/status", b"offline", ArrivalTime(1.8e9))
    assert decoder(settings).decode(dead) == [Offline("hall", "th", dead.arrival)]
