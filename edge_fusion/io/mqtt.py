"""MQTT connections, made and made again.

A `Connection` owns one network thread and lasts as long as the program; a `Session` is one TCP
connection, from CONNECT to its end, and lives in that thread alone. Whatever other threads want
(publish, acknowledge, stop) they leave at a doorbell, so that order is kept, nothing races, and
no lock of the MQTT library can stall a caller.

What a session could not get acknowledged is handed to the next one here, in order and a window
at a time.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from edge_fusion.complaints import Complaints
from edge_fusion.errors import ConfigError
from edge_fusion.events import ArrivalTime, Delivery, Publication
from edge_fusion.io import tls
from edge_fusion.io.broker import BrokerSettings, Letter, Plan, Subscription, fault_of_topic
from edge_fusion.io.client import guarded
from edge_fusion.io.doorbell import Doorbell
from edge_fusion.io.retry import Backoff, End, ProtocolChoice, Retry, Verdict
from edge_fusion.io.session import Session
from edge_fusion.io.tls import TlsFiles
from edge_fusion.mailbox import Acknowledged, Disconnected, Notice, Refused

__all__ = ["Backoff", "BrokerSettings", "Connection", "ProtocolChoice", "Subscription", "TlsFiles"]

_log = logging.getLogger("edge_fusion.mqtt")

_TICK = 1.0
_DEFAULT_BACKOFF = Backoff()


class Connection:
    """A connection to a broker that is made, and made again, until `stop`.

    Args:
        name: which connection this is, for notices and logs.
        settings: the broker.
        subscriptions: asked for at every connect.
        deliver: called in the network thread with each message and its QoS; must not block. A
            message of QoS 1 is acknowledged by `Delivery.ack`, from any thread; until then the
            broker counts it against `receive_maximum`, and sends it again to a later session.
        notify: called with what happens to the connection and to publications.
        stamp: the arrival clock; times messages and retries.
        will: what the broker publishes if we vanish.
        birth: published at every connect.
        persistent: have the broker keep our session, for an hour (for ever under 3.1.1).
        receive_maximum: un-acknowledged messages that the broker may send (MQTT 5).
        max_packet_bytes: the broker is not to send larger packets (MQTT 5).
        backoff: seconds between attempts.

    Raises:
        ConfigError: `persistent` without a client id.
    """

    def __init__(
        self,
        name: str,
        settings: BrokerSettings,
        *,
        subscriptions: Sequence[Subscription] = (),
        deliver: Callable[[Delivery, int], None],
        notify: Callable[[Notice], None],
        stamp: Callable[[], ArrivalTime],
        will: Publication | None = None,
        birth: Publication | None = None,
        persistent: bool = False,
        receive_maximum: int = 100,
        max_packet_bytes: int = 2_000_000,
        backoff: Backoff = _DEFAULT_BACKOFF,
    ) -> None:
        if persistent and not settings.client_id:
            raise ConfigError(["mqtt.client_id: a session that is kept needs one"])
        self._plan = Plan(
            name,
            settings,
            tuple(subscriptions),
            guarded(deliver),
            guarded(notify),
            stamp,
            will,
            birth,
            persistent,
            receive_maximum,
            max_packet_bytes,
        )
        self._retry = Retry(settings.protocol, backoff)
        self._doorbell = Doorbell()
        self._thread: threading.Thread | None = None
        self._session: Session | None = None
        self._begun = 0
        self._waiting: deque[Letter] = deque()
        self._leave_by: ArrivalTime | None = None
        self._complaints = Complaints()

    def start(self) -> None:
        """Begin to connect, in the background; a missing broker is no error.

        Raises:
            ConfigError: the TLS files cannot be used.
        """
        files = self._plan.settings.tls
        context = tls.client_context(files) if files is not None else None
        self._doorbell.open()
        self._thread = threading.Thread(
            target=self._run, args=(context,), name=f"mqtt-{self._plan.name}", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float, farewell: Publication | None = None) -> None:
        """Publish what is left and `farewell`, then disconnect; the broker drops the will.

        If that takes longer than `timeout` seconds the connection is cut without a word, and
        the will speaks instead. What has not been acknowledged is lost to this object.
        """
        self._doorbell.leave(partial(self._begin_to_leave, timeout, farewell))
        if self._thread is not None:
            self._thread.join(timeout + _TICK)
            if self._thread.is_alive():
                _log.warning("mqtt %s: did not end within %.1f s", self._plan.name, timeout)

    def publish(self, token: int, publication: Publication) -> bool:
        """Take charge of a publication: sent when connected, again after a loss, in order.

        Later comes `Acknowledged(token)` (QoS 0: when it is sent) or `Refused(token)`. What the
        broker would not take, a bad topic or too large a packet, is refused at once: False.
        """
        session = self._session
        objection = fault_of_topic(publication.topic)
        if objection is None and session is not None:
            objection = session.objection(publication)
        if objection is not None:
            self._doorbell.leave(partial(self._complain_of_refusal, publication.topic, objection))
            self._plan.notify(Refused(token, objection))
            return False
        self._doorbell.leave(partial(self._waiting.append, Letter(publication, token)))
        return True

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Have these subscriptions from now on; what both have had goes on without a gap."""
        self._doorbell.leave(partial(self._change_subscriptions, tuple(subscriptions)))

    @property
    def is_connected(self) -> bool:
        """Whether the broker has accepted us and the connection has not been lost since."""
        session = self._session
        return session is not None and session.online

    @property
    def alive(self) -> bool:
        """Whether the network thread lives, connected or not."""
        return self._thread is not None and self._thread.is_alive()

    def _change_subscriptions(self, wanted: tuple[Subscription, ...]) -> None:
        self._plan = replace(self._plan, subscriptions=wanted)
        if self._session is not None:
            self._session.change_subscriptions(self._plan)

    @property
    def _where(self) -> str:
        return f"{self._plan.settings.host}:{self._plan.settings.port}"

    def _begin_to_leave(self, timeout: float, farewell: Publication | None) -> None:
        self._leave_by = ArrivalTime(self._plan.stamp() + timeout)
        if farewell is not None:
            self._waiting.append(Letter(farewell))

    def _run(self, context: ssl.SSLContext | None) -> None:
        try:
            while self._leave_by is None:
                end = self._attempt(context)
                delay = self._retry.after(end)
                self._plan.notify(Disconnected(self._plan.name, end.reason))
                if end.verdict is not Verdict.LEFT:
                    self._complain(
                        end.reason, f"{self._where}: {end.reason}; next try in {delay:.1f} s"
                    )
                    self._rest(delay)
        finally:
            self._doorbell.close()

    def _attempt(self, context: ssl.SSLContext | None) -> End:
        session = Session(
            self._plan,
            self._retry.protocol,
            context,
            self._doorbell,
            settle=self._settle,
            complain=self._complain,
            begun=self._begun,
        )
        self._session = session
        try:
            session.open()
            while not session.is_over:
                self._turn(session)
        except (OSError, ValueError) as error:  # ValueError: an impossible host name
            session.fail(tls.in_words(error))
        except Exception as error:  # noqa: BLE001 - a broker's nonsense must not end the thread
            _log.exception("mqtt %s: unexpected", self._plan.name)
            session.fail(f"unexpected: {error!r}")
        finally:
            self._session = None
            self._begun = session.begun
            self._waiting.extendleft(reversed(session.close()))
        return session.end()

    def _turn(self, session: Session) -> None:
        session.work()
        self._doorbell.answer()
        while self._waiting and session.has_room:
            session.send(self._waiting.popleft())
        if self._leave_by is not None:
            self._leave(session, self._leave_by)
        elif session.is_overdue(self._retry.patience):
            session.fail("the broker accepts connections but does not answer")

    def _leave(self, session: Session, by: ArrivalTime) -> None:
        if session.online and not self._waiting and not session.is_owed_answers:
            session.disconnect()
        elif not session.online or self._plan.stamp() >= by:
            session.cut()

    def _rest(self, seconds: float) -> None:
        until = self._plan.stamp() + seconds
        while self._leave_by is None and (left := until - self._plan.stamp()) > 0:
            self._doorbell.wait(min(left, _TICK))
            self._doorbell.answer()

    def _settle(self, letter: Letter, refusal: str | None) -> None:
        """The broker has the letter, or `refusal` says why it never will."""
        if refusal is not None:
            self._complain_of_refusal(letter.publication.topic, refusal)
        if letter.token is not None:
            token = letter.token
            self._plan.notify(Acknowledged(token) if refusal is None else Refused(token, refusal))

    def _complain_of_refusal(self, topic: str, refusal: str) -> None:
        """A broker's rule covers a subtree: one complaint stands for all topics in it."""
        subtree = topic.partition("/")[0]
        self._complain(f"publish {subtree}", f"not published on {topic[:128]!r}: {refusal}")

    def _complain(self, about: str, text: str) -> None:
        """Say it once, then once a minute while it goes on. In the network thread only."""
        count = self._complaints.due(about, self._plan.stamp())
        if count is not None:
            more = f" ({count} since the last such line)" if count > 1 else ""
            _log.warning("mqtt %s: %s%s", self._plan.name, text, more)
