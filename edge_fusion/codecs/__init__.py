"""Bytes to readings and frames, alerts and windows to bytes: pure functions, no clock, no I/O.

`decoder.py` takes a message to the sources whose topic it matches; `formats.py` is the table of
sensor dialects, one file each, and `payload.py` what they have in common; `frames.py` and `jpeg.py`
are for pictures. On the way out, `publications.py` makes messages of what `alert.py` and
`homeassistant.py` put into words.
"""
