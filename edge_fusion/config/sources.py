"""The tables `[[sensors]]` and `[[cameras]]`: where events come from and how they are read."""

from __future__ import annotations

from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from edge_fusion.codecs.decoder import DEFAULT_SITE
from edge_fusion.codecs.formats import SENSOR_FORMATS
from edge_fusion.codecs.frames import FrameFormat
from edge_fusion.codecs.topics import PLACEHOLDERS, TopicPattern, valid_name
from edge_fusion.codecs.units import HumidityUnit, TemperatureUnit
from edge_fusion.config.keys import (
    Availability,
    CameraUrl,
    DottedPath,
    Duration,
    Name,
    Number,
    Pattern,
    Qos,
    SensorFormat,
    Table,
    problem,
    seconds,
)
from edge_fusion.events import HUMIDITY, TEMPERATURE
from edge_fusion.io.address import CameraAddress, parse_address

JSON = "json"
PATH_KEYS = ("temperature", "humidity", "quantities", "time")

_OF_TOPIC = ("format", "image", "time", "exif_time", "timezone", "qos")
_OF_URL = ("fps", "latency")
"""Keys of a camera that mean something with one of the two only."""


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
        description="Path of the temperature in the payload, in the decoded object of ttn and "
        "chirpstack, or the name of a senml record. Without any path the usual ones are read.",
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
    availability: Availability | None = Field(
        default=None,
        description="Topic on which a device is said to be online or offline, with the names that "
        "`topic` has; absent: as the format has it; false: no device is believed to be gone.",
    )
    ignore_unchanged_within: Duration = seconds(
        "0s", "So long the same undated payload on a topic is what a gateway had cached; 0s: never."
    )
    qos: Qos = Field(default=1, description="Quality of service of the subscription, 0 or 1.")

    @property
    def pattern(self) -> TopicPattern:
        """The topic, parsed."""
        return TopicPattern.parse(self.topic)

    @property
    def availability_pattern(self) -> TopicPattern | None:
        """Where its devices are said to be there or gone, parsed; None: nowhere."""
        if self.availability is False:
            return None
        if self.availability is not None:
            return TopicPattern.parse(self.availability)
        return self._implied_availability()

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
    def _availability_names(self) -> Self:
        if self.availability is not None and self.availability is not False:
            pattern = TopicPattern.parse(self.availability)
            if wrong := self._misnamed(pattern):
                raise problem(f'is "{pattern.text}": {wrong}', "availability")
        return self

    def _implied_availability(self) -> TopicPattern | None:
        """What the format has, unless it would name a device otherwise than `topic` does."""
        implied = SENSOR_FORMATS[self.format].availability(self.topic)
        try:
            pattern = None if implied is None else TopicPattern.parse(implied)
        except ValueError:
            return None
        fits = pattern is not None and set(pattern.names) == set(self.pattern.names)
        return pattern if fits else None

    def _misnamed(self, availability: TopicPattern) -> str | None:
        """Why what is said there could not be told to be of the devices of `topic`, if so."""
        wanted = set(self.pattern.names)
        if self.device is None:
            wanted.add("device")
        for name in PLACEHOLDERS:
            if name in wanted and name not in availability.names:
                return f"expected a topic with {{{name}}}"
            if name not in wanted and name in availability.names:
                return f"expected no {{{name}}}: topic has none"
        return None

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
        unfit = () if form.paths else ("time",) if form.names else PATH_KEYS
        key = next((name for name in unfit if getattr(self, name)), None)
        if key is not None:
            instead = (
                ", which has no fields: expected quantity"
                if form.quantity
                else (", which says itself where its values are: expected no path")
            )
            raise problem(f'given with format "{self.format}"{instead}', key)
        if form.dated and self.time is not None:
            text = "which dates each value by itself: expected no path"
            raise problem(f'given with format "{self.format}", {text}', "time")
        return self


class CameraSettings(Table):
    """A topic that carries pictures, or the address of a camera."""

    topic: Pattern | None = Field(
        default=None,
        description="Topic with {site} and {camera} for one level each; + and # as in MQTT.",
    )
    url: CameraUrl | None = Field(
        default=None,
        description="Instead of a topic: rtsp://…, http://…, a device such as /dev/video0, or a "
        "video file, which is played once.",
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
    exif_time: bool = Field(
        default=False,
        description="Whether the EXIF of a picture dates it, where nothing else does.",
    )
    timezone: ZoneInfo | None = Field(
        default=None, description="Zone of times that state none, such as Europe/Berlin."
    )
    site: Name | None = Field(default=None, description="Site, where the topic has no {site}.")
    camera: Name | None = Field(
        default=None,
        description="Camera, where the topic has no {camera}; by default the last part of `url` "
        "that is no secret: its host, its device or its file.",
    )
    qos: Qos = Field(default=0, description="Quality of service of the subscription, 0 or 1.")
    fps: Annotated[Number, Field(gt=0, le=60)] = Field(
        default=1.0, description="Pictures a second that are taken from `url`."
    )
    latency: Duration = seconds(
        "0s", "How long before it arrives from `url` a picture was taken, as a rule."
    )

    @property
    def pattern(self) -> TopicPattern:
        """The topic, parsed."""
        return TopicPattern.parse(self.topic or "")

    @property
    def video(self) -> CameraAddress | None:
        """The address, parsed; None for a topic."""
        return None if self.url is None else parse_address(self.url.get_secret_value())

    @property
    def video_name(self) -> tuple[str, str]:
        """Site and camera that the pictures of `url` belong to."""
        given = "" if self.video is None else self.video.name
        return self.site or DEFAULT_SITE, self.camera or given

    @model_validator(mode="after")
    def _topic_or_url(self) -> Self:
        if self.topic is not None and self.url is not None:
            raise problem("given together with topic: expected one of them", "url")
        if self.topic is None and self.url is None:
            raise problem("is absent: expected the topic of the camera, or its url", "topic")
        own, other, foreign = (
            ("topic", "url", _OF_URL) if self.url is None else ("url", "topic", _OF_TOPIC)
        )
        for key in foreign:
            if key in self.model_fields_set:
                raise problem(f"given with {own}: expected only with {other}", key)
        return self

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        if self.topic is not None:
            _check_names(self.topic, {"site": self.site, "camera": self.camera})
        return self
