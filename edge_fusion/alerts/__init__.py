"""Scores in, alerts out: `rules.py` is the lifecycle as a table, `book.py` keeps it per site."""
