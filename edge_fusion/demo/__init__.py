"""The demo: everything at work on one machine, with a broker and sites of its own."""

from edge_fusion.demo.run import run_demo

__all__ = ["run_demo"]
