"""The heart: events of many rates and many clocks in, panes of event-time windows out.

What it promises:

1. Every event ends in exactly one outcome: admitted to (or quarantined into) each window of its
   event time that is still open or may still be revised, or too late, or a duplicate, or shed.
2. Windows of a site close in order of their end, each once; what comes later makes revisions.
3. Arrival orders that differ by less than `max_out_of_orderness` give the same windows.
4. A device's wrong clock changes no other device's windows, nor when they close.
5. A silent device delays no window by more than `idle_timeout`; a silent site closes its last
   window `max_wait` after its end.
6. The same events give the same panes, however often and whenever `advance` is called between.
7. Memory is bounded per window, per site and over all sites; what a bound costs is counted.

`windows.py` says which windows an instant lies in, `clock.py` what a device's timestamp is worth,
`watermark.py` how far a site has come, `assembler.py` puts the three together for one site, and
`sites.py` runs the assemblers of all sites on one time line.
"""
