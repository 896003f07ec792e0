"""What a broker refuses, in words for someone who has to mend it. Codes are those of MQTT 5."""

from __future__ import annotations

from edge_fusion.io.broker import BrokerSettings
from edge_fusion.io.retry import ProtocolChoice, Verdict

# Of a CONNACK; paho translates those of 3.1.1.
_UNSUPPORTED_VERSION = 0x84
_DENIALS = frozenset({0x85, 0x86, 0x87, 0x8A, 0x8C})
# Of a SUBACK or PUBACK; 3.1.1 has no other failure than 0x80.
_FORBIDDEN = frozenset({0x80, 0x87})


def connection_refused(
    code: int, said: str, settings: BrokerSettings, protocol: ProtocolChoice
) -> tuple[Verdict, str]:
    """What a CONNACK with the failure `code`, which is called `said`, means."""
    if code == _UNSUPPORTED_VERSION:
        return Verdict.UNSUPPORTED, f"the broker does not speak MQTT {protocol.value}"
    if code in _DENIALS:
        return Verdict.DENIED, (
            f"the broker does not let in {_user(settings)}, or not by this password ({said}): "
            "mqtt.username and password_file must be as the broker knows them"
        )
    return Verdict.REFUSED, f"the broker refuses us: {said}"


def topic_refused(code: int, said: str, settings: BrokerSettings, verb: str) -> str:
    """Why we may not read or write (`verb`) a topic, for the failure `code` called `said`."""
    if code not in _FORBIDDEN:
        return said
    return f"{said}; does the ACL of the broker let {_user(settings)} {verb} it?"


def silence(settings: BrokerSettings) -> str:
    """Why a broker may close a connection instead of answering our CONNECT."""
    reason = "the broker closed the connection before it answered"
    if settings.tls is None:
        return f"{reason}; does this port want TLS (mqtt.tls)?"
    if settings.tls.cert is None:
        return f"{reason}; does it want a certificate of this box (mqtt.tls.cert)?"
    return reason


def _user(settings: BrokerSettings) -> str:
    who = settings.username
    return "a client without user name" if who is None else f"user {who!r}"
