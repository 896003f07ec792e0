from __future__ import annotations

import threading
import time

from edge_fusion.events import ArrivalTime, Capture, Delivery, Message, Shed, ShedReason
from edge_fusion.mailbox import Acknowledged, Batch, Mailbox, Reload, Stop

PAST = ArrivalTime(0.0)


def now() -> ArrivalTime:
    return ArrivalTime(time.time())


def mailbox(
    *,
    readings: int = 100,
    reading_bytes: int = 10_000,
    frames: int = 10,
    all_frames: int = 100,
    frame_bytes: int = 10_000,
    batch: int = 512,
) -> Mailbox:
    return Mailbox(
        now,
        max_readings=readings,
        max_reading_bytes_total=reading_bytes,
        max_frames_per_topic=frames,
        max_frames_total=all_frames,
        max_frame_bytes_total=frame_bytes,
        max_batch=batch,
    )


class Post:
    """Makes deliveries, and knows which were acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[bytes] = []

    def __call__(self, payload: bytes, topic: str = "topic") -> Delivery:
        message = Message(topic, payload, now())
        return Delivery(message, lambda: self.acknowledged.append(payload))


def payloads(batch: Batch) -> list[bytes]:
    return [delivery.message.payload for delivery in batch.deliveries]


def test_readings_and_frames_come_out_in_order_of_arrival() -> None:
    box, post = mailbox(), Post()
    box.put_reading(post(b"1"), sheddable=False)
    box.put_frame(post(b"2", "camera"))
    box.put_reading(post(b"3"), sheddable=True)
    assert payloads(box.take(PAST)) == [b"1", b"2", b"3"]


def test_an_empty_mailbox_gives_an_empty_batch_once_the_time_has_passed() -> None:
    before = now()
    batch = mailbox().take(ArrivalTime(before + 0.05))
    assert (batch.deliveries, batch.notices, batch.shed) == ((), (), ())
    assert batch.until >= before


def test_take_wakes_as_soon_as_something_comes() -> None:
    box, post = mailbox(), Post()
    threading.Timer(0.05, lambda: box.put_reading(post(b"1"), sheddable=False)).start()
    assert payloads(box.take(None)) == [b"1"]


def test_a_notice_wakes_too() -> None:
    box = mailbox()
    threading.Timer(0.05, lambda: box.put(Stop())).start()
    assert box.take(None).notices == (Stop(),)


def test_a_batch_is_bounded_and_the_rest_comes_next() -> None:
    box, post = mailbox(batch=2), Post()
    for number in range(3):
        box.put_reading(post(b"%d" % number), sheddable=False)
    first = box.take(PAST)
    assert payloads(first) == [b"0", b"1"]
    assert first.until == first.deliveries[-1].message.arrival
    assert payloads(box.take(PAST)) == [b"2"]


def test_notices_are_kept_in_order_and_never_bounded() -> None:
    box = mailbox(readings=0, frames=1, batch=1)
    notices = [Acknowledged(number) for number in range(1000)]
    for notice in notices:
        box.put(notice)
    box.put(Reload())
    assert box.take(PAST).notices == (*notices, Reload())


def test_a_qos_1_reading_is_never_shed() -> None:
    box, post = mailbox(readings=1), Post()
    for number in range(3):
        box.put_reading(post(b"%d" % number), sheddable=False)
    batch = box.take(PAST)
    assert (len(batch.deliveries), batch.shed) == (3, ())


def test_of_too_many_qos_0_readings_the_newest_are_shed_and_counted() -> None:
    box, post = mailbox(readings=2), Post()
    for number in range(5):
        box.put_reading(post(b"%d" % number), sheddable=True)
    batch = box.take(PAST)
    assert payloads(batch) == [b"0", b"1"]
    assert batch.shed == (Shed(None, ShedReason.MAILBOX_FULL, 3),)


def test_qos_0_readings_are_bounded_in_bytes_too() -> None:
    box, post = mailbox(reading_bytes=30), Post()
    for number in range(5):
        box.put_reading(post(b"%d" % number * 10), sheddable=True)
    assert payloads(box.take(PAST)) == [b"0" * 10, b"1" * 10]
    box.put_reading(post(b"x"), sheddable=True)
    assert payloads(box.take(PAST)) == [b"x"]


def test_frames_of_topics_that_somebody_makes_up_are_bounded_together() -> None:
    box, post = mailbox(all_frames=3), Post()
    for number in range(9):
        box.put_frame(post(b"%d" % number, f"camera-{number}"))
    batch = box.take(PAST)
    assert payloads(batch) == [b"6", b"7", b"8"]
    assert batch.shed == (Shed(None, ShedReason.MAILBOX_FULL, 6),)


def test_of_too_many_frames_the_oldest_of_the_same_camera_is_shed_and_acknowledged() -> None:
    box, post = mailbox(frames=2), Post()
    box.put_frame(post(b"other", "b"))
    for number in range(4):
        box.put_frame(post(b"%d" % number, "a"))
    batch = box.take(PAST)
    assert payloads(batch) == [b"other", b"2", b"3"]
    assert batch.shed == (Shed(None, ShedReason.MAILBOX_FULL, 2),)
    assert post.acknowledged == [b"0", b"1"]


def test_of_too_many_captures_the_oldest_of_the_same_camera_is_shed() -> None:
    box = mailbox(frames=2)
    for camera in ("a", "a", "b", "a"):
        capture = Capture(f"hall/{camera}", b"x", now(), site="hall", camera=camera)
        box.put_frame(Delivery(capture, lambda: None))
    batch = box.take(PAST)
    assert [delivery.message.topic for delivery in batch.deliveries] == [
        "hall/a",
        "hall/b",
        "hall/a",
    ]
    assert all(isinstance(delivery.message, Capture) for delivery in batch.deliveries)
    assert batch.shed == (Shed(None, ShedReason.MAILBOX_FULL, 1),)


def test_frames_together_are_bounded_in_bytes_at_the_expense_of_the_camera_that_sends() -> None:
    box, post = mailbox(frame_bytes=33), Post()  # topics count
    box.put_frame(post(b"b" * 10, "b"))
    for number in range(3):
        box.put_frame(post(b"%d" % number * 10, "a"))
    assert payloads(box.take(PAST)) == [b"b" * 10, b"1" * 10, b"2" * 10]


def test_a_camera_without_other_frames_displaces_the_oldest_of_all() -> None:
    box, post = mailbox(frame_bytes=22), Post()
    for topic in ("a", "b", "c"):
        box.put_frame(post(topic.encode() * 10, topic))
    assert payloads(box.take(PAST)) == [b"b" * 10, b"c" * 10]


def test_a_frame_above_the_bound_goes_alone() -> None:
    box, post = mailbox(frame_bytes=10), Post()
    box.put_frame(post(b"fits"))
    box.put_frame(post(b"too large"))
    assert payloads(box.take(PAST)) == [b"fits"]
    assert post.acknowledged == [b"too large"]


def test_arrivals_never_run_backwards_nor_behind_the_end_of_the_last_batch() -> None:
    box, post = mailbox(), Post()
    early, late = post(b"stamped first, put last"), post(b"stamped last, put first")
    box.put_reading(late, sheddable=False)
    box.put_frame(early)
    first = box.take(PAST)
    box.put_reading(early, sheddable=False)
    second = box.take(PAST)
    arrivals = [delivery.message.arrival for delivery in (*first.deliveries, *second.deliveries)]
    assert arrivals == sorted(arrivals)
    assert second.deliveries[0].message.arrival >= first.until
    assert first.deliveries[0] is late


def test_no_two_arrive_at_one_instant() -> None:
    box = mailbox()
    late = ArrivalTime(now() - 10)
    for _ in range(3):
        box.put_reading(Delivery(Message("t", b"", late), lambda: None), sheddable=False)
    arrivals = [delivery.message.arrival for delivery in box.take(PAST).deliveries]
    assert len(set(arrivals)) == 3
    assert arrivals == sorted(arrivals)


def test_lengths_say_what_is_waiting() -> None:
    box, post = mailbox(), Post()
    box.put_reading(post(b"1"), sheddable=False)
    box.put_frame(post(b"2"))
    box.put(Stop())
    assert box.lengths() == {"readings": 1, "frames": 1, "notices": 1}
    box.take(PAST)
    assert box.lengths() == {"readings": 0, "frames": 0, "notices": 0}


def test_many_writers_lose_nothing() -> None:
    box, post = mailbox(), Post()

    def write() -> None:
        for number in range(500):
            box.put_reading(post(b"%d" % number), sheddable=False)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    taken = 0
    while taken < 2000:
        taken += len(box.take(None).deliveries)
    for writer in writers:
        writer.join()
    assert taken == 2000
