"""A socket that is read in large pieces."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.io.buffered import BufferedSocket


@pytest.fixture
def ends() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    near, far = socket.socketpair()
    with closing(BufferedSocket(near)) as buffered, far:
        buffered.setblocking(False)
        yield buffered, far


Ends = tuple[BufferedSocket, socket.socket]


def test_bytes_come_in_the_pieces_that_are_asked_for(ends: Ends) -> None:
    buffered, far = ends
    far.sendall(b"abcdef")
    assert [buffered.recv(1), buffered.recv(2), buffered.recv(9)] == [b"a", b"bc", b"def"]


def test_what_was_read_ahead_is_pending(ends: Ends) -> None:
    buffered, far = ends
    far.sendall(b"abcdef")
    assert buffered.pending() == 0
    buffered.recv(1)
    assert buffered.pending() == 5


def test_nothing_to_be_had_blocks_as_on_a_socket(ends: Ends) -> None:
    buffered, _ = ends
    with pytest.raises(BlockingIOError):
        buffered.recv(1)


def test_the_end_comes_after_what_came_before_it(ends: Ends) -> None:
    buffered, far = ends
    far.sendall(b"ab")
    far.close()
    assert [buffered.recv(1), buffered.recv(5), buffered.recv(5)] == [b"a", b"b", b""]


@given(st.lists(st.binary(min_size=1, max_size=300)), st.lists(st.integers(1, 100_000), min_size=1))
def test_nothing_is_lost_or_turned_round(sent: list[bytes], sizes: list[int]) -> None:
    near, far = socket.socketpair()
    with closing(BufferedSocket(near)) as buffered:
        with far:
            far.sendall(b"".join(sent))
        taken: list[bytes] = []
        while piece := buffered.recv(sizes[len(taken) % len(sizes)]):
            assert len(piece) <= sizes[len(taken) % len(sizes)]
            taken.append(piece)
    assert b"".join(taken) == b"".join(sent)
