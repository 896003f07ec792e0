"""Windows as the daemon would make them, cut from simulated episodes.

An episode is one room and one course of events, drawn from a seed. Round it this module puts a
site: sensors that report at rhythms of their own, from twice a second to once a minute and less,
and a camera that sends JPEG files; both lose messages. Each window becomes a `Pane` and goes
through the same code as in service: `model.inputs` for grid, carry, masks and choice of frames,
`codecs.jpeg` for the pictures.

The truth of a window is what held for most of its second half: by then it has begun, and a
model that knows the window to its end can know it. Splits are made by episode: rooms of the test
set have never been seen, in no frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from enum import Enum
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_fusion.codecs.jpeg import decode_rgb, encode_jpeg
from edge_fusion.events import (
    HUMIDITY,
    IMAGE,
    TEMPERATURE,
    ArrivalTime,
    ClosedBy,
    Event,
    EventTime,
    Frame,
    ModelInputs,
    Pane,
    Reading,
    Timing,
    Window,
    lines_of,
)
from edge_fusion.model.grid import sensor_grid
from edge_fusion.model.inputs import build_inputs, concatenate, plan_rows, without
from edge_fusion.model.spec import ModelSpec
from edge_fusion.simulator.episode import Episode, generate
from edge_fusion.training.site import (
    CAMERA,
    SITE,
    Camera,
    Site,
    carried,
    draw_site,
    frame_times,
    readings,
)

LABELS = ("fire", "smoke", "steam", "camera_blocked")
SPEC = ModelSpec(
    name="indoor-hazard",
    window_s=10.0,
    steps=20,
    quantities=(TEMPERATURE, HUMIDITY),
    frames=2,
    image_size=(160, 160),
    labels=LABELS,
    thresholds={},
)
MAX_GAP = 5.0
CARRY = 900.0
"""The daemon's defaults: what the model will be fed with in service."""

_EPOCH = 1_700_000_000.0
"""Where event time begins: a multiple of the window, since windows are aligned to the epoch."""
_TRUTH_INSTANTS = 11
WINDOWS_PER_EPISODE = 10


class Split(Enum):
    """Which seeds, and so which rooms and courses of events."""

    TRAIN = 1_000_000
    VALIDATION = 2_000_000
    TEST = 3_000_000


class View(Enum):
    """What of its input the model is shown."""

    FULL = "full"
    IMAGE_ONLY = "image_only"
    SENSORS_ONLY = "sensors_only"


@dataclass(frozen=True, slots=True)
class Windows:
    """Rows with their truth (float32 [n, K], 0 or 1), episode seed and name of scenario."""

    inputs: ModelInputs
    truth: NDArray[np.float32]
    episode: NDArray[np.int64]
    scenario: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: NDArray[np.intp]) -> Windows:
        return Windows(
            ModelInputs(
                self.inputs.image[rows],
                self.inputs.image_mask[rows],
                self.inputs.sensors[rows],
                self.inputs.sensors_mask[rows],
            ),
            self.truth[rows],
            self.episode[rows],
            self.scenario[rows],
        )


def join(parts: Sequence[Windows]) -> Windows:
    """All rows of several sets, in order."""
    return Windows(
        concatenate([part.inputs for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.episode for part in parts]),
        np.concatenate([part.scenario for part in parts]),
    )


