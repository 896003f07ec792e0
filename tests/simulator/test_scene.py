from __future__ import annotations

import numpy as np
import pytest

from edge_fusion.simulator.room import (
    EXTINCTION_PER_DROPLET,
    EXTINCTION_PER_SOOT,
    Drivers,
    RoomState,
)
from edge_fusion.simulator.scene import CLEAR, Cover, Light, Obstruction, Picture, Scene, daylight

DAY = Light(day=0.7)
COVERS = [cover for cover in Cover if cover is not Cover.NONE]
SEEDS = range(6)


def scene(seed: int) -> Scene:
    return Scene(seed, 320, 240)


def air(*, smoke: float = 0.0, steam: float = 0.0, fire: float = 0.0) -> RoomState:
    """Air with an extinction in 1/m of smoke or steam, and a fire in W."""
    return RoomState(
        21.0,
        20.5,
        0.007,
        soot=smoke / EXTINCTION_PER_SOOT,
        droplets=steam / EXTINCTION_PER_DROPLET,
        drivers=Drivers(fire=fire),
    )


def contrast(picture: Picture) -> float:
    return float(picture.astype(np.float32).mean(axis=2).std())


def warm(picture: Picture) -> int:
    """Pixels that are bright and much redder than blue."""
    red, blue = picture[..., 0].astype(int), picture[..., 2].astype(int)
    return int(((red > 200) & (red - blue > 60)).sum())


def difference(one: Picture, other: Picture) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def change(one: Picture, other: Picture) -> float:
    """The largest change of any patch of 8 x 8 pixels: noise averages out, flames do not."""
    moved = (one.astype(np.float32) - other.astype(np.float32)).mean(axis=2)
    return float(np.abs(moved.reshape(30, 8, 40, 8).mean(axis=(1, 3))).max())


def test_a_picture_is_rgb_bytes_of_the_size_asked_for() -> None:
    picture = Scene(1).draw(air(), 0.0, DAY)
    assert picture.shape == (480, 640, 3)
    assert picture.dtype == np.uint8


def test_the_same_seed_and_moment_give_the_same_picture() -> None:
    one, other = (scene(3).draw(air(smoke=0.3, fire=3e4), 12.5, DAY) for _ in range(2))
    assert np.array_equal(one, other)


def test_another_seed_gives_another_room() -> None:
    assert difference(scene(1).draw(air(), 0, DAY), scene(2).draw(air(), 0, DAY)) > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_smoke_takes_contrast_away_the_more_the_thicker(seed: int) -> None:
    contrasts = [contrast(scene(seed).draw(air(smoke=k), 5, DAY)) for k in (0.0, 0.5, 3.0)]
    assert contrasts == sorted(contrasts, reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_dense_steam_takes_contrast_away_too(seed: int) -> None:
    clear, foggy = (contrast(scene(seed).draw(air(steam=k), 5, DAY)) for k in (0.0, 1.0))
    assert foggy < clear


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flame_adds_bright_warm_pixels(seed: int) -> None:
    quiet, burning = (warm(scene(seed).draw(air(fire=w), 5, DAY)) for w in (0.0, 8e4))
    assert burning > quiet + 100


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flame_flickers_from_one_frame_to_the_next(seed: int) -> None:
    view = scene(seed)
    quiet, burning = (
        change(view.draw(air(fire=w), 5.0, DAY), view.draw(air(fire=w), 5.2, DAY))
        for w in (0.0, 8e4)
    )
    assert burning > 2 * quiet


@pytest.mark.parametrize("seed", SEEDS)
def test_warm_or_humid_air_looks_as_any_other(seed: int) -> None:
    """A heater must be felt, not seen."""
    cool = RoomState(18.0, 18.0, 0.005)
    heated = RoomState(29.0, 22.0, 0.009, drivers=Drivers(heater=3000.0))
    view = scene(seed)
    assert np.array_equal(view.draw(cool, 7, DAY), view.draw(heated, 7, DAY))


def test_people_are_seen() -> None:
    crowd = RoomState(21.0, 20.5, 0.007, drivers=Drivers(people=4))
    assert difference(scene(4).draw(crowd, 5, DAY), scene(4).draw(air(), 5, DAY)) > 1


@pytest.mark.parametrize("cover", COVERS)
def test_a_covered_lens_shows_nothing_of_the_room(cover: Cover) -> None:
    view, all_over = scene(2), Obstruction(cover, 1.0)
    fire, calm = (view.draw(air(fire=w), 5, DAY, all_over) for w in (8e4, 0.0))
    assert warm(fire) <= warm(calm)
    assert difference(view.draw(air(), 5, DAY, CLEAR), calm) > 10


@pytest.mark.parametrize("cover", COVERS)
def test_half_a_cover_changes_less_than_a_whole_one(cover: Cover) -> None:
    view = scene(2)
    clear = view.draw(air(), 5, DAY)
    changed = [
        difference(clear, view.draw(air(), 5, DAY, Obstruction(cover, s))) for s in (0.2, 0.9)
    ]
    assert changed[0] < changed[1]


def test_darkness_is_dark_and_shows_less_than_day() -> None:
    day, night = (scene(1).draw(air(), 5, light) for light in (DAY, Light(0.0, 0.0)))
    assert night.mean() < day.mean()


def test_daylight_has_its_height_in_the_afternoon_and_none_at_night() -> None:
    assert daylight(3) == daylight(22) == 0.0
    assert daylight(13) > daylight(8) > 0
