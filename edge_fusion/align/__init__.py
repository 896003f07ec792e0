"""The heart: events of many rates and many clocks in, panes of event-time windows out.

What it promises (each sentence is a property in tests/align/test_guarantees.py):

1. Every event that is admitted stands in exactly the windows that its corrected event time belongs
   to (one if they tumble, size / every if they hop); every other is counted as late, duplicate or
   shed. None is neither, none is both.
2. Windows of a site close in order of their end, each once; what comes later makes revisions,
   numbered without a gap.
3. Any order of arrival in which nothing is later than `max_out_of_orderness` gives the same
   windows.
4. A device whose clock is off by more than `max_skew`, or that never told the same time twice,
   changes no window of another device, nor when it closes. (At a site where every clock is off,
   they have to do.) Within `max_skew` a slow clock is a slow device: it holds a window back,
   never longer than `max_wait` after its end.
5. A silent device delays no window by more than `idle_timeout`; a site in total silence closes its
   last window `max_wait` after its end.
6. The same arrivals give the same bytes, however often and whenever `advance` is called between,
   and in whatever batches they are fed; going on from a snapshot is going on.
7. Memory has a bound that no arrivals can pass: per site `RETAINED_SLICES` slices and those of its
   open windows, each with `max_readings` readings and `max_frames` frames a camera at most; per
   device `MAX_LANES` quantities; over all sites `max_sites` and `max_devices`. What a bound costs
   is counted.
8. A constant signal, sampled anyhow, gives a constant grid, and a linear one a linear grid, over
   gaps up to `max_gap` (model/grid.py; tests/model/test_grid.py).
9. What a broker held back while we were cut off, and delivers between `CatchUp` and `CaughtUp`, is
   not late, however long that was, and fills the windows that it would have filled.

Read `windows.py` for which windows an instant lies in, `clock.py` for what a device's timestamp is
worth, `watermark.py` for how far a site has come, `firings.py` for when a window opens, closes and
is revised, and `assembler.py`, which puts them together for one site, whose devices are in
`roster.py`. `source.py` holds the short way that nearly all readings take; `sites.py` runs the
assemblers of all sites on one time line.
"""
