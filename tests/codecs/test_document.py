from __future__ import annotations

import math

import pytest

from edge_fusion.codecs.document import MISSING, load, lookup


def test_paths_go_through_objects_and_lists() -> None:
    document = {"a": {"0": [{"b": 1}, {"b": None}]}, "temperature:0": {"tC": 2}}
    assert lookup(document, "a.0.0.b") == 1
    assert lookup(document, "a.0.1.b") is None
    assert lookup(document, "temperature:0.tC") == 2


@pytest.mark.parametrize(
    "path", ["b", "a.x", "a.2", "a.-1", "a.0.b", "a.\u0660", "a.99999999999999999"]
)
def test_a_path_that_leads_nowhere_is_missing(path: str) -> None:
    assert lookup({"a": [1, 2]}, path) is MISSING


def test_nan_which_json_has_not_is_read_so_that_its_neighbours_live() -> None:
    document = load(b'{"t": NaN, "h": 40, "x": -Infinity}')
    assert math.isnan(document["t"])
    assert document["h"] == 40


@pytest.mark.parametrize(
    "payload",
    [
        *[b"", b"{", b"\xff\xfe", b'{"a":1}x', b'"\\ud800"', b"1e999"],
        *[b"[" * 100_000, b"[" * 100_000 + b"NaN", b"\xffNaN", b"[NaN", b"[NaN," + b"1" * 9999],
    ],
)
def test_what_is_not_json_raises_value_error_and_nothing_else(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(payload)
