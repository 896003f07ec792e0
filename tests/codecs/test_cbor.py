from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.cbor import is_cbor, load_cbor

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_a_document_of_json_comes_out_as_it_went_in(document: object) -> None:
    assert load_cbor(cbor2.dumps(document)) == document


def test_what_json_has_not_is_made_into_what_it_has() -> None:
    document = {
        1: b"abc",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "n": Decimal(1),
        "x": float("nan"),
    }
    assert load_cbor(cbor2.dumps(document)) == {"1": "YWJj", "at": None, "n": None, "x": None}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xa1",
        b"\x9b" + b"\xff" * 8,  # a list of 2**64 - 1 items
        b"\x81" * 100 + b"\x00",
        cbor2.dumps({b"a": 1}),
        cbor2.dumps([2**70]),
        bytes.fromhex("d81c81d81d00"),  # a list that holds itself
        bytes.fromhex("c249") + b"\xff" * 9,
    ],
)
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_cbor(payload)


@given(st.binary())
def test_any_bytes_are_a_document_or_refused(payload: bytes) -> None:
    with suppress(ValueError):
        load_cbor(payload)


def test_a_map_is_told_from_json_by_its_first_byte() -> None:
    assert is_cbor(cbor2.dumps({"a": 1}))
    assert not is_cbor(b'{"a": 1}')
    assert not is_cbor(b"")
