"""What a broker's topics carry, and how to configure it: pure functions, for `sniff`.

`heard.py` keeps what came, within bounds; `recognise.py` finds the format of each topic, with
`fields.py` for JSON of no known one and `words.py` for the names in it; `generalise.py` makes one
pattern of topics that are alike; `sections.py` writes it down as the configuration file has it.
"""
