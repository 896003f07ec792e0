from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from exif_data import in_jpeg, tiff

from edge_fusion.assembly import decoder
from edge_fusion.codecs.jpeg import encode_jpeg
from edge_fusion.config import load
from edge_fusion.events import ArrivalTime, Frame, Message, TimeSource

JPEG = encode_jpeg(np.zeros((8, 8, 3), np.uint8))
DATED = in_jpeg(tiff("<", 1, "2026:11:23 11:00:00"), JPEG)


@pytest.mark.parametrize(("told", "source"), [("true", "DEVICE"), ("false", "ARRIVAL")])
def test_pictures_are_dated_by_their_exif_if_the_configuration_says_so(
    tmp_path: Path, told: str, source: str
) -> None:
    path = tmp_path / "edge-fusion.toml"
    path.write_text(f"""
        [[cameras]]
        topic = "cameras/{{site}}/{{camera}}"
        exif_time = {told}
        timezone = "Europe/Berlin"
    """)
    message = Message("cameras/hall/door", DATED, ArrivalTime(1795428007.0))
    [frame] = decoder(load(path, {})).decode(message)
    assert isinstance(frame, Frame)
    assert frame.time_source is TimeSource[source]
    assert frame.time == (1795428000.0 if told == "true" else 1795428007.0)
