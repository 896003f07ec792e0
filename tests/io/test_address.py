from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_fusion.codecs.topics import valid_name
from edge_fusion.io.address import Medium, parse_address

ADDRESSES = [
    ("rtsp://10.0.0.7/stream1", Medium.RTSP, "rtsp://10.0.0.7", "10.0.0.7"),
    ("rtsp://me:secret@10.0.0.7:8554/s", Medium.RTSP, "rtsp://10.0.0.7:8554", "10.0.0.7"),
    ("rtsp://me:se@cret@cam/s", Medium.RTSP, "rtsp://cam", "cam"),
    ("RTSPS://[fe80::1]:322/s", Medium.RTSP, "rtsps://[fe80::1]:322", "fe80__1"),
    ("http://cam.lan/snap.jpg?pwd=secret", Medium.HTTP, "http://cam.lan", "cam.lan"),
    ("rtsp://10.0.0.9:554/user=admin_password=secret_channel=1.sdp", Medium.RTSP,
     "rtsp://10.0.0.9:554", "10.0.0.9"),
    ("https://cam/video", Medium.HTTP, "https://cam", "cam"),
    ("/dev/video0", Medium.DEVICE, "/dev/video0", "video0"),
    ("/dev/v4l/by-id/usb-046d_C270", Medium.DEVICE, "/dev/v4l/by-id/usb-046d_C270",
     "usb-046d_C270"),
    ("clips/a b.mp4", Medium.FILE, "/etc/edge/clips/a b.mp4", "a_b.mp4"),
    ("/srv/clip.mp4", Medium.FILE, "/srv/clip.mp4", "clip.mp4"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "medium", "shown", "name"), ADDRESSES)
def test_an_address_is_shown_and_named_without_its_secrets(
    text: str, medium: Medium, shown: str, name: str
) -> None:
    address = parse_address(text, Path("/etc/edge"))
    assert (address.medium, str(address), address.name) == (medium, shown, name)
    assert "secret" not in f"{address!r} {address} {address.name}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\0b",
        "ftp://cam/x",
        "rtsp://",
        "rtsp:///stream1",
        "rtsp://cam:99999/x",
        "rtsp://cam:0/x",
        "rtsp://[::1/x",
        "rtsp://me:se/cret@cam/x",
        "rtsp://me:1#secret@cam/x",
        "rtsp://cam/a b",
    ],
)
def test_what_is_no_address_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        parse_address(text)
    assert "cret" not in str(caught.value)


@given(text=st.text(max_size=80) | st.text(max_size=60).map("rtsp://".__add__))
def test_whatever_stands_there_it_is_an_address_or_a_value_error(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert valid_name(address.name)
    assert str(address)
