"""The tables for those who act on alerts: what they are told beside, and what they may see."""

from __future__ import annotations

from pydantic import Field, StrictBool

from edge_fusion.config.keys import Duration, Table, TopicPrefix, seconds


class SnapshotSettings(Table):
    """The pictures that alerts rest on. They show rooms, so keep few."""

    publish: StrictBool = Field(default=True, description="Publish them.")
    keep: StrictBool = Field(
        default=True, description="Leave the last one with the broker when its alert is over."
    )
    expiry: Duration = seconds(
        "1d", "So long a broker keeps one at most, where it speaks MQTT 5; 0s: for ever."
    )


class HomeAssistantSettings(Table):
    """Home Assistant finds sites and alerts by itself."""

    discovery: StrictBool = Field(default=True, description="Publish discovery messages.")
    prefix: TopicPrefix = Field(
        default="homeassistant",
        description="First level of discovery topics, as set in Home Assistant.",
    )