def save(windows: Windows, path: Path) -> None:
    """Keep a set as an uncompressed .npz (about 150 kB a row)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        image=windows.inputs.image,
        image_mask=windows.inputs.image_mask,
        sensors=windows.inputs.sensors,
        sensors_mask=windows.inputs.sensors_mask,
        truth=windows.truth,
        episode=windows.episode,
        scenario=windows.scenario,
    )


def load(path: Path) -> Windows:
    """What `save` kept."""
    with np.load(path) as kept:
        return Windows(
            ModelInputs(kept["image"], kept["image_mask"], kept["sensors"], kept["sensors_mask"]),
            kept["truth"],
            kept["episode"],
            kept["scenario"],
        )


def seen_as(inputs: ModelInputs, view: View) -> ModelInputs:
    """The same rows with what the view does not show masked, as the daemon masks it."""
    hidden = {
        View.FULL: (),
        View.IMAGE_ONLY: SPEC.quantities,
        View.SENSORS_ONLY: (IMAGE,),
    }[view]
    for name in hidden:
        inputs = without(inputs, SPEC, name)
    return inputs


def simulate(split: Split, episodes: int, *, processes: int = 2) -> Windows:
    """Windows of so many episodes of a split; the same arguments give the same rows."""
    seeds = range(split.value, split.value + episodes)
    # Spawned, not forked: torch and OpenCV hold threads that a fork would not survive.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(windows_of, seeds, chunksize=4))
    return join([windows for windows in found if windows is not None])


def windows_of(seed: int) -> Windows | None:
    """The windows of one episode that yield a row; None where its devices kept silent."""
    rng = np.random.default_rng([seed, 11])
    site = draw_site(rng)
    episode = generate(seed, frame_size=site.camera.size if site.camera else (240, 320))
    said, frames = _events(episode, site, rng)
    cameras = (CAMERA,) if site.camera else ()
    rows = []
    for start in _starts(episode.duration, rng):
        pane = _pane(said, frames, cameras, start)
        if pane.lines:
            rows.append((_inputs(episode, pane, site.camera), _truth(episode, start)))
    if not rows:
        return None
    return Windows(
        concatenate([inputs for inputs, _ in rows]),
        np.stack([truth for _, truth in rows]),
        np.full(len(rows), seed, np.int64),
        np.full(len(rows), episode.scenario.value if episode.scenario else ""),
    )


def _events(
    episode: Episode, site: Site, rng: np.random.Generator
) -> tuple[list[Reading], list[Frame]]:
    said = [
        reading
        for sensor in site.sensors
        for reading in readings(sensor, episode.air_at, _EPOCH, episode.duration, rng)
    ]
    frames = frame_times(site.camera, _EPOCH, episode.duration, rng) if site.camera else []
    return sorted(said, key=lambda reading: reading.time), frames


def _starts(duration: float, rng: np.random.Generator) -> list[float]:
    """Some of the episode's windows, in order."""
    whole = np.arange(int(duration // SPEC.window_s))
    chosen = rng.choice(whole, min(WINDOWS_PER_EPISODE, len(whole)), replace=False)
    return [float(place * SPEC.window_s) for place in np.sort(chosen)]


def _pane(
    said: Sequence[Reading], frames: Sequence[Frame], cameras: tuple[str, ...], start: float
) -> Pane:
    begin, end = _EPOCH + start, _EPOCH + start + SPEC.window_s
    events: list[Event] = [reading for reading in said if begin <= reading.time < end]
    events += [frame for frame in frames if begin <= frame.time < end]
    return Pane(
        site=SITE,
        window=Window(EventTime(begin), EventTime(end)),
        index=0,
        timing=Timing.ON_TIME,
        closed_by=ClosedBy.WATERMARK,
        fired_at=ArrivalTime(end),
        lines=lines_of(events),
        carried=carried(said, begin, CARRY),
        cameras=cameras,
    )


def _inputs(episode: Episode, pane: Pane, camera: Camera | None) -> ModelInputs:
    plans = plan_rows(pane, SPEC)
    pictures = {
        (frame.camera, frame.time): _as_served(episode, frame, camera)
        for plan in plans
        for frame in plan.frames
        if frame is not None and camera is not None
    }
    grid = sensor_grid(pane, SPEC, max_gap=MAX_GAP, carry=CARRY)
    return build_inputs(SPEC, plans, grid, pictures)


def _as_served(episode: Episode, frame: Frame, camera: Camera) -> NDArray[np.uint8]:
    """The frame through JPEG and back, as a camera sends it and the daemon decodes it."""
    sent = encode_jpeg(episode.draw_at(frame.time - _EPOCH), camera.quality)
    picture = decode_rgb(sent, SPEC.image_size)
    assert picture is not None
    return picture


def _truth(episode: Episode, start: float) -> NDArray[np.float32]:
    """What held at more than half of eleven instants of the window's second half."""
    half = SPEC.window_s / 2
    moments = start + half + half * (np.arange(_TRUTH_INSTANTS) + 0.5) / _TRUTH_INSTANTS
    held = [episode.truth_at(float(moment)) for moment in moments]
    return np.array(
        [2 * sum(now[label] for now in held) > len(held) for label in LABELS], np.float32
    )
