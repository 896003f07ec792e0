"""Dialect `sparkplug`: Sparkplug B 3.0, of which an edge node and its devices are the senders.

A BIRTH says what a sender has: names, types and units of its metrics, and the aliases that stand
for the names in its DATA from then on; a DEATH says that nothing holds any more. So this dialect
remembers. `wire.py` makes plain values of the protobuf payload, `births.py` makes of a BIRTH what
is to be remembered of it, `edge.py` is what is known of one edge node, and `dialect.py` takes
each message to its edge node.
"""
