"""Bytes to readings and frames, alerts and windows to bytes: pure functions, no clock, no I/O.

`decoder.py` takes a message to the sources whose topic it matches; `formats.py` is the table of
sensor dialects, one file each, and `payload.py` what they have in common. Where devices describe
themselves the dialect remembers what they said: then it is an object with a memory of bounded size,
`quantities.py` says what a name means, and what is found depends on the messages alone. `echoes.py`
knows what two gateways heard of one device; `frames.py` and `jpeg.py` are for pictures. On the way
out, `publications.py` makes messages of what `alert.py` and `homeassistant.py` put into words and
`snapshot.py` shows.
"""
