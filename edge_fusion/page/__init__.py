"""The live page: what it shows (`board`), as JSON (`document`), and its files for the browser.

As pure as the kernel: the pipeline thread tells the board what it observes and has it swap in a new
`Snapshot` now and then; threads that serve the page read that value and nothing else.
"""
