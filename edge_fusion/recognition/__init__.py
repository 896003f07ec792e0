"""What a broker's topics carry, and how to configure it: pure functions, for `sniff`.

`heard.py` keeps what came, within bounds; `recognise.py` finds the format of each topic, with
`fields.py` for JSON of no known one and `words.py` for the names in it; `shapes.py` makes one
pattern of topics that are alike, and `generalise.py` sections of these; `sections.py` writes them
down as the configuration file has them.
"""
