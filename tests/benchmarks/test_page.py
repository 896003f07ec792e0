"""What the live page costs the pipeline thread, beside what counting for /metrics costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from observed import Place, at, fired, frame, reading, scores

from edge_fusion.events import Outcome
from edge_fusion.io.metrics import Metrics
from edge_fusion.page.board import Board
from edge_fusion.page.document import About, Script, Viewing
from edge_fusion.page.views import BoxView

SITES = 200
SECONDS = 30
ABOUT = About("edge-7", "indoor-hazard", "1.0", 45.0, 900.0, {"smoke": 0.7})
PLACES = [Place(f"site-{n}", devices=("a", "b"), cameras=("ceiling",)) for n in range(SITES)]
LABELS = dict.fromkeys(("fire", "smoke", "steam", "camera_blocked"), 0.1)
POLL = 0.2


def happenings(second: float) -> list[Outcome]:
    """What comes in a second: of each site two sensors of two quantities each, and a frame."""
    readings = [
        reading(20.0 + second % 3, second, site=place.site, device=device, quantity=quantity)
        for place in PLACES
        for device in place.devices
        for quantity in ("temperature", "humidity")
    ]
    frames = [frame(bytes(30_000), second, site=place.site, camera="ceiling") for place in PLACES]
    return [*readings, *frames]


@contextmanager
def watched(board: Board, watchers: int) -> Iterator[list[int]]:
    """Threads that look at the board as those of the web server do; gives the bytes they sent."""
    stop, sent, script = threading.Event(), [0], Script()

    def watch() -> None:
        viewing = Viewing(script)
        while not stop.wait(POLL):
            sent[0] += len(viewing.next(board.snapshot, ABOUT, board.snapshot.now))

    threads = [threading.Thread(target=watch) for _ in range(watchers)]
    for thread in threads:
        thread.start()
    yield sent
    stop.set()
    for thread in threads:
        thread.join()


def tell(observer: Metrics | Board, outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        observer.observe(outcome)


def spent(work: Callable[[], object]) -> float:
    """Seconds of this thread's own time: what others do meanwhile does not count."""
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def cost(watchers: int) -> tuple[float, float, float, int]:
    """Seconds a second for metrics, for telling the board, for a snapshot; and bytes sent."""
    board, metrics = Board(900.0), Metrics("1")
    counting, telling, showing = [], [], []
    with watched(board, watchers) as sent:
        for second in range(SECONDS):
            outcomes = happenings(second)
            counting.append(spent(lambda: tell(metrics, outcomes)))  # noqa: B023
            telling.append(spent(lambda: tell(board, outcomes)))  # noqa: B023
            for place in PLACES[second % 10 :: 10]:
                board.scored(scores(("ceiling", LABELS), end=second, site=place.site))
            board.alert_changed(fired(site=PLACES[second].site))
            now = at(second)
            showing.append(spent(lambda: board.show(PLACES, now, BoxView())))  # noqa: B023
            time.sleep(POLL)
    return median(counting), median(telling), median(showing), sent[0]


def test_telling_the_page_costs_less_than_the_metrics_and_no_more_when_some_look() -> None:
    costs = []
    for watchers in (0, 3):
        counting, telling, showing, sent = cost(watchers)
        events = len(happenings(0))
        print(
            f"\n{SITES} sites, {events} events/s, {watchers} watchers: "
            f"metrics {1000 * counting:.2f} ms, telling the board {1000 * telling:.2f} ms "
            f"({1e6 * telling / events:.2f} us an event), a snapshot {1000 * showing:.2f} ms, "
            f"sent {sent / SECONDS / 1000:.0f} kB a second"
        )
        assert telling < counting
        costs.append(telling + showing)
    assert costs[1] < 2 * costs[0]
