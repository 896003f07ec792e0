"""THE table of sensor formats: what may stand after `format =`, and what decodes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from edge_fusion.codecs.chirpstack import decode_chirpstack
from edge_fusion.codecs.dialect import Dialect
from edge_fusion.codecs.edgex import decode_edgex
from edge_fusion.codecs.esphome import decode_esphome, esphome_availability
from edge_fusion.codecs.homie import Homie
from edge_fusion.codecs.json_reading import decode_json
from edge_fusion.codecs.plain import decode_plain
from edge_fusion.codecs.ruuvi import decode_ruuvi
from edge_fusion.codecs.senml import decode_senml
from edge_fusion.codecs.shelly import decode_shelly, shelly_availability
from edge_fusion.codecs.sparkplug.dialect import Sparkplug
from edge_fusion.codecs.statestream import Statestream
from edge_fusion.codecs.tasmota import decode_tasmota, tasmota_availability
from edge_fusion.codecs.theengs import decode_theengs
from edge_fusion.codecs.ttn import decode_ttn
from edge_fusion.codecs.zigbee2mqtt import decode_zigbee2mqtt, zigbee2mqtt_availability


def _nowhere(_topic: str) -> None:
    """Devices of this format have no topic that says whether they are there."""


@dataclass(frozen=True, slots=True)
class SensorFormat:
    """How one format is read.

    make: makes the dialect, once for each `[[sensors]]` entry, since some remember what came
    before. availability: from the entry's topic pattern to that of the topics on which its
    devices are said to be there or gone, None if there is none; which the dialect understands too,
    for where only it can name the device. quantity: whether a payload is one bare value, so that
    the configuration or the topic must say of what; names_quantity: the dialect finds that in the
    topic by itself. paths: whether values lie at dotted paths, which the configuration may give;
    names: whether they have names of their own, which it may give instead. dated: whether each
    value has its time where the format says, so that no path of one may be given. groups: whether
    one message may speak of several devices. usual_topics: patterns of the topics on which its
    devices speak unless told otherwise, the best one first where several say the same. telling:
    whether no payload of another format has readings for it, so that it is recognised on any topic.
    """

    make: Callable[[], Dialect]
    availability: Callable[[str], str | None] = _nowhere
    quantity: bool = False
    names_quantity: bool = False
    paths: bool = False
    dated: bool = False
    groups: bool = False
    names: bool = False
    usual_topics: tuple[str, ...] = ()
    telling: bool = False


SENSOR_FORMATS: Final[Mapping[str, SensorFormat]] = MappingProxyType(
    {
        "json": SensorFormat(lambda: decode_json, paths=True),
        "plain": SensorFormat(lambda: decode_plain, quantity=True),
        "senml": SensorFormat(
            lambda: decode_senml, paths=True, dated=True, groups=True, telling=True
        ),
        "ttn": SensorFormat(
            lambda: decode_ttn, paths=True, usual_topics=("v3/+/devices/{device}/up",), telling=True
        ),
        "chirpstack": SensorFormat(
            lambda: decode_chirpstack,
            paths=True,
            usual_topics=("application/+/device/+/event/up",),
            telling=True,
        ),
        "theengs": SensorFormat(
            lambda: decode_theengs,
            usual_topics=(
                "home/+/BTtoMQTT/{device}",
                "+/+/BTtoMQTT/{device}",
            ),
        ),
        "ruuvi": SensorFormat(lambda: decode_ruuvi, usual_topics=("ruuvi/+/+",)),
        "zigbee2mqtt": SensorFormat(
            lambda: decode_zigbee2mqtt,
            zigbee2mqtt_availability,
            paths=True,
            usual_topics=(
                "zigbee2mqtt/{device}",
                "zigbee2mqtt/{site}/{device}",
                "zigbee2mqtt/{device}/temperature",
                "zigbee2mqtt/{device}/humidity",
            ),
        ),
        "tasmota": SensorFormat(
            lambda: decode_tasmota,
            tasmota_availability,
            usual_topics=(
                "tele/{device}/SENSOR",
                "tele/{site}/{device}/SENSOR",
                "{device}/tele/SENSOR",
                "{site}/{device}/tele/SENSOR",
                "stat/{device}/STATUS8",
                "stat/{device}/STATUS10",
            ),
        ),
        "shelly": SensorFormat(
            lambda: decode_shelly,
            shelly_availability,
            usual_topics=(
                "{device}/events/rpc",
                "{site}/{device}/events/rpc",
                "{device}/status/+",
                "{site}/{device}/status/+",
                "shellies/{device}/sensor/+",
                "shellies/{device}/ext_temperature/+",
                "shellies/{device}/ext_humidity/+",
            ),
        ),
        "esphome": SensorFormat(
            lambda: decode_esphome,
            esphome_availability,
            quantity=True,
            names_quantity=True,
            usual_topics=(
                "{device}/sensor/+/state",
                "{site}/{device}/sensor/+/state",
            ),
        ),
        "sparkplug": SensorFormat(Sparkplug, names=True, usual_topics=("spBv1.0/{site}/#",)),
        "homie": SensorFormat(Homie, names=True, usual_topics=("homie/#",)),
        "homeassistant": SensorFormat(
            Statestream, names=True, usual_topics=("homeassistant/sensor/#",)
        ),
        "edgex": SensorFormat(
            lambda: decode_edgex, names=True, usual_topics=("edgex/events/device/#",), telling=True
        ),
    }
)
