"""Revival: sites as they were when something was last kept, by their snapshots and the journal."""

from __future__ import annotations

import logging

from edge_fusion.align.sites import Sites
from edge_fusion.codecs.journal import read_entries
from edge_fusion.errors import SnapshotError
from edge_fusion.events import CatchUp
from edge_fusion.kept import Remembered

log = logging.getLogger("edge_fusion.keeper")


def revive(remembered: Remembered, new: Sites) -> Sites:
    """Relive what was kept, on the terms of then: in `new` sites, if those are theirs, or others.

    On other terms what came would have been taken otherwise than it was. What came of it then is
    kept, and counted no more. What cannot be used is left with a line.
    """
    sites = _on_terms_of_then(remembered, new)
    for site, state in remembered.snapshots.items():
        try:
            sites.restore(site, state)
        except SnapshotError as error:
            about = {"site": site}
            text = "%s: what was kept cannot be used and is forgotten: %s"
            log.warning(text, site, error, extra=about)
    if remembered.held_since is not None:
        sites.feed([CatchUp(remembered.held_since, remembered.held_since)])
    try:
        sites.feed(read_entries(remembered.journal))
    except ValueError as error:
        log.error("the journal cannot be used and is forgotten: %s", error)  # noqa: TRY400
    if remembered.until is not None:
        sites.advance(remembered.until)
    for assembler in sites:
        assembler.drop_fleeting()
    return sites


def _on_terms_of_then(remembered: Remembered, new: Sites) -> Sites:
    if remembered.terms in {b"", new.terms}:
        return new
    try:
        return Sites.on_terms(remembered.terms)
    except SnapshotError as error:
        log.warning("what was kept is taken up as if it had come now: %s", error)
        return new
