"""The tables of the configuration file: their keys, types, defaults and what they mean.

The descriptions here are the manual: `edge-fusion schema config` prints them as JSON Schema.
`edge_fusion.config.load` makes these values out of a file; nothing here has an effect.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StrictBool,
    ValidationInfo,
    model_validator,
)

from edge_fusion.config.alerting import AlertSettings, check_once
from edge_fusion.config.keys import (
    SOURCELESS,
    Address,
    Count,
    Digest,
    Duration,
    ExistingFile,
    FilePath,
    Host,
    ModelPath,
    Name,
    Number,
    Port,
    PositiveDuration,
    Provider,
    ProviderName,
    Size,
    Table,
    TopicPrefix,
    WebToken,
    host_name,
    problem,
    seconds,
    shipped_model,
    size,
    split_address,
    state_file,
)
from edge_fusion.config.measures import format_duration
from edge_fusion.config.sources import CameraSettings, SensorSettings
from edge_fusion.io.retry import ProtocolChoice
from edge_fusion.io.store import Durability

DEFAULT_MODEL = "indoor-hazard"
_PORT, _TLS_PORT = 1883, 8883
_MAX_KEEPALIVE = 65_535
_MAX_OVERLAP = 1000  # each event stands in so many windows


def _not_empty(providers: tuple[Provider, ...]) -> tuple[Provider, ...]:
    if not providers:
        raise ValueError('expected at least one entry, such as "auto"')
    return providers


class TlsSettings(Table):
    """TLS to the broker. An empty table trusts the authorities of the system."""

    ca: ExistingFile | None = Field(default=None, description="PEM file of the trusted authority.")
    cert: ExistingFile | None = Field(
        default=None, description="PEM file that identifies this box."
    )
    key: ExistingFile | None = Field(
        default=None, description="PEM file of the private key of `cert`."
    )

    @model_validator(mode="after")
    def _key_needs_cert(self) -> Self:
        if self.key is not None and self.cert is None:
            raise problem("given without cert: expected both", "key")
        return self


class MqttSettings(Table):
    """The broker, and what is published there."""

    host: Host = Field(default="localhost", description="Name or address of the broker.")
    tls: TlsSettings | None = Field(default=None, description="TLS to the broker; absent: none.")
    port: Port = Field(
        default_factory=lambda data: _TLS_PORT if data.get("tls") else _PORT,
        description="TCP port of the broker; by default 1883, with tls 8883.",
    )
    protocol: ProtocolChoice = Field(
        default=ProtocolChoice.AUTO, description='MQTT version; "auto": 5, then 3.1.1.'
    )
    client_id: Annotated[str, Field(min_length=1)] = Field(
        default_factory=lambda: f"edge-fusion-{host_name()}",
        description="Client id, unique at the broker; by default edge-fusion-<hostname>.",
    )
    username: str | None = Field(default=None, description="User name at the broker.")
    password: SecretStr | None = Field(
        default=None,
        description="Password. Better: password_file, or the systemd credential mqtt.password.",
    )
    password_file: FilePath | None = Field(
        default=None, description="File that holds the password, instead of `password`."
    )
    keepalive: PositiveDuration = seconds("30s", "A dead connection is noticed within 1.5 of it.")
    prefix: TopicPrefix = Field(
        default="edge_fusion", description="First levels of every topic that is published."
    )
    publish_windows: StrictBool = Field(
        default=True, description="Publish the scores of each window."
    )
    publish_late: StrictBool = Field(
        default=False, description="Publish events that came too late for their window."
    )
    box: Name = Field(
        default_factory=host_name, description="Name of this box; by default its host name."
    )

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise problem("given together with password_file: expected one of them", "password")
        return self

    @model_validator(mode="after")
    def _keepalive_fits(self) -> Self:
        if not 1 <= self.keepalive <= _MAX_KEEPALIVE:
            found = format_duration(self.keepalive)
            raise problem(f'is "{found}": expected "1s" to "{_MAX_KEEPALIVE}s"', "keepalive")
        return self


class WindowSettings(Table):
    """Event-time windows: how long they last, and how long they wait for what is late."""

    size: PositiveDuration | None = Field(
        default=None, description="Length of a window; absent: what the model was made for."
    )
    every: PositiveDuration | None = Field(
        default=None,
        description="Distance of window starts; shorter than size: they overlap. Absent: size.",
    )
    max_out_of_orderness: Duration = seconds(
        "2s", "How far the events of one device may be out of order."
    )
    allowed_lateness: Duration = seconds(
        "30s", "How long after its close a window is revised when late events come."
    )
    idle_timeout: PositiveDuration = seconds(
        "30s", "After so much silence a device no longer holds windows open."
    )
    max_wait: Duration = seconds("5s", "So long after its end a window closes at the latest.")
    max_skew: Duration = seconds("5s", "How far a device's clock may be off uncorrected.")
    max_gap: Duration = seconds("5s", "Gaps between readings up to this are interpolated.")
    carry: PositiveDuration = seconds("15m", "How long the last value of a device is carried on.")
    revision_epsilon: Annotated[Number, Field(ge=0, le=1)] = Field(
        default=0.05, description="A revision is published when a score moved by more than this."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.size is not None:
            self.size_and_every(self.size)
        return self

    def size_and_every(self, model_window: float) -> tuple[float, float]:
        """Length and distance of windows, in seconds, with a model made for `model_window`.

        Raises ValueError when the length is not 1 to 1000 times the distance.
        """
        length = model_window if self.size is None else self.size
        every = length if self.every is None else self.every
        ratio = length / every
        if not 1 <= ratio <= _MAX_OVERLAP or abs(ratio - round(ratio)) > 1e-9 * ratio:
            shown, whole = format_duration(every), format_duration(length)
            raise problem(
                f'is "{shown}": expected the size, "{whole}", or a whole part of it, '
                f"down to a {_MAX_OVERLAP}th",
                "every",
            )
        return length, every


class ModelSettings(Table):
    """The ONNX model and where it runs."""

    path: ModelPath = Field(
        default_factory=lambda: shipped_model(DEFAULT_MODEL),
        description="ONNX file, or the bare name of a shipped model.",
        json_schema_extra={"default": DEFAULT_MODEL},
    )
    providers: Annotated[tuple[ProviderName, ...], AfterValidator(_not_empty)] = Field(
        default=(Provider.AUTO,), description="Execution providers; the first that works is taken."
    )
    require: StrictBool = Field(
        default=False,
        description="Refuse to start when none of them works, instead of using the CPU.",
    )
    sha256: Digest | None = Field(
        default=None, description="Digest that the model file must have, 64 hexadecimal digits."
    )
    threads: Annotated[int, Field(strict=True, ge=0, le=256)] = Field(
        default=0, description="Threads of one inference; 0: 2, or 1 less than there are cores."
    )
    max_batch: Annotated[Count, Field(le=1024)] = Field(
        default=16, description="Rows that are inferred together at most."
    )


class StoreSettings(Table):
    """Where readings and alerts are kept over a restart."""

    path: FilePath = Field(
        default_factory=state_file,
        description="SQLite file; by default /var/lib/edge-fusion/state.db, or for others than "
        "root and services ~/.local/state/edge-fusion/state.db.",
    )
    durability: Durability = Field(
        default=Durability.POWER_LOSS,
        description="What the store survives; none: kept in memory only.",
    )


class WebSettings(Table):
    """Live page /, /metrics, /healthz, /readyz."""

    listen: Address = Field(
        default="127.0.0.1:8337",
        description="host:port; port 0: any free one. What other machines reach needs a token.",
    )
    token: WebToken | None = Field(
        default=None,
        description="What a request for any page but /healthz must show, as a bearer token or as "
        "the password of any user. Better: token_file, or the systemd credential web.token.",
    )
    token_file: FilePath | None = Field(
        default=None, description="File that holds the token, instead of `token`."
    )

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.token is not None and self.token_file is not None:
            raise problem("given together with token_file: expected one of them", "token")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return split_address(self.listen)


class HomeAssistantSettings(Table):
    """Home Assistant finds sites and alerts by itself."""

    discovery: StrictBool = Field(default=True, description="Publish discovery messages.")
    prefix: TopicPrefix = Field(
        default="homeassistant",
        description="First level of discovery topics, as set in Home Assistant.",
    )


class LimitSettings(Table):
    """Every bound of the program; the defaults fit a box with 1 GB of memory."""

    max_sites: Count = Field(default=256, description="Sites; events of further ones are shed.")
    max_devices: Count = Field(
        default=4096, description="Devices and cameras of all sites together."
    )
    max_readings: Count = Field(default=10_000, description="Readings in one window of one site.")
    max_frames: Count = Field(default=64, description="Frames of one camera in one window.")
    max_frame_bytes: Size = size("8MB", "Size of a picture file.")
    max_pixels: Count = Field(default=50_000_000, description="Pixels that a picture may have.")
    max_payload_bytes: Size = size("1MB", "Size of a message of a sensor.")
    max_outbox: Count = Field(default=100_000, description="Messages waiting for the broker.")
    max_outbox_bytes: Size = size("64MB", "Size of all messages waiting for the broker.")


class Settings(Table):
    """The configuration of edge-fusion."""

    mqtt: MqttSettings = Field(default_factory=MqttSettings)
    windows: WindowSettings = Field(default_factory=WindowSettings)
    sensors: tuple[SensorSettings, ...] = Field(
        default=(), description="Topics that carry readings."
    )
    cameras: tuple[CameraSettings, ...] = Field(
        default=(), description="Topics that carry pictures, and cameras to look at."
    )
    model: ModelSettings = Field(default_factory=ModelSettings)
    alerts: tuple[AlertSettings, ...] = Field(
        default=(), description="Labels that alert; none of the model: all do."
    )
    store: StoreSettings = Field(default_factory=StoreSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    homeassistant: HomeAssistantSettings = Field(default_factory=HomeAssistantSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)

    @model_validator(mode="after")
    def _has_a_source(self, info: ValidationInfo) -> Self:
        may_be_absent = info.context is not None and info.context.get(SOURCELESS)
        if not (self.sensors or self.cameras or may_be_absent):
            raise problem(
                "there is none: expected at least one [[sensors]] or [[cameras]]", "sensors"
            )
        return self

    @property
    def camera_topics(self) -> tuple[CameraSettings, ...]:
        """The cameras that publish their pictures."""
        return tuple(camera for camera in self.cameras if camera.topic is not None)

    @model_validator(mode="after")
    def _videos_differ(self) -> Self:
        counts = Counter(camera.video_name for camera in self.cameras if camera.url is not None)
        for index, camera in enumerate(self.cameras):
            if camera.url is not None and counts[camera.video_name] > 1:
                name, count = "/".join(camera.video_name), counts[camera.video_name]
                text = f'is "{name}", given {count} times: expected names that differ'
                raise problem(text, f"cameras[{index}].camera")
        return self

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        check_once(self.alerts)
        return self
