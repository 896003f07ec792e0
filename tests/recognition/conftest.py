"""What the daemon would make of a text that is pasted into its configuration."""

from __future__ import annotations

import pytest
from traffic import Loaded

from edge_fusion.assembly import _camera, _sensor
from edge_fusion.codecs.decoder import CameraSource, SensorSource
from edge_fusion.config import load


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The sources of the text, below the section of a broker."""
    path = tmp_path_factory.mktemp("sections") / "edge-fusion.toml"

    def loaded(text: str) -> list[SensorSource | CameraSource]:
        path.write_text(f'[mqtt]\nhost = "broker"\n\n{text}', "utf-8")
        settings = load(path, {})
        return [*map(_sensor, settings.sensors), *map(_camera, settings.cameras)]

    return loaded
