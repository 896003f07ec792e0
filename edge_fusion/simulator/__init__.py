"""Paired, causal test data: a story happens in a room, a camera sees it and sensors feel it.

`room.py` is the physics, `story.py` what happens, `scene.py` the pictures, `sensors.py` the
sensors; `episode.py` puts them together for training, `live.py`, `devices.py` and `run.py` as MQTT
clients in real time.
"""
