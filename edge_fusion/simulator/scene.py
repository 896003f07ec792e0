"""What a camera sees of a room: light, people, flame, smoke, steam, the lens and the sensor.

Smoke and steam dim what is behind them by Beer and Lambert's law, exp(-K L), and scatter the
light of the room towards the camera; smoke hangs below the ceiling and sinks as it thickens,
steam rises in a plume and thins out. A flame has the height of Heskestad's correlation,
L = 0.235 Q^(2/5) - 1.02 D (Q in kW, SFPE Handbook, 5th ed., ch. 13), flickers, saturates the
picture and lights up what is near.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_fusion.simulator.backdrop import Floats, draw_backdrop
from edge_fusion.simulator.room import RoomState

Picture = NDArray[np.uint8]


class Cover(Enum):
    """What may be over the lens."""

    NONE = "none"
    HAND = "hand"
    CLOTH = "cloth"
    PAINT = "paint"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class Obstruction:
    """What covers which share (0 to 1) of the view."""

    cover: Cover = Cover.NONE
    share: float = 0.0


CLEAR = Obstruction()


@dataclass(frozen=True, slots=True)
class Light:
    """Light on the room, 0 to about 1: by day through the window, and by lamp."""

    day: float = 0.7
    lamp: float = 0.0

    @property
    def level(self) -> float:
        return self.day + self.lamp


def daylight(hour: float) -> float:
    """Daylight in a room by hour of the day, 0 to 1: half a sine from 6 to 20 o'clock."""
    return max(0.0, math.sin(math.pi * (hour - 6) / 14)) ** 0.7 if 6 < hour < 20 else 0.0


