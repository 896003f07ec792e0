"""`python -m edge_fusion` is `edge-fusion`."""

from __future__ import annotations

from edge_fusion.cli import main

main()
