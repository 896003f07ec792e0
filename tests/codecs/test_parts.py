from __future__ import annotations

from edge_fusion.codecs.parts import MAX_DEVICES, MAX_PARTS, Parts


def test_the_parts_of_a_device_are_those_of_no_other() -> None:
    parts = Parts()
    for part in ("th.b", "th.a", "th.b"):
        parts.add("hall", "th", part)
    parts.add("attic", "th", "th.c")
    assert parts.of("hall", "th") == ("th.b", "th.a")
    assert parts.of("attic", "th") == ("th.c",)
    assert parts.of("hall", "th2") == ()


def test_the_device_heard_longest_ago_is_forgotten_first() -> None:
    parts = Parts()
    for number in range(MAX_DEVICES):
        parts.add("hall", f"d{number}", f"d{number}.a")
    parts.add("hall", "d0", "d0.a")
    parts.add("hall", "new", "new.a")
    assert len(parts) == MAX_DEVICES
    assert parts.of("hall", "d1") == ()
    assert parts.of("hall", "d0") == ("d0.a",)


def test_a_device_that_makes_parts_up_does_not_grow_memory() -> None:
    parts = Parts()
    for number in range(1000):
        parts.add("hall", "th", f"th.{number}")
    assert len(parts.of("hall", "th")) == MAX_PARTS
