"""edge-fusion: fuses IoT sensors with cameras at the edge."""

__version__ = "0.1.0"
