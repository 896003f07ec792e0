"""The tables `[[sensors]]` and `[[cameras]]`: where events come from and how they are read."""

from __future__ import annotations

from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.frames import FrameFormat
from edge_fusion.codecs.topics import TopicPattern, valid_name
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.config.keys import (
    DottedPath,
    Name,
    Number,
    Pattern,
    Qos,
    SensorFormat,
    Table,
    problem,
)
from edge_fusion.events import HUMIDITY, TEMPERATURE

JSON = "json"
PATH_KEYS = ("temperature", "humidity", "quantities", "time")


def _quantities(paths: dict[str, str]) -> dict[str, str]:
    for quantity, path in paths.items():
        if not valid_name(quantity) or not path:
            raise problem(
                f'"{quantity}" = "{path}": expected a quantity (letters, digits, _ - .) and a path'
            )
    return paths


def _guessed_quantity(data: dict[str, Any]) -> str | None:
    """Temperature or humidity, if a level of a bare value's topic is or ends with that."""
    form = SENSOR_FORMATS.get(data.get("format", ""))
    if form is None or not form.quantity or form.names_quantity:
        return None
    for level in reversed(data.get("topic", "").lower().split("/")):
        for quantity in (TEMPERATURE, HUMIDITY):
            if level.endswith(quantity):
                return quantity
    return None


def _check_names(topic: str, given: dict[str, str | None]) -> None:
    """A name stands in the topic or beside it, never in both; and only where it means something."""
    for placeholder in TopicPattern.parse(topic).names:
        if placeholder not in given:
            allowed = ", ".join(f"{{{name}}}" for name in given)
            raise problem(f'"{topic}" has {{{placeholder}}}: expected only {allowed}', "topic")
        if given[placeholder] is not None:
            text = f'is "{given[placeholder]}" while the topic has {{{placeholder}}}'
            raise problem(f"{text}: expected one of them", placeholder)


class SensorSettings(Table):
    """A topic that carries readings."""

    topic: Pattern = Field(
        description="Topic with {site} and {device} for one level each; + and # as in MQTT."
    )
    format: SensorFormat = Field(default=JSON, description="What the payloads are.")
    temperature: DottedPath | None = Field(
        default=None,
        description="Path of the temperature in the payload. Without any path it is "
        '"temperature", and that of the humidity "humidity".',
    )
    humidity: DottedPath | None = Field(
        default=None, description="Path of the relative humidity in the payload."
    )
    quantities: Annotated[dict[str, str], AfterValidator(_quantities)] = Field(
        default_factory=dict, description="Paths of other quantities that the model takes, by name."
    )
    quantity: Name | None = Field(
        default_factory=_guessed_quantity,
        description="What a bare value measures; may be left out where a level of the topic ends "
        "with temperature or humidity, and where the format finds it by itself.",
    )
    unit: TemperatureUnit = Field(
        default=TemperatureUnit.AUTO, description="Unit of temperatures; auto: as stated, else °C."
    )
    humidity_unit: HumidityUnit = Field(
        default=HumidityUnit.PERCENT, description="Unit of humidities; auto: up to 1.05 a fraction."
    )
    time: DottedPath | None = Field(
        default=None,
        description="Path of the time in the payload; absent: where the format has one, else when "
        "the message arrives.",
    )
    timezone: ZoneInfo | None = Field(
        default=None,
        description="Zone of times that state none, such as Europe/Berlin; without one such a time "
        "is not used.",
    )
    site: Name | None = Field(default=None, description="Site, where the topic has no {site}.")
    device: Name | None = Field(
        default=None, description="Device, where the topic has no {device}."
    )
    qos: Qos = Field(default=1, description="Quality of service of the subscription, 0 or 1.")

    @property
    def pattern(self) -> TopicPattern:
        """The topic, parsed."""
        return TopicPattern.parse(self.topic)

    @property
    def paths(self) -> dict[str, str]:
        """The dotted path of each quantity; none at all means that they are the usual ones."""
        given = {TEMPERATURE: self.temperature, HUMIDITY: self.humidity, **self.quantities}
        return {quantity: path for quantity, path in given.items() if path is not None}

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        _check_names(self.topic, {"site": self.site, "device": self.device})
        return self

    @model_validator(mode="after")
    def _quantities_once(self) -> Self:
        for quantity, path in ((TEMPERATURE, self.temperature), (HUMIDITY, self.humidity)):
            if path is not None and quantity in self.quantities:
                raise problem(
                    f"given beside the key {quantity}: expected one of them", "quantities"
                )
        return self

    @model_validator(mode="after")
    def _keys_fit_format(self) -> Self:
        form = SENSOR_FORMATS[self.format]
        if form.quantity and not form.names_quantity and self.quantity is None:
            raise problem(
                'is absent: expected what the payload measures, such as "temperature"', "quantity"
            )
        if not form.quantity and self.quantity is not None:
            bare = " or ".join(
                f'"{name}"' for name, each in SENSOR_FORMATS.items() if each.quantity
            )
            raise problem(
                f'given with format "{self.format}": expected only with format {bare}', "quantity"
            )
        key = next((name for name in PATH_KEYS if getattr(self, name)), None)
        if not form.paths and key is not None:
            instead = (
                ", which has no fields: expected quantity"
                if form.quantity
                else (", which says itself where its values are: expected no path")
            )
            raise problem(f'given with format "{self.format}"{instead}', key)
        return self


class CameraSettings(Table):
    """A topic that carries pictures, or the address of a camera."""

    topic: Pattern | None = Field(
        default=None,
        description="Topic with {site} and {camera} for one level each; + and # as in MQTT.",
    )
    url: str | None = Field(
        default=None, description="Address of a camera instead of a topic; not supported yet."
    )
    format: FrameFormat = Field(
        default=FrameFormat.AUTO,
        description="raw: JPEG or PNG bytes; json: with base64; auto: either.",
    )
    image: DottedPath | None = Field(
        default=None, description="Path of the picture in a JSON payload; absent: the usual ones."
    )
    time: DottedPath | None = Field(
        default=None, description="Path of the time in a JSON payload; absent: the usual ones."
    )
    timezone: ZoneInfo | None = Field(
        default=None, description="Zone of times that state none, such as Europe/Berlin."
    )
    site: Name | None = Field(default=None, description="Site, where the topic has no {site}.")
    camera: Name | None = Field(
        default=None, description="Camera, where the topic has no {camera}."
    )
    qos: Qos = Field(default=0, description="Quality of service of the subscription, 0 or 1.")
    fps: Annotated[Number, Field(gt=0, le=60)] = Field(
        default=1.0, description="Pictures a second that are taken from `url`."
    )

    @property
    def pattern(self) -> TopicPattern:
        """The topic, parsed."""
        return TopicPattern.parse(self.topic or "")

    @model_validator(mode="after")
    def _topic_or_url(self) -> Self:
        if self.topic is not None and self.url is not None:
            raise problem("given together with topic: expected one of them", "url")
        if self.url is not None:
            # Not shown: addresses of cameras often hold a password.
            raise problem(
                "is given: only MQTT cameras are supported yet, expected topic instead", "url"
            )
        if self.topic is None:
            raise problem("is absent: expected the topic of the camera", "topic")
        return self

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        if self.topic is not None:
            _check_names(self.topic, {"site": self.site, "camera": self.camera})
        return self
