from __future__ import annotations

import socket
import threading

from edge_fusion.io.doorbell import Doorbell, Ready


def test_what_is_left_wakes_the_waiting_thread_and_is_run_by_it_in_order() -> None:
    doorbell, done = Doorbell(), list[tuple[int, int]]()
    doorbell.open()

    def work() -> None:
        while len(done) < 100:
            doorbell.wait(10)
            doorbell.answer()

    worker = threading.Thread(target=work)
    worker.start()
    for number in range(100):
        doorbell.leave(lambda number=number: done.append((number, threading.get_ident())))  # type: ignore[misc]
    worker.join()
    doorbell.close()
    assert done == [(number, worker.ident) for number in range(100)]


def test_what_was_left_before_it_opened_is_kept() -> None:
    doorbell, done = Doorbell(), list[int]()
    doorbell.leave(lambda: done.append(1))
    doorbell.open()
    doorbell.answer()
    doorbell.close()
    doorbell.leave(lambda: done.append(2))
    assert done == [1]


def test_waiting_tells_what_the_socket_can_do() -> None:
    doorbell = Doorbell()
    doorbell.open()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert doorbell.wait(0, ours) == Ready(read=False, write=False)
        assert doorbell.wait(0, ours, write=True) == Ready(read=False, write=True)
        theirs.send(b"x")
        assert doorbell.wait(0, ours) == Ready(read=True, write=False)
    assert doorbell.wait(0, ours) == Ready()
    doorbell.close()
