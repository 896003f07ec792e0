"""The still part of a scene: walls, floor, furniture, window and lamp of one room, drawn once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Reflectance float32 [H, W, 3] in 0..1, daylight and lamp maps [H, W], and where things are.

    Places are (x, y) in 0..1 from the top left: `hearth` where a fire would burn, `kettle` where
    steam comes from. `horizon` is the height at which wall meets floor. `screen` is the box of a
    television (x0, y0, x1, y1), or None.
    """

    reflectance: Floats
    daylight: Floats
    lamplight: Floats
    hearth: Point
    kettle: Point
    horizon: float
    screen: tuple[float, float, float, float] | None


def draw_backdrop(rng: np.random.Generator, height: int, width: int) -> Backdrop:
    """A room at random."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width, y / height
    horizon = float(rng.uniform(0.5, 0.72))
    picture = _surfaces(rng, x, y, horizon)
    window = _box(rng, (0.05, 0.75), (0.08, 0.2), (0.12, 0.28), (0.18, 0.32))
    _paint(picture, window, np.array([0.85, 0.9, 0.95]))
    for _ in range(int(rng.integers(2, 8))):
        _furniture(rng, picture, horizon)
    screen = None
    if rng.random() < 0.4:
        screen = _box(rng, (0.05, 0.7), (0.3, 0.45), (0.1, 0.25), (0.08, 0.16))
        _paint(picture, screen, np.array([0.04, 0.04, 0.05]))
    grain = rng.normal(0, 1, (height // 4, width // 4, 1)).astype(np.float32)
    picture *= 1 + 0.05 * _enlarged(grain, height, width)
    lamp = (float(rng.uniform(0.1, 0.9)), float(rng.uniform(-0.1, 0.25)))
    centre = ((window[0] + window[2]) / 2, (window[1] + window[3]) / 2)
    daylight = 0.35 + 0.9 * _glow(x, y, centre, 0.45)
    daylight[_slices(daylight, window)] = 1.6
    return Backdrop(
        reflectance=np.clip(picture, 0.02, 1.0),
        daylight=daylight,
        lamplight=0.3 + 0.9 * _glow(x, y, lamp, 0.5),
        hearth=(float(rng.uniform(0.12, 0.88)), float(rng.uniform(horizon - 0.02, 0.92))),
        kettle=(float(rng.uniform(0.12, 0.88)), float(rng.uniform(horizon - 0.15, 0.8))),
        horizon=horizon,
        screen=screen,
    )


def _surfaces(rng: np.random.Generator, x: Floats, y: Floats, horizon: float) -> Floats:
    wall = _colour(rng, 0.35, 0.9, 0.07)
    floor = _colour(rng, 0.15, 0.7, 0.09)
    slope = float(rng.uniform(-0.12, 0.12))
    is_floor = (y > horizon + slope * (x - 0.5))[..., None]
    boards = 1 + 0.08 * np.sign(np.sin((x - 0.5) / (y - horizon + 0.35) * rng.uniform(10, 60)))
    stripes = 1 + float(rng.choice([0, 0.06])) * np.sign(np.sin(x * rng.uniform(20, 90)))
    surface = np.where(is_floor, floor * boards[..., None], wall * stripes[..., None])
    corner = float(rng.uniform(0.1, 0.9))
    return (surface * np.where((x < corner)[..., None], 1.0, 0.86)).astype(np.float32)


def _furniture(rng: np.random.Generator, picture: Floats, horizon: float) -> None:
    """A box with a lit top; one in four is red or orange, as fire is too."""
    x0, y0, x1, y1 = _box(
        rng, (0.0, 0.85), (horizon - 0.25, horizon + 0.1), (0.06, 0.3), (0.1, 0.35)
    )
    colour = _colour(rng, 0.08, 0.8, 0.16)
    if rng.random() < 0.25:
        colour = np.array([rng.uniform(0.6, 0.95), rng.uniform(0.1, 0.5), rng.uniform(0.02, 0.2)])
    _paint(picture, (x0, y0, x1, y1), colour)
    _paint(picture, (x0, y0, x1, y0 + 0.02), np.minimum(colour * 1.35, 1.0))
    _paint(picture, (x0, max(y0, y1 - 0.015), x1, y1), colour * 0.5)


def _colour(
    rng: np.random.Generator, low: float, high: float, spread: float
) -> NDArray[np.float64]:
    return np.clip(rng.uniform(low, high) + rng.uniform(-spread, spread, 3), 0.03, 0.97)


def _box(
    rng: np.random.Generator, left: Point, top: Point, width: Point, height: Point
) -> tuple[float, float, float, float]:
    x, y = float(rng.uniform(*left)), float(rng.uniform(*top))
    return x, y, x + float(rng.uniform(*width)), y + float(rng.uniform(*height))


def _slices(picture: Floats, box: tuple[float, float, float, float]) -> tuple[slice, slice]:
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box
    return slice(int(y0 * height), int(y1 * height) + 1), slice(
        int(x0 * width), int(x1 * width) + 1
    )


def _paint(
    picture: Floats, box: tuple[float, float, float, float], colour: NDArray[np.float64]
) -> None:
    picture[_slices(picture, box)] = colour


def _glow(x: Floats, y: Floats, centre: Point, radius: float) -> Floats:
    distance = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    return np.exp(-distance / (2 * radius**2)).astype(np.float32)


def _enlarged(small: Floats, height: int, width: int) -> Floats:
    rows = np.linspace(0, small.shape[0] - 1, height).astype(int)
    columns = np.linspace(0, small.shape[1] - 1, width).astype(int)
    return np.asarray(small[rows][:, columns])
