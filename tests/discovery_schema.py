"""What Home Assistant takes as a device discovery message, as a JSON Schema.

Written down from the code of Home Assistant 2026.2: components/mqtt/schemas.py
(DEVICE_DISCOVERY_SCHEMA, MQTT_ENTITY_COMMON_SCHEMA), config.py (MQTT_RO_SCHEMA), binary_sensor.py,
sensor.py, image.py, event.py, abbreviations.py and components/binary_sensor (device classes). It
drops keys of an entity that it does not know; here they are errors, since they do nothing.
"""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_SECONDS: dict[str, Any] = {"type": "integer", "minimum": 0}
_TOPIC: dict[str, Any] = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000-\\u001f]+$"}
_QOS: dict[str, Any] = {"enum": [0, 1, 2]}

_AVAILABILITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["topic"],
        "additionalProperties": False,
        "properties": {
            "topic": _TOPIC,
            "payload_available": _TEXT,
            "payload_not_available": _TEXT,
            "value_template": _TEXT,
        },
    },
}

_EVERY_ENTITY = {
    "availability": _AVAILABILITY,
    "availability_mode": {"enum": ["all", "any", "latest"]},
    "enabled_by_default": {"type": "boolean"},
    "entity_category": {"enum": ["config", "diagnostic"]},
    "icon": _TEXT,
    "json_attributes_topic": _TOPIC,
    "json_attributes_template": _TEXT,
    "default_entity_id": {"type": "string", "pattern": r"^[a-z_]+\.[a-z0-9_]+$"},
    "unique_id": _TEXT,
    "name": {"type": ["string", "null"]},
    "qos": _QOS,
    "encoding": _TEXT,
}
_BY_STATE = {"state_topic": _TOPIC, "value_template": _TEXT}


def _entity(platform: str, required: list[str], **keys: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["p", "unique_id", *required],
        "additionalProperties": False,
        "properties": {"p": {"const": platform}, **_EVERY_ENTITY, **keys},
    }


_BINARY_SENSOR = _entity(
    "binary_sensor",
    ["state_topic"],
    **_BY_STATE,
    device_class={
        "enum": [
            *("battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door"),
            *("garage_door", "gas", "heat", "light", "lock", "moisture", "motion", "moving"),
            *("occupancy", "opening", "plug", "power", "presence", "problem", "running", "safety"),
            *("smoke", "sound", "tamper", "update", "vibration", "window"),
        ]
    },
    expire_after=_SECONDS,
    force_update={"type": "boolean"},
    off_delay=_SECONDS,
    payload_on=_TEXT,
    payload_off=_TEXT,
)
_SENSOR = _entity(
    "sensor",
    ["state_topic"],
    **_BY_STATE,
    device_class={"enum": ["temperature", "humidity"]},  # of some sixty, those that we use
    expire_after=_SECONDS,
    force_update={"type": "boolean"},
    suggested_display_precision=_SECONDS,
    state_class={"enum": ["measurement", "total", "total_increasing"]},
    unit_of_measurement=_TEXT,
)
# DEVICE_CLASS_UNITS in components/sensor/const.py
_SENSOR["allOf"] = [
    {
        "if": {"properties": {"device_class": {"const": kind}}, "required": ["device_class"]},
        "then": {"properties": {"unit_of_measurement": {"enum": units}}},
    }
    for kind, units in (("temperature", ["°C", "°F", "K"]), ("humidity", ["%"]))
]
_IMAGE = _entity(
    "image",
    ["image_topic"],
    image_topic=_TOPIC,
    content_type=_TEXT,
    image_encoding={"enum": ["b64", "raw"]},
)
_EVENT = _entity(
    "event",
    ["state_topic", "event_types"],
    **_BY_STATE,
    device_class={"enum": ["button", "doorbell", "motion"]},
    event_types={"type": "array", "items": _TEXT, "minItems": 1},
)

DISCOVERY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["dev", "o", "cmps"],
    "additionalProperties": False,
    "properties": {
        "dev": {
            "type": "object",
            "required": ["ids"],
            "additionalProperties": False,
            "properties": {
                "ids": {"type": "array", "items": _TEXT, "minItems": 1},
                "name": _TEXT,
                "mf": _TEXT,
                "mdl": _TEXT,
                "mdl_id": _TEXT,
                "sw": _TEXT,
                "hw": _TEXT,
                "sn": _TEXT,
                "sa": _TEXT,
                "cu": _TEXT,
                "via_device": _TEXT,
            },
        },
        "o": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {"name": _TEXT, "sw": _TEXT, "url": _TEXT},
        },
        "availability": _AVAILABILITY,
        "availability_mode": {"enum": ["all", "any", "latest"]},
        "state_topic": _TOPIC,
        "qos": _QOS,
        "encoding": _TEXT,
        "cmps": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-zA-Z0-9_-]+$"},
            "additionalProperties": {
                "oneOf": [_BINARY_SENSOR, _SENSOR, _IMAGE, _EVENT],
            },
        },
    },
}
