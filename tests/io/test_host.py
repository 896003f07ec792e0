"""What the machine says of its clock and its disks."""

from __future__ import annotations

from pathlib import Path

from disks import fill

from edge_fusion.io.host import Medium, clock_state, examine_place


def test_the_kernel_says_how_its_clock_is() -> None:
    state = clock_state()
    assert state is not None
    assert state.max_error >= 0.0


def test_a_place_is_tried_out_and_nothing_remains(tmp_path: Path) -> None:
    place = examine_place(tmp_path)
    assert (place.directory, place.fault) == (tmp_path, None)
    assert place.free > 0
    assert place.sync is not None
    assert 0.0 < place.sync < 60.0
    assert list(tmp_path.iterdir()) == []


def test_of_a_place_that_is_yet_to_be_made_the_one_above_counts(tmp_path: Path) -> None:
    assert examine_place(tmp_path / "a" / "b").directory == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_memory_is_told_from_a_disk(small_disk: Path) -> None:
    place = examine_place(small_disk)
    assert (place.file_system, place.medium) == ("tmpfs", Medium.MEMORY)
    assert place.free < 2_200_000


def test_a_full_disk_says_so(small_disk: Path) -> None:
    fill(small_disk)
    place = examine_place(small_disk)
    assert (place.free, place.sync, place.fault) == (0, None, "No space left on device")


def test_what_cannot_be_written_says_why() -> None:
    place = examine_place(Path("/proc/self"))
    assert place.sync is None
    assert place.fault
