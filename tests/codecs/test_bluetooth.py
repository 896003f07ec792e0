from __future__ import annotations

import pytest

from edge_fusion.codecs.bluetooth import address_name, topic_address


@pytest.mark.parametrize("text", ["A4:C1:38:0A:0B:0C", "a4-c1-38-0a-0b-0c", "A4C1380A0B0C"])
def test_an_address_is_one_name_however_it_is_spelt(text: str) -> None:
    assert address_name(text) == "A4C1380A0B0C"


@pytest.mark.parametrize("text", ["", "A4:C1:38:0A:0B", "G4C1380A0B0C", "A4C1380A0B0C00", 7, None])
def test_what_is_no_address_is_no_name(text: object) -> None:
    assert address_name(text) is None


def test_gateways_put_the_address_into_the_last_level() -> None:
    assert topic_address("ruuvi/AA:CC:EE:00:11:22/E3:75:CF:37:4E:23") == "E375CF374E23"
    assert topic_address("A4C1380A0B0C") == "A4C1380A0B0C"
    assert topic_address("home/gw/BTtoMQTT/undecoded") is None
