from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.align.archive import HEAD, Archive, unpack
from edge_fusion.errors import SnapshotError


def part(content: bytes) -> bytes:
    return len(content).to_bytes(8) + content


def test_what_is_packed_is_unpacked() -> None:
    assert unpack(Archive("hall", [b"one", b""]).pack({"due": 1.5})) == (
        {"due": 1.5},
        [b"one", b""],
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"edge-fusion snapshot 2\n" + part(b"{}"),
        HEAD,
        HEAD + part(b"{}")[:-1],
        HEAD + part(b"{}") + b"\0",
        HEAD + part(b"{"),
        HEAD + part(b"\xff"),
        HEAD + part(b"[]"),
        HEAD + part(b"1"),
        HEAD + part(b"[" * 100_000),
        HEAD + part(b"1" * 10_000),
    ],
)
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        unpack(data)


@given(st.lists(st.binary() | st.sampled_from([b"{}", b"[1]", b"null"])), st.binary(max_size=9))
def test_no_bytes_make_unpacking_raise_anything_else(parts: list[bytes], rest: bytes) -> None:
    with contextlib.suppress(SnapshotError):
        document, pictures = unpack(HEAD + b"".join(map(part, parts)) + rest)
        assert isinstance(document, dict)
        assert pictures == parts[1:]
