"""Who may see a page."""

from __future__ import annotations

from base64 import b64encode
from http import HTTPStatus

import pytest

from edge_fusion.io.gate import Gate

TOKEN = "correct-horse-battery-staple"
OPEN = Gate(None, "127.0.0.1")
GUARDED = Gate(TOKEN, "192.0.2.7")


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8337",
        "LOCALHOST:1",
        "localhost.",
        "127.0.0.1:9000",
        "[::1]:8337",
        None,
    ],
)
def test_without_a_token_this_machine_may_look_by_its_own_names(host: str | None) -> None:
    assert OPEN.objection("/metrics", host, None) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8337", "localhost.evil.example", "", "[::2]", "192.0.2.7"],
)
def test_a_name_that_was_made_to_resolve_to_this_machine_is_none_of_them(host: str) -> None:
    assert OPEN.objection("/metrics", host, None) is HTTPStatus.MISDIRECTED_REQUEST


def test_the_address_that_is_listened_on_is_one_of_them() -> None:
    assert Gate(None, "127.0.0.2").objection("/", "127.0.0.2:8337", None) is None


@pytest.mark.parametrize(
    "shown", [f"Bearer {TOKEN}", f"bearer  {TOKEN} ", basic("", TOKEN), basic("anna", TOKEN)]
)
def test_the_token_opens_whatever_the_host_is_called(shown: str) -> None:
    assert GUARDED.objection("/metrics", "box.example:8337", shown) is None


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Digest {TOKEN}",
        TOKEN,
        basic(TOKEN, ""),
        basic("anna", "wrong"),
        "Basic !!!",
        "Basic /w==",
        "Bearer \u00fc\udc80",
    ],
)
def test_nothing_else_does(shown: str | None) -> None:
    assert GUARDED.objection("/metrics", "localhost", shown) is HTTPStatus.UNAUTHORIZED
    assert GUARDED.objection("/nowhere", "localhost", shown) is HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("gate", [OPEN, GUARDED])
def test_whether_it_lives_is_told_to_anybody(gate: Gate) -> None:
    assert gate.objection("/healthz", "evil.example", None) is None


def test_the_token_is_in_no_representation() -> None:
    assert TOKEN not in repr(GUARDED)
