"""The parts of the line as assembly.py makes them, with a model that is plain arithmetic.

What is tried out here is what happens to readings, not what a model makes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from simulation.plan import MAX_SKEW, Configuration

from edge_fusion.alerts.book import AlertBook
from edge_fusion.alerts.desk import AlertDesk
from edge_fusion.alerts.devices import DeviceRule, DeviceWatch
from edge_fusion.alerts.rules import Rule
from edge_fusion.align.alignment import Alignment
from edge_fusion.align.sites import Sites
from edge_fusion.align.windows import assigner
from edge_fusion.announcer import Announcer, Voice
from edge_fusion.codecs.alert import ModelIdentity
from edge_fusion.codecs.decoder import CameraSource, Decoder, SensorSource
from edge_fusion.codecs.dialect import SensorKeys
from edge_fusion.codecs.silence import SilenceTopic
from edge_fusion.codecs.topics import TopicPattern
from edge_fusion.events import Frame, ModelInputs, Severity
from edge_fusion.model.spec import ModelSpec
from edge_fusion.scoring import Scorer
from edge_fusion.stages import Stages

SHA256 = "ab" * 32
CARRY = 900.0


class PlainModel:
    """How far the mean temperature lies from 20 towards 40 °C is "hot", the mean humidity "damp".

    `inferring` is called before each inference.
    """

    def __init__(self, window: float, inferring: Callable[[], None]) -> None:
        self._inferring = inferring
        self.spec = ModelSpec(
            name="plain",
            window_s=window,
            steps=4,
            quantities=("temperature", "humidity"),
            frames=1,
            image_size=(2, 2),
            labels=("hot", "damp"),
            thresholds={},
        )

    def infer(self, inputs: ModelInputs) -> NDArray[np.float32]:
        self._inferring()
        known = inputs.sensors_mask > 0
        means = (inputs.sensors * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        scores = np.stack([(means[:, 0] - 20) / 20, means[:, 1] / 100], axis=1)
        return np.asarray(np.clip(scores, 0, 1), np.float32)


def stages(of: Configuration, inferring: Callable[[], None] = lambda: None) -> Stages:
    model = PlainModel(of.size, inferring)
    quantities = model.spec.quantities
    identity = ModelIdentity(model.spec.name, SHA256)
    return Stages(
        decoder=_decoder(),
        sites=Sites(_alignment(of), max_sites=of.max_sites, max_devices=of.max_devices),
        scorer=Scorer(model, _decoded, max_gap=5.0, carry=CARRY, max_batch=4),
        book=AlertDesk(
            AlertBook(
                {label: _rule(label, of) for label in of.labels},
                model_sha256=SHA256,
                quantities=quantities,
                silent_after=of.silent_after,
            ),
            DeviceWatch(_device_rule(of), model_sha256=SHA256, every=of.stale_after / 4),
        ),
        announcer=Announcer(
            Voice("ef", "box", identity, quantities, of.labels, "0",
                  windows=True, late=True, discovery=None)
        ),
    )  # fmt: skip


def _decoder() -> Decoder:
    home, zigbee = TopicPattern.parse("home/{site}/{device}"), TopicPattern.parse("zigbee2mqtt/#")
    return Decoder(
        [
            SensorSource(home, "json", SensorKeys(time="at")),
            SensorSource(zigbee, "zigbee2mqtt", SensorKeys(), site="cellar"),
        ],
        [CameraSource(TopicPattern.parse("cams/{site}/{camera}"))],
        silence=SilenceTopic("ef", ("hot", "damp", "device")),
    )


def _alignment(of: Configuration) -> Alignment:
    return Alignment(
        windows=assigner(of.size, of.every),
        max_out_of_orderness=of.slack,
        allowed_lateness=of.lateness,
        idle_timeout=of.idle,
        max_wait=of.wait,
        max_skew=MAX_SKEW,
        carry=CARRY,
        max_readings=of.max_readings,
        max_frames=4,
    )


def _rule(label: str, of: Configuration) -> Rule:
    return Rule(
        label, of.threshold, of.threshold - 0.2, of.for_windows, of.keep_firing, Severity.WARNING
    )


def _device_rule(of: Configuration) -> DeviceRule:
    stale = of.stale_after
    return DeviceRule(Severity.WARNING, of.keep_firing, stale, stale, dark_after=0.0)


def _decoded(frames: Sequence[Frame], size: tuple[int, int]) -> list[NDArray[np.uint8] | None]:
    return [np.full((*size, 3), 99, np.uint8) if frame.image else None for frame in frames]
