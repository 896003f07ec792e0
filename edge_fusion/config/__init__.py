"""The configuration: a TOML file and the environment in, frozen settings out; no other effects.

`load.py` is the way in, `settings.py` and `sources.py` are the tables and their manual, `keys.py`
the kinds of single keys, `measures.py` durations and sizes, `overrides.py` the environment,
`secrets.py` passwords and tokens, and `problems.py` the one line for each thing that is wrong.
"""

from edge_fusion.config.load import config_schema, load, load_broker, model_problems
from edge_fusion.config.secrets import exposures, loose_files
from edge_fusion.config.settings import Settings

__all__ = [
    "Settings",
    "config_schema",
    "exposures",
    "load",
    "load_broker",
    "loose_files",
    "model_problems",
]
