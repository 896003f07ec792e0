"""One session with a broker: with client.py, the only file that knows paho.

paho is used without its own thread and without its reconnecting. Both have traps: callbacks that
raise end its thread, its locks can be taken in two orders, and after a loss it resends all that
is un-acknowledged at once, above the receive maximum of the broker.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_fusion.events import ArrivalTime, Delivery, Message, Publication
from edge_fusion.io import denials, tls
from edge_fusion.io.broker import Letter, Plan, Subscription, granted_by
from edge_fusion.io.client import BufferedClient, guarded
from edge_fusion.io.doorbell import Doorbell
from edge_fusion.io.retry import End, ProtocolChoice, Verdict
from edge_fusion.mailbox import Connected, Subscribed

_log = logging.getLogger("edge_fusion.mqtt")

_SESSION_EXPIRY = 3600
_WINDOW = 20
"""Publications un-acknowledged at a time: what mosquitto lets be in flight by default."""
_ASSUMED_PACKET_LIMIT = 2_000_000
"""Bytes, where the broker cannot say (3.1.1): mosquitto's default since 2.1. A larger one makes
a broker hang up, and again at every repetition."""
_PACKET_OVERHEAD = 5 + 2 + 2
"""Bytes of a PUBLISH beside topic, properties and payload: header, topic length, packet id."""


class Session:
    """One TCP connection, from CONNECT to its end. All methods run in the network thread."""

    def __init__(
        self,
        plan: Plan,
        protocol: ProtocolChoice,
        context: ssl.SSLContext | None,
        doorbell: Doorbell,
        settle: Callable[[Letter, str | None], None],
        complain: Callable[[str, str], None],
        begun: int,
    ) -> None:
        self._plan = plan
        self._protocol = protocol
        self._doorbell = doorbell
        self._settle = settle
        self._complain = complain
        self.begun = begun
        """How many sessions the broker has begun with us, this one included."""
        self._client = self._build(context)
        self._packet_limit: int | None = None
        self._window = _WINDOW
        self._handed: dict[int, Letter] = {}
        self._owed: dict[int, int] = {}
        self._received = 0
        self._asked: dict[int, Subscription] = {}
        self._refused_filters: dict[str, str] = {}
        self._opened = plan.stamp()
        self._accepted: ArrivalTime | None = None
        self._verdict = Verdict.UNREACHABLE
        self._reason = ""
        self._alert: str | None = None
        self._hung_up = False
        self.online = False

    def open(self) -> None:
        """Connect, shake hands and send CONNECT; blocks for some seconds at worst.

        Raises:
            OSError: no TCP or no TLS.
            ValueError: a host name that no resolver takes.
        """
        settings = self._plan.settings
        keepalive = settings.ping_after
        if self._protocol is ProtocolChoice.V5:
            self._client.connect_async(
                settings.host,
                settings.port,
                keepalive,
                clean_start=not self._plan.persistent,
                properties=self._wishes(),
            )
        else:
            self._client.connect_async(settings.host, settings.port, keepalive)
        self._client.reconnect()
        self._verdict = Verdict.SILENT
        self._reason = denials.silence(settings)

    def work(self) -> None:
        """Wait for the network or the doorbell, for a while, and do what there is to do."""
        sock = self._client.socket()
        tick = self._plan.settings.tick
        ready = self._doorbell.wait(tick, sock, write=self._client.want_write())
        if ready.read:
            self._client.read()
        if ready.write:
            self._client.loop_write()
        self._client.loop_misc()

    def send(self, letter: Letter) -> None:
        """Hand a publication to the broker, or settle that this can't be."""
        publication = letter.publication
        if (objection := self.objection(publication)) is not None:
            self._settle(letter, objection)
            return
        info = self._client.publish(
            publication.topic,
            publication.payload,
            publication.qos,
            publication.retain,
            self._properties(publication, PacketTypes.PUBLISH),
        )
        if publication.qos == 0 and info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._settle(letter, None)
        else:
            self._handed[info.mid] = letter

    def change_subscriptions(self, plan: Plan) -> None:
        """Go on by a plan that differs in its subscriptions."""
        before, self._plan = self._plan, plan
        if not self.online:
            return
        kept = {subscription.filter for subscription in plan.subscriptions}
        for subscription in before.subscriptions:
            if subscription.filter not in kept:
                self._client.unsubscribe(subscription.filter)
                self._refused_filters.pop(subscription.filter, None)
        for subscription in plan.subscriptions:
            if subscription not in before.subscriptions:
                self._subscribe(subscription)
        self._tell_if_all_is_answered()

    def objection(self, publication: Publication) -> str | None:
        """Why this broker would hang up on the publication, or None. From any thread."""
        if self._packet_limit is None:
            return None
        properties = self._properties(publication, PacketTypes.PUBLISH)
        size = _PACKET_OVERHEAD + len(publication.topic.encode()) + len(publication.payload)
        if properties is not None:
            size += len(properties.pack())  # type: ignore[no-untyped-call]
        if size <= self._packet_limit:
            return None
        return f"{size} bytes, and the broker takes at most {self._packet_limit}"

    def disconnect(self) -> None:
        """Say goodbye: the broker drops the will."""
        self._verdict, self._reason = Verdict.LEFT, "stopped"
        self._client.disconnect()

    def cut(self) -> None:
        """End without a goodbye: the broker publishes the will."""
        self._verdict, self._reason = Verdict.LEFT, "stopped"
        self._hang_up()

    def fail(self, reason: str) -> None:
        """End because of something that the broker does not know of."""
        self._reason = reason
        self._hang_up()

    def close(self) -> list[Letter]:
        """Free the socket; returns what was handed over and not acknowledged, in order."""
        self._hang_up()
        return list(self._handed.values())

    def end(self) -> End:
        """How it ended, once it is over."""
        if self._accepted is not None:
            return End(self._verdict, self._reason, self._plan.stamp() - self._accepted)
        if self._alert is not None:
            return End(Verdict.UNREACHABLE, self._alert)
        return End(self._verdict, self._reason)

    @property
    def is_over(self) -> bool:
        return self._hung_up or self._client.socket() is None

    def is_overdue(self, patience: float) -> bool:
        """Whether the broker has let us wait for more than `patience` seconds for its answer."""
        return self._accepted is None and self._plan.stamp() - self._opened > patience

    @property
    def has_room(self) -> bool:
        return self.online and len(self._handed) < self._window and not self._client.want_write()

    @property
    def is_owed_answers(self) -> bool:
        return bool(self._handed) or self._client.want_write()

    def _hang_up(self) -> None:
        self.online = False
        self._hung_up = True
        if (sock := self._client.socket()) is not None:
            sock.close()

    def _build(self, context: ssl.SSLContext | None) -> BufferedClient:
        is_v5 = self._protocol is ProtocolChoice.V5
        client = BufferedClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._plan.settings.client_id,
            clean_session=None if is_v5 else not self._plan.persistent,
            protocol=MQTTv5 if is_v5 else MQTTv311,
            reconnect_on_failure=False,  # else paho itself goes down to 3.1
            manual_ack=True,
        )
        if self._plan.settings.username is not None:
            client.username_pw_set(self._plan.settings.username, self._plan.settings.password)
        if context is not None:
            client.tls_set_context(context)
        if (will := self._plan.will) is not None:
            properties = self._properties(will, PacketTypes.WILLMESSAGE)
            client.will_set(will.topic, will.payload, will.qos, will.retain, properties)
        client.on_connect = guarded(self._on_connect)
        client.on_disconnect = guarded(self._on_disconnect)
        client.on_subscribe = guarded(self._on_subscribe)
        client.on_message = guarded(self._on_message)
        client.on_publish = guarded(self._on_publish)
        client.on_socket_close = guarded(self._on_socket_close)
        return client

    def _wishes(self) -> Properties:
        wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wishes.SessionExpiryInterval = _SESSION_EXPIRY if self._plan.persistent else 0
        wishes.ReceiveMaximum = self._plan.receive_maximum
        wishes.MaximumPacketSize = self._plan.max_packet_bytes
        return wishes

    def _properties(self, publication: Publication, packet: int) -> Properties | None:
        if self._protocol is not ProtocolChoice.V5:
            return None
        properties = Properties(packet)  # type: ignore[no-untyped-call]
        properties.ContentType = publication.content_type
        if publication.expiry is not None:
            properties.MessageExpiryInterval = publication.expiry
        if publication.properties:
            properties.UserProperty = list(publication.properties.items())
        return properties

    def _on_connect(
        self,
        _client: Client,
        _: Any,
        flags: ConnectFlags,
        code: ReasonCode,
        said: Properties | None,
    ) -> None:
        if code.is_failure:
            self._verdict, self._reason = denials.connection_refused(
                code.value, str(code), self._plan.settings, self._protocol
            )
            return
        self._verdict, self._reason = Verdict.LOST, "connection lost"
        self._accepted = self._plan.stamp()
        self._packet_limit = getattr(said, "MaximumPacketSize", None)
        if self._protocol is not ProtocolChoice.V5:
            self._packet_limit = _ASSUMED_PACKET_LIMIT
        self._window = min(_WINDOW, getattr(said, "ReceiveMaximum", _WINDOW))
        self.online = True
        self.begun += not flags.session_present
        name, is_v5 = self._plan.name, self._protocol is ProtocolChoice.V5
        granted = granted_by(said) if is_v5 else None
        self._plan.notify(Connected(name, flags.session_present, self._protocol.value, granted))
        for subscription in self._plan.subscriptions:
            self._subscribe(subscription)
        self._tell_if_all_is_answered()
        if self._plan.birth is not None:
            self.send(Letter(self._plan.birth))

    def _subscribe(self, subscription: Subscription) -> None:
        """One filter per packet: brokers limit how many, and each gets an answer of its own."""
        if self._protocol is ProtocolChoice.V5:
            options = SubscribeOptions(
                subscription.qos, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
            )
            _, mid = self._client.subscribe(subscription.filter, options=options)
        else:
            _, mid = self._client.subscribe(subscription.filter, subscription.qos)
        if mid is not None:
            self._asked[mid] = subscription

    def _on_subscribe(
        self, _client: Client, _: Any, mid: int, codes: list[ReasonCode], _said: Properties
    ) -> None:
        asked = self._asked.pop(mid, None)
        if asked is None:
            return
        self._refused_filters.pop(asked.filter, None)
        if (code := next((code for code in codes if code.is_failure), None)) is not None:
            why = denials.topic_refused(code.value, str(code), self._plan.settings, "read")
            self._refused_filters[asked.filter] = why
            text = f"no subscription to {asked.filter!r}: {why}"
            self._complain(f"subscribe {asked.filter}", text)
        self._tell_if_all_is_answered()

    def _tell_if_all_is_answered(self) -> None:
        if not self._asked:
            self._plan.notify(Subscribed(self._plan.name, dict(self._refused_filters)))

    def _on_disconnect(
        self,
        _client: Client,
        _: Any,
        flags: DisconnectFlags,
        code: ReasonCode,
        _said: Properties | None,
    ) -> None:
        self.online = False
        if self._verdict is not Verdict.LOST:
            return
        if flags.is_disconnect_packet_from_server:
            self._reason = f"the broker ended the connection: {code}"
        elif str(code) == "Keep alive timeout":
            self._reason = "connection lost: the broker did not answer a ping"

    def _on_socket_close(self, _client: Client, _: Any, sock: Any) -> None:
        self._alert = tls.last_word(getattr(sock, "inner", sock))

    def _on_message(self, _client: Client, _: Any, message: MQTTMessage) -> None:
        arrival = self._plan.stamp()
        properties = dict(getattr(message.properties, "UserProperty", ()))
        content = Message(
            _topic_of(message),
            bytes(message.payload),
            arrival,
            message.retain,
            properties,
            message.qos,
        )
        ack = self._acknowledgement(message)
        delivery = Delivery(content, ack, self._plan.name, self.begun, message.mid, message.dup)
        self._plan.deliver(delivery, message.qos)

    def _acknowledgement(self, message: MQTTMessage) -> Callable[[], None]:
        if message.qos == 0:
            return _nothing
        self._received += 1
        self._owed[message.mid] = self._received
        acknowledge = partial(self._acknowledge, message.mid, message.qos, self._received)
        return partial(self._doorbell.leave, acknowledge)

    def _acknowledge(self, mid: int, qos: int, received: int) -> None:
        """The packet id alone would not do: brokers use it again once it is acknowledged."""
        if self.online and self._owed.get(mid) == received:
            del self._owed[mid]
            self._client.ack(mid, qos)

    def _on_publish(
        self, _client: Client, _: Any, mid: int, code: ReasonCode, _said: Properties | None
    ) -> None:
        letter = self._handed.pop(mid, None)
        if letter is None:
            return
        refusal = None
        if code.is_failure:
            refusal = denials.topic_refused(code.value, str(code), self._plan.settings, "write")
        self._settle(letter, refusal)


def _nothing() -> None:
    """Acknowledge a message of QoS 0."""


def _topic_of(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError as error:  # the codecs will say that this is no topic of ours
        return error.object.decode(errors="replace")
