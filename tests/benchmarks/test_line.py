"""What the stages cost, each as a ratio to a floor measured in the same run. Run by `make bench`.

Nothing is asserted about time: machines differ, ratios are for reading.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from benchmarks.measure import seconds, show

from edge_fusion.codecs.jpeg import decode_rgb
from edge_fusion.io.onnx import load_model
from edge_fusion.model.inputs import zeros


@pytest.mark.parametrize("size", [(480, 640), (720, 1280)])
def test_decoding_a_frame_against_decoding_it_whole(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8)
    _, data = cv2.imencode(".jpg", cv2.GaussianBlur(noise, (0, 0), 3))
    jpeg = data.tobytes()

    def whole() -> None:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        cv2.resize(picture, (160, 160), interpolation=cv2.INTER_AREA)

    ours, floor = seconds(lambda: decode_rgb(jpeg, (160, 160))), seconds(whole)
    name = f"decode {size[1]}x{size[0]} to 160x160"
    show(name, "imdecode and INTER_AREA", ours / floor, f"{ours * 1e3:.1f} ms")


def test_the_shipped_model() -> None:
    path = Path(__file__).parents[2] / "models" / "indoor-hazard" / "model.onnx"
    model = load_model(path, threads=1)
    one, eight = zeros(model.spec, 1), zeros(model.spec, 8)
    alone, together = seconds(lambda: model.infer(one)), seconds(lambda: model.infer(eight)) / 8
    show("a row of eight, one thread", "a row alone", together / alone, f"{together * 1e3:.2f} ms")
