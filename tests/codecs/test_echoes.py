from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.echoes import Echoes
from edge_fusion.events import ArrivalTime, EventTime, Reading

NOW = 1795428000.0


def reading(
    value: float = 21.5, *, after: float = 0.0, device: str = "tag", quantity: str = "temperature"
) -> Reading:
    at = NOW + after
    return Reading("hall", device, quantity, value, EventTime(at), ArrivalTime(at))


def test_a_measurement_of_one_identity_counts_once() -> None:
    echoes = Echoes()
    assert not echoes.came_before(reading(), "205")
    assert echoes.came_before(reading(after=0.4), "205")
    assert not echoes.came_before(reading(after=1.3), "206")


def test_devices_and_quantities_have_identities_of_their_own() -> None:
    echoes = Echoes()
    assert not echoes.came_before(reading(), "205")
    assert not echoes.came_before(reading(device="other"), "205")
    assert not echoes.came_before(reading(quantity="humidity"), "205")


def test_an_identity_is_good_for_a_minute_from_its_first_copy() -> None:
    """Else a device whose counter stands still would never be heard again."""
    echoes = Echoes()
    heard = [
        after for after in range(0, 200, 20) if not echoes.came_before(reading(after=after), "7")
    ]
    assert heard == [0, 80, 160]


def test_a_short_sequence_number_comes_again_in_a_backlog() -> None:
    """What was measured over ten minutes arrives within a second."""
    echoes = Echoes()
    taken = 0
    for second in range(600):
        measured = replace(reading(after=second / 600), time=EventTime(NOW - 600 + second))
        taken += not echoes.came_before(measured, str(second % 256))
        assert echoes.came_before(measured, str(second % 256))
    assert taken == 600


def test_the_same_value_on_another_topic_within_two_seconds_is_an_echo() -> None:
    echoes = Echoes()
    assert not echoes.came_elsewhere(reading(), "home/a/tag")
    assert echoes.came_elsewhere(reading(after=0.3), "home/b/tag")
    assert echoes.came_elsewhere(reading(after=2.0), "home/c/tag")
    assert not echoes.came_elsewhere(reading(after=2.1), "home/b/tag")


def test_the_same_value_on_the_same_topic_is_a_new_measurement() -> None:
    echoes = Echoes()
    assert not echoes.came_elsewhere(reading(), "home/a/tag")
    assert not echoes.came_elsewhere(reading(after=1.0), "home/a/tag")
    assert echoes.came_elsewhere(reading(after=2.5), "home/b/tag")


def test_another_value_is_no_echo_and_a_slow_gateway_may_lag_one_behind() -> None:
    echoes = Echoes()
    assert not echoes.came_elsewhere(reading(21.5), "home/a/tag")
    assert not echoes.came_elsewhere(reading(21.6, after=1.0), "home/a/tag")
    assert echoes.came_elsewhere(reading(21.5, after=1.1), "home/b/tag")
    assert not echoes.came_elsewhere(reading(21.7, after=1.2), "home/b/tag")


def test_memory_is_bounded_and_the_oldest_is_forgotten_first() -> None:
    echoes = Echoes(remembered=100)
    for number in range(1000):
        echoes.came_before(reading(device=f"d{number}"), "1")
        echoes.came_elsewhere(reading(device=f"d{number}"), "a")
    assert len(echoes) == 200
    assert echoes.came_before(reading(device="d950"), "1")
    assert not echoes.came_before(reading(device="d850"), "1")


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1.5), st.sampled_from(["a", "b", "c"]), st.sampled_from([20.0, 20.1])
        ),
        max_size=40,
    )
)
def test_one_topic_alone_never_loses_a_reading(heard: list[tuple[float, str, float]]) -> None:
    """Whatever the others say, of each value in a burst at least the first is taken."""
    echoes, after, taken = Echoes(), 0.0, set()
    for pause, topic, value in heard:
        after += pause
        if not echoes.came_elsewhere(reading(value, after=after), topic):
            taken.add(value)
        assert value in taken
    alone = Echoes()
    assert not any(
        alone.came_elsewhere(reading(value, after=number), "a")
        for number, (_, _, value) in enumerate(heard)
    )
