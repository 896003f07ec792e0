"""Dialect `ruuvi`: Ruuvi Gateway, `ruuvi/<gateway>/<tag>`, raw advertisements or decoded ones.

Source: docs.ruuvi.com, Gateway data formats, and Bluetooth advertisements for data formats 3, 5
(RuuviTag), 6 and E1 (Ruuvi Air). The gateway passes on what it heard as hexadecimal digits, and
when it is told to, the values beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from edge_fusion.codecs.bluetooth import address_name, topic_address
from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.payload import Sender, Stamp, json_object_of, measured, stamp_of
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.events import HUMIDITY, TEMPERATURE, Invalid, InvalidReason, Message

_LONGEST_ADVERTISEMENT: Final = 1650
_MANUFACTURER_DATA: Final = 0xFF
_RUUVI: Final = bytes.fromhex("9904")
_FORMAT_3: Final = 0x03
_FORMAT_3_BYTES: Final = 14
_SIGN: Final = 0x80
_NO_TEMPERATURE: Final = -0x8000
_NO_HUMIDITY: Final = 0xFFFF


class _Layout(NamedTuple):
    """Where formats that share their first five bytes have their sequence number."""

    size: int
    sequence: slice
    no_sequence: int | None = None


# A Ruuvi Air sends each measurement in formats 6 and E1, with the last byte of the number in both.
_LAYOUTS: Final[Mapping[int, _Layout]] = MappingProxyType(
    {
        0x05: _Layout(24, slice(16, 18), 0xFFFF),
        0x06: _Layout(20, slice(15, 16)),
        0xE1: _Layout(40, slice(27, 28)),
    }
)


class _Measured(NamedTuple):
    """Values in °C and %RH, None where they are not available; identity: as of a `Sample`."""

    temperature: Any
    humidity: Any
    identity: str | None


def decode_ruuvi(message: Message, keys: SensorKeys) -> list[Sample | Invalid]:
    """The samples of one advertisement, dated by the gateway's `ts`.

    A gateway without a clock sends `cnt` instead: then arrival counts. The gateway's own status,
    and beacons of others that it passes on when its filter is off, are no readings.
    """
    if message.topic.endswith("/gw_status"):
        return []
    document = json_object_of(message)
    if isinstance(document, Invalid):
        return [document]
    stamp = stamp_of(message, document, "ts", keys)
    if isinstance(stamp, Invalid):
        return [stamp]
    values = _values(message, document)
    if isinstance(values, Invalid):
        return [values]
    return _samples(message, document, stamp, values) if values is not None else []


def _samples(
    message: Message, document: dict[str, Any], stamp: Stamp, values: _Measured
) -> list[Sample | Invalid]:
    sender = Sender(topic_address(message.topic) or address_name(document.get("id")))
    findings = (
        *measured(message, TEMPERATURE, values.temperature, TemperatureUnit.CELSIUS, stamp, sender),
        *measured(message, HUMIDITY, values.humidity, HumidityUnit.PERCENT, stamp, sender),
    )
    return [
        replace(finding, identity=values.identity) if isinstance(finding, Sample) else finding
        for finding in findings
    ]


def _values(message: Message, document: dict[str, Any]) -> _Measured | Invalid | None:
    """From the advertisement, since that numbers measurements, else as the gateway decoded it."""
    data = document.get("data") or ""
    try:
        advertisement = bytes.fromhex(data)[:_LONGEST_ADVERTISEMENT]
    except (TypeError, ValueError):
        return invalid(message, InvalidReason.SYNTAX, '"data" is not hexadecimal')
    payload = next(_ruuvi_payloads(advertisement), None)
    raw = None if payload is None else _from_bytes(payload)
    if raw is not None:
        return raw
    if "temperature" in document or "humidity" in document:
        number = document.get("measurementSequenceNumber")
        identity = str(number) if isinstance(number, int) and 0 <= number < _NO_HUMIDITY else None
        return _Measured(document.get("temperature"), document.get("humidity"), identity)
    if payload:
        detail = f"data format {payload[0]:#04x} with {len(payload)} bytes is not read"
        return invalid(message, InvalidReason.MISSING_FIELD, detail)
    if not data:
        detail = "neither data nor temperature nor humidity"
        return invalid(message, InvalidReason.MISSING_FIELD, detail)
    return None


def _ruuvi_payloads(advertisement: bytes) -> Iterator[bytes]:
    """What follows Ruuvi's number in manufacturer data. Each structure is length, type, content."""
    start = 0
    while start + 1 < len(advertisement):
        end = start + 1 + advertisement[start]
        content = advertisement[start + 2 : end]
        if advertisement[start + 1] == _MANUFACTURER_DATA and content.startswith(_RUUVI):
            yield content.removeprefix(_RUUVI)
        start = end


def _from_bytes(payload: bytes) -> _Measured | None:
    """The measurement in a Ruuvi payload; None if its format is none we know."""
    if not payload:
        return None
    if payload[0] == _FORMAT_3 and len(payload) == _FORMAT_3_BYTES:
        return _from_format_3(payload)
    layout = _LAYOUTS.get(payload[0])
    if layout is None or len(payload) != layout.size:
        return None
    celsius = int.from_bytes(payload[1:3], "big", signed=True)
    percent = int.from_bytes(payload[3:5], "big")
    sequence = int.from_bytes(payload[layout.sequence], "big")
    return _Measured(
        None if celsius == _NO_TEMPERATURE else celsius / 200,
        None if percent == _NO_HUMIDITY else percent / 400,
        None if sequence == layout.no_sequence else str(sequence),
    )


def _from_format_3(payload: bytes) -> _Measured:
    """Sign and magnitude, hundredths apart; nothing tells a value that is not available."""
    celsius = (payload[2] & ~_SIGN) + payload[3] / 100
    return _Measured(-celsius if payload[2] & _SIGN else celsius, payload[1] / 2, None)