class Scene:
    """One camera in one room, all drawn from `seed`. `draw` is a pure function of its arguments.

    Drawn at half of `width` x `height` pixels and enlarged, as cheap lenses are soft.
    """

    def __init__(self, seed: int, width: int = 640, height: int = 480) -> None:
        rng = np.random.default_rng([seed, 7])
        self._seed = seed
        self._size = (width, height)
        self._h, self._w = height // 2, width // 2
        self._backdrop = draw_backdrop(rng, self._h, self._w)
        y, x = np.mgrid[0 : self._h, 0 : self._w].astype(np.float32)
        self._x, self._y = x / self._w, y / self._h
        self._white = rng.uniform(0.88, 1.12, 3).astype(np.float32)
        self._exposure = float(rng.uniform(0.75, 1.3))
        self._noise = float(rng.uniform(1.0, 4.0))
        self._infrared = rng.random() < 0.5
        self._depth = float(rng.uniform(2.5, 5.0))
        self._scale = float(rng.uniform(0.22, 0.38))
        self._people = rng.uniform(0, 1, (6, 6))
        self._clothes = rng.uniform(0.05, 0.8, (6, 3)).astype(np.float32)
        vignette = 1 - rng.uniform(0, 0.35) * ((self._x - 0.5) ** 2 + (self._y - 0.5) ** 2) * 2
        self._vignette = vignette[..., None].astype(np.float32)
        self._clouds = [_cloud(rng, self._h, self._w) for _ in range(4)]

    def draw(
        self, state: RoomState, moment: float, light: Light, obstruction: Obstruction = CLEAR
    ) -> Picture:
        """The picture uint8 [H, W, 3] RGB at `moment` (seconds; flicker and motion follow it)."""
        rng = np.random.default_rng([self._seed, int(moment * 1000) & 0x7FFFFFFF])
        fire_kw = state.drivers.fire / 1000
        lit = self._lit(light, fire_kw, rng)
        self._draw_people(lit, state.drivers.people, moment, light)
        self._draw_screen(lit, moment)
        ambient = float(np.clip(light.level * 0.8 + min(0.4, fire_kw / 100) + 0.02, 0, 1.1))
        self._draw_flame(lit, fire_kw, rng)
        self._draw_steam(lit, state, moment, ambient)
        self._draw_smoke(lit, state, moment, ambient, fire_kw)
        return self._expose(lit, light, obstruction, rng)

    def _lit(self, light: Light, fire_kw: float, rng: np.random.Generator) -> Floats:
        back = self._backdrop
        level = light.day * back.daylight + light.lamp * back.lamplight + 0.01
        picture = back.reflectance * level[..., None]
        if fire_kw > 0.5:
            flicker = float(rng.uniform(0.75, 1.25))
            glow = _round(self._x, self._y, back.hearth, 0.3 + 0.002 * min(fire_kw, 100))
            warm = np.array([1.0, 0.6, 0.25], np.float32) * min(1.2, fire_kw / 40) * flicker
            picture += back.reflectance * glow[..., None] * warm
        return np.asarray(picture, np.float32)

    def _draw_people(self, picture: Floats, people: int, moment: float, light: Light) -> None:
        for place in range(min(people, len(self._people))):
            x0, y0, size, pace, phase, _ = self._people[place]
            sway = 0.06 * math.sin(moment * (0.2 + pace) + 6 * phase)
            centre_x, foot = 0.1 + 0.8 * x0 + sway, 0.75 + 0.2 * y0
            tall = 0.35 + 0.2 * size
            body = self._clothes[place] * light.level
            skin = np.array([0.75, 0.55, 0.45], np.float32) * light.level
            self._ellipse(picture, (centre_x, foot - tall * 0.4), (tall * 0.16, tall * 0.42), body)
            self._ellipse(picture, (centre_x, foot - tall * 0.92), (tall * 0.08, tall * 0.11), skin)

    def _ellipse(
        self,
        picture: Floats,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Floats,
    ) -> None:
        middle = (int(centre[0] * self._w), int(centre[1] * self._h))
        axes = (max(1, int(radii[0] * self._h)), max(1, int(radii[1] * self._h)))
        cv2.ellipse(picture, middle, axes, 0, 0, 360, [float(c) for c in colour], -1, cv2.LINE_AA)

    def _draw_screen(self, picture: Floats, moment: float) -> None:
        """A television that is on changes its picture every second or two."""
        box = self._backdrop.screen
        if box is None or self._seed % 3:
            return
        rng = np.random.default_rng([self._seed, int(moment / 1.5), 3])
        x0, y0, x1, y1 = box
        part = picture[int(y0 * self._h) : int(y1 * self._h), int(x0 * self._w) : int(x1 * self._w)]
        part[:] = rng.uniform(0.1, 0.9, 3).astype(np.float32)

    def _draw_flame(self, picture: Floats, fire_kw: float, rng: np.random.Generator) -> None:
        if fire_kw < 0.02:
            return
        # A candle is no pool: its base shrinks with it.
        base = min(0.4, 0.1 * max(fire_kw, 0.08) ** 0.4)
        tall = max(0.04, 0.235 * fire_kw**0.4 - 1.02 * base * 0.4) * self._scale
        wide = max(0.008, base * self._scale)
        x0, y0 = self._backdrop.hearth
        heat = np.zeros((self._h, self._w), np.float32)
        for _ in range(int(6 + 40 * min(1.0, wide * 8))):
            rise = float(rng.beta(1.2, 1.8))
            lean = float(rng.normal(0, 0.35)) * (1 - 0.6 * rise)
            middle = (int((x0 + lean * wide) * self._w), int((y0 - rise * tall) * self._h))
            radius = wide * (1 - 0.65 * rise) * float(rng.uniform(0.25, 0.6))
            axes = (max(1, int(radius * self._w)), max(2, int(radius * self._h * 2.2)))
            cv2.ellipse(heat, middle, axes, 0, 0, 360, float(rng.uniform(0.4, 1.0)), -1)
        heat = np.asarray(
            cv2.GaussianBlur(heat, (0, 0), max(0.6, wide * self._h * 0.12)), np.float32
        )
        _flame_colours(picture, heat)

    def _draw_steam(self, picture: Floats, state: RoomState, moment: float, ambient: float) -> None:
        dense = state.steam_extinction
        if dense < 1e-4:
            return
        x0, y0 = self._backdrop.kettle
        rise = np.clip((y0 - self._y) / 0.5, 0, 1)
        drift = 0.05 * np.sin(3 * self._y * math.pi + moment * 0.9) * rise
        spread = 0.02 + 0.16 * rise
        plume = np.exp(-(((self._x - x0 - drift) / spread) ** 2)) * (self._y < y0 + 0.01)
        plume = plume * np.exp(-2.0 * rise) * min(3.0, state.drivers.steam * 1500)
        cloud = self._cloud(moment, speed=0.35)
        depth = (plume * 1.6 + dense * self._depth * 2) * cloud
        _veil(picture, depth, np.full(3, 0.92 * ambient + 0.04, np.float32))

    def _draw_smoke(
        self, picture: Floats, state: RoomState, moment: float, ambient: float, fire_kw: float
    ) -> None:
        extinction = state.smoke_extinction
        if extinction < 1e-4:
            return
        # The layer under the ceiling grows down as the room fills.
        bottom = 0.25 + 0.75 * (1 - math.exp(-extinction / 0.35))
        layer = 1 / (1 + np.exp((self._y - bottom) / 0.1))
        depth = np.asarray(extinction * self._depth * (0.25 + 1.5 * layer), np.float32)
        x0, y0 = self._backdrop.hearth
        rise = np.clip((y0 - self._y) / max(y0, 0.1), 0, 1)
        sway = 0.04 * np.sin(5 * rise + moment * 1.3)
        column = np.exp(-(((self._x - x0 - sway) / (0.03 + 0.14 * rise)) ** 2)) * (self._y < y0)
        depth = depth + column * min(2.5, state.drivers.soot * 4e4) * (0.4 + rise)
        grey = 0.62 - 0.35 * min(1.0, fire_kw / 60)
        tone = np.array([1.0, 0.98, 0.95], np.float32) * grey * ambient + 0.01
        _veil(picture, depth * self._cloud(moment, speed=0.15), tone.astype(np.float32))

    def _cloud(self, moment: float, speed: float) -> Floats:
        """Turbulence that rises: two of the clouds, rolled upwards, one fading into the next."""
        place = moment * speed
        which, share = int(place) % 4, place - int(place)
        shift = -int(moment * speed * self._h * 0.3)
        one = np.roll(self._clouds[which], shift, axis=0)
        two = np.roll(self._clouds[(which + 1) % 4], shift, axis=0)
        return np.asarray((1 - share) * one + share * two)

    def _expose(
        self, lit: Floats, light: Light, obstruction: Obstruction, rng: np.random.Generator
    ) -> Picture:
        if obstruction.share > 0:
            lit = self._cover(lit, obstruction, max(light.level, 0.02))
        picture = lit * self._vignette
        mean = float(picture.mean())
        # Automatic exposure makes up for part of the dark, at the price of noise.
        gain = min(8.0, (0.42 / max(mean, 1e-3)) ** 0.6) * self._exposure
        picture *= gain * self._white
        if light.level < 0.12 and self._infrared:
            picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2) * 1.4
        noise = self._noise * (1 + 1.2 * math.log2(max(1.0, gain)))
        full = cv2.resize(np.clip(picture, 0, 1), self._size, interpolation=cv2.INTER_LINEAR)
        shade = np.power(full, 1 / 1.6) * 255
        grain = rng.standard_normal((self._size[1] // 2, self._size[0] // 2, 1), np.float32)
        shade += noise * cv2.resize(grain, self._size, interpolation=cv2.INTER_NEAREST)[..., None]
        return np.asarray(np.clip(shade, 0, 255).astype(np.uint8))

    def _cover(self, picture: Floats, obstruction: Obstruction, level: float) -> Floats:
        """What is over the lens is lit by the room as everything else, only less."""
        rng = np.random.default_rng([self._seed, 11])
        field = self._clouds[0] * (0.6 if obstruction.cover is Cover.PAINT else 0.15)
        side = float(rng.uniform(0, 2 * math.pi))
        field = field + math.cos(side) * self._x + math.sin(side) * self._y
        edge = float(np.quantile(field[::8, ::8], min(1.0, obstruction.share)))
        mask = 1 / (1 + np.exp(np.clip((field - edge) / 0.03, -30, 30)))
        if obstruction.share >= 0.999:
            mask[:] = 1.0
        colours = {
            Cover.HAND: np.array([0.34, 0.16, 0.11]) * rng.uniform(0.4, 1.6),
            Cover.CLOTH: rng.uniform(0.02, 0.6, 3),
            Cover.PAINT: rng.uniform(0.0, 0.8, 3),
            Cover.STICKER: np.full(3, rng.uniform(0.0, 0.9)),
            Cover.NONE: np.zeros(3),
        }
        colour = colours[obstruction.cover].astype(np.float32)
        texture = 1 + 0.25 * (self._clouds[1] - 1)[..., None]
        if obstruction.cover is Cover.CLOTH:
            texture = (
                texture
                * (1 + 0.1 * np.sign(np.sin(self._x * 160 * rng.uniform(0.5, 1))))[..., None]
            )
        covered = colour * texture * level * rng.uniform(0.3, 1.0)
        return np.asarray(picture * (1 - mask[..., None]) + covered * mask[..., None], np.float32)


def _round(x: Floats, y: Floats, centre: tuple[float, float], radius: float) -> Floats:
    distance = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    return np.asarray(np.exp(-distance / (2 * radius**2)))


def _cloud(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Turbulence with mean 1: noise at three scales."""
    half = np.ones((height // 2, width), np.float32)
    for cells, weight in ((3, 0.3), (6, 0.22), (14, 0.12)):
        noise = rng.standard_normal((cells, 2 * cells + cells // 2)).astype(np.float32)
        half += weight * cv2.resize(noise, half.shape[::-1], interpolation=cv2.INTER_CUBIC)
    # Mirrored, so that it can be rolled upwards without a seam.
    field = np.vstack([half, half[::-1], half[: height % 2]])
    return np.asarray(np.clip(field, 0.15, 2.2))


def _veil(picture: Floats, depth: Floats, colour: Floats) -> None:
    """Beer and Lambert: what is behind fades, the veil's own light takes its place."""
    through = np.exp(-depth)[..., None].astype(np.float32)
    picture *= through
    picture += colour * (1 - through)


def _flame_colours(picture: Floats, heat: Floats) -> None:
    """From transparent over red and orange to a core that is nearly white."""
    shares = np.clip(heat[..., None] * np.array([2.6, 1.5, 0.75], np.float32), 0, [1.5, 1.25, 0.8])
    solid = np.clip(heat * 1.8, 0, 1)[..., None]
    picture *= 1 - solid
    picture += shares * np.clip(solid * 1.5, 0, 1)
