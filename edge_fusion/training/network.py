"""The network: pictures and the sensor grid in, one calibrated probability per label out.

    image [N,F,H,W,3] ── Eye ──► 10 x 10 picture tokens ──┐
                                                          ├─ Fusion: one query per label ─► scores
    sensors [N,T,C] ──── Nose ─► one sensor token ────────┘

Whatever is missing is masked, never guessed: a frame that is absent is replaced by the other one,
picture tokens of a row without frames get no attention, and a cell of the grid with mask 0
contributes nothing but its mask. All normalisation is in here, so that the exported graph takes
bytes and canonical units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from edge_fusion.events import HUMIDITY, TEMPERATURE

_SCALES = {TEMPERATURE: (22.0, 8.0), HUMIDITY: (45.0, 20.0)}
"""Mean and spread by which a quantity is normalised, in canonical units."""
_FAR = -30.0
"""Added to the attention logits of what must not be looked at; e^-30 is nothing in float32."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The widths of the network; the defaults make the shipped model."""

    channels: tuple[int, ...] = (16, 32, 64, 96, 112)
    sensor_hidden: int = 48
    dim: int = 64
    heads: int = 4
    hidden: int = 64


class Separable(nn.Module):  # type: ignore[misc]  # torch is Any to mypy
    """Depthwise 3 x 3 then pointwise convolution, normalised; with a shortcut where it fits."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.shortcut = inner == outer and stride == 1
        self.body = nn.Sequential(
            nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.Conv2d(inner, outer, 1, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(),
        )

    def forward(self, x: Any) -> Any:
        return x + self.body(x) if self.shortcut else self.body(x)


class Eye(nn.Module):  # type: ignore[misc]
    """Two frames and how they differ -> picture tokens [N, (H/16)(W/16), dim]."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        first, *rest = sizes.channels
        self.stem = nn.Sequential(
            nn.Conv2d(9, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU()
        )
        blocks: list[Separable] = []
        for place, (inner, outer) in enumerate(zip(sizes.channels, rest, strict=False)):
            blocks.append(Separable(inner, outer, 2 if place < 3 else 1))
            blocks.append(Separable(outer, outer, 1))
        self.blocks = nn.Sequential(*blocks)
        self.project = nn.Conv2d(sizes.channels[-1], sizes.dim, 1)

    def forward(self, image: Any, mask: Any) -> Any:
        """`image` uint8 [N, F, H, W, 3], `mask` float32 [N, F]."""
        pixels = image.permute(0, 1, 4, 2, 3).float() / 127.5 - 1.0
        earlier, later = pixels[:, 0], pixels[:, -1]
        has_earlier = mask[:, 0].reshape(-1, 1, 1, 1)
        has_later = mask[:, -1].reshape(-1, 1, 1, 1)
        # A missing frame is replaced by the other one: no frame, or one alone, shows no motion.
        first = earlier * has_earlier + later * has_later * (1 - has_earlier)
        last = later * has_later + earlier * has_earlier * (1 - has_later)
        motion = (last - first).abs() * 4.0
        features = self.blocks(self.stem(torch.cat([first, last, motion], dim=1)))
        return self.project(features).flatten(2).transpose(1, 2)


class Nose(nn.Module):  # type: ignore[misc]
    """The sensor grid -> one token [N, dim]: levels, steps from cell to cell, and freshness."""

    centre: Any
    spread: Any

    def __init__(self, quantities: Sequence[str], sizes: Sizes) -> None:
        super().__init__()
        scales = torch.tensor([_SCALES.get(name, (0.0, 1.0)) for name in quantities])
        self.register_buffer("centre", scales[:, 0])
        self.register_buffer("spread", scales[:, 1])
        width = 4 * len(quantities)
        self.gru = nn.GRU(width, sizes.sensor_hidden, batch_first=True)
        self.project = nn.Linear(sizes.sensor_hidden + width, sizes.dim)

    def forward(self, sensors: Any, mask: Any) -> Any:
        """`sensors` and `mask` float32 [N, T, C]."""
        known = (mask > 0).float()
        level = (sensors - self.centre) / self.spread * known
        before = torch.cat([level[:, :1], level[:, :-1]], dim=1)
        known_before = torch.cat([known[:, :1], known[:, :-1]], dim=1)
        step = (level - before) * known * known_before
        mean = level.sum(1, keepdim=True) / known.sum(1, keepdim=True).clamp(min=1.0)
        # A step of 0.1 degree within half a second is much, one of 8 degrees in level is usual.
        drift = (level - mean) * known
        cells = torch.cat([level, step * 20.0, drift * 10.0, mask], dim=2)
        _, last = self.gru(cells)
        return self.project(torch.cat([last.squeeze(0), cells.mean(1)], dim=1)).relu()


class Fusion(nn.Module):  # type: ignore[misc]
    """One query per label, bent by what the sensors say, looks at the picture tokens."""

    def __init__(self, labels: int, tokens: int, sizes: Sizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.heads, self.each = sizes.heads, dim // sizes.heads
        self.queries = nn.Parameter(torch.randn(labels, dim) * 0.5)
        self.bend = nn.Linear(dim, dim)
        self.place = nn.Parameter(torch.randn(tokens, dim) * 0.02)
        # What is looked at when there is no picture, or when nothing in it deserves a look.
        self.nothing = nn.Parameter(torch.zeros(1, 1, dim))
        self.key, self.value = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)
        self.hidden = nn.Linear(3 * dim, sizes.hidden)
        self.logit = nn.Parameter(torch.randn(labels, sizes.hidden) * sizes.hidden**-0.5)
        self.bias = nn.Parameter(torch.full((labels,), -2.0))

    def forward(self, picture: Any, sensor: Any, seen: Any) -> Any:
        """`picture` [N, P, dim], `sensor` [N, dim], `seen` [N, 1]: 1 where a frame exists."""
        labels = self.queries.shape[0]
        query = self.queries + self.bend(sensor).unsqueeze(1)
        nothing = self.nothing + 0.0 * sensor.unsqueeze(1)
        tokens = self.norm(torch.cat([picture + self.place, nothing], dim=1))
        hidden_from = torch.cat(
            [(1 - seen) * _FAR * torch.ones_like(picture[:, :, 0]), 0.0 * seen], dim=1
        )
        looked = self._attend(query, tokens, hidden_from)
        whole = (tokens[:, :-1].mean(1) * seen).unsqueeze(1).expand(-1, labels, -1)
        smelt = sensor.unsqueeze(1).expand(-1, labels, -1)
        hidden = self.hidden(torch.cat([looked, smelt, whole], dim=2)).relu()
        return (hidden * self.logit).sum(2) + self.bias

    def _attend(self, query: Any, tokens: Any, hidden_from: Any) -> Any:
        q, k, v = (self._split(x) for x in (query, self.key(tokens), self.value(tokens)))
        logits = q @ k.transpose(2, 3) * self.each**-0.5 + hidden_from[:, None, None, :]
        looked = logits.softmax(3) @ v
        return looked.transpose(1, 2).flatten(2)

    def _split(self, x: Any) -> Any:
        return x.unflatten(2, (self.heads, self.each)).transpose(1, 2)


class HazardNet(nn.Module):  # type: ignore[misc]
    """The whole model. `forward` gives the contract's probabilities, `logits` what is trained.

    `slope` and `offset` calibrate each label (Platt, "Probabilistic outputs for support vector
    machines", 1999) and are set after training by `fit.calibrate`.
    """

    slope: Any
    offset: Any

    def __init__(
        self,
        quantities: Sequence[str],
        labels: Sequence[str],
        image_size: tuple[int, int],
        sizes: Sizes | None = None,
    ) -> None:
        super().__init__()
        sizes = sizes or Sizes()
        tokens = (image_size[0] // 16) * (image_size[1] // 16)
        self.eye = Eye(sizes)
        self.nose = Nose(quantities, sizes)
        self.fusion = Fusion(len(labels), tokens, sizes)
        self.register_buffer("slope", torch.ones(len(labels)))
        self.register_buffer("offset", torch.zeros(len(labels)))

    def logits(self, image: Any, image_mask: Any, sensors: Any, sensors_mask: Any) -> Any:
        """Uncalibrated logits [N, K]."""
        seen = image_mask.max(1, keepdim=True).values
        picture = self.eye(image, image_mask)
        return self.fusion(picture, self.nose(sensors, sensors_mask), seen)

    def forward(self, image: Any, image_mask: Any, sensors: Any, sensors_mask: Any) -> Any:
        """Calibrated probabilities [N, K]."""
        logits = self.logits(image, image_mask, sensors, sensors_mask)
        return torch.sigmoid(logits * self.slope + self.offset)

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())
