from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.events import Publication
from edge_fusion.outbox import Outbox


def publication(number: int) -> Publication:
    return Publication("topic", str(number).encode())


def filled(count: int, limit: int = 100) -> Outbox:
    outbox = Outbox(limit)
    for number in range(count):
        outbox.add(publication(number))
    return outbox


def payloads(given_out: list[tuple[int, Publication]]) -> list[int]:
    return [int(publication.payload) for _, publication in given_out]


def test_publications_come_out_once_and_in_order() -> None:
    outbox = filled(5)
    assert payloads(outbox.next(2)) == [0, 1]
    assert payloads(outbox.next(10)) == [2, 3, 4]
    assert outbox.next(10) == []


def test_what_is_acknowledged_is_given_back_and_gone() -> None:
    outbox = filled(2)
    (token, first), _ = outbox.next(2)
    assert outbox.acknowledged(token) == first
    assert outbox.acknowledged(token) is None
    assert len(outbox) == 1


def test_what_is_refused_is_gone() -> None:
    outbox = filled(1)
    ((token, first),) = outbox.next(1)
    assert outbox.refused(token) == first
    assert len(outbox) == 0


def test_a_full_outbox_turns_the_newest_away_and_counts_it() -> None:
    outbox = filled(3, limit=2)
    assert outbox.turned_away == 1
    assert payloads(outbox.next(10)) == [0, 1]


def test_room_comes_with_an_acknowledgement_and_not_with_handing_over() -> None:
    outbox = filled(1, limit=1)
    ((token, _),) = outbox.next(1)
    assert not outbox.add(publication(1))
    outbox.acknowledged(token)
    assert outbox.add(publication(2))


def test_what_was_in_flight_waits_again_before_what_came_later() -> None:
    outbox = filled(4)
    tokens = [token for token, _ in outbox.next(3)]
    outbox.acknowledged(tokens[1])
    outbox.forget_in_flight()
    assert payloads(outbox.next(10)) == [0, 2, 3]


def test_an_acknowledgement_that_comes_after_the_forgetting_still_counts() -> None:
    outbox = filled(3)
    tokens = [token for token, _ in outbox.next(2)]
    outbox.forget_in_flight()
    outbox.acknowledged(tokens[1])
    assert payloads(outbox.next(10)) == [0, 2]


@given(st.lists(st.sampled_from(["add", "next", "ack", "refuse", "forget"]), max_size=60))
def test_order_is_kept_and_nothing_is_lost_whatever_happens(steps: list[str]) -> None:
    outbox, added, settled, flying = Outbox(10), 0, 0, dict[int, int]()
    for step in steps:
        if step == "add":
            added += outbox.add(publication(added))
        elif step == "next":
            for token, out in outbox.next(2):
                assert all(int(out.payload) > before for before in flying.values())
                flying[token] = int(out.payload)
        elif step == "forget":
            outbox.forget_in_flight()
            flying.clear()
        elif flying:
            token = next(iter(flying))
            del flying[token]
            gone = outbox.acknowledged(token) if step == "ack" else outbox.refused(token)
            settled += gone is not None
    assert len(outbox) == added - settled
