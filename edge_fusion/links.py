"""Links: how the connections to the broker stand, as their notices tell it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from edge_fusion.mailbox import Connected, Disconnected, Notice, Subscribed


@dataclass(frozen=True, slots=True)
class Link:
    """One connection. `refused`: topic filter -> why; None until the broker has answered for all.

    So what a broker refuses at every connect is never taken for granted in between. `down` says
    why there is no connection.
    """

    connected: bool = False
    refused: Mapping[str, str] | None = None
    down: str = "not connected yet"

    @property
    def ready(self) -> bool:
        """Whether everything that was subscribed to comes here."""
        return self.trouble is None

    @property
    def trouble(self) -> str | None:
        """Why not everything that was subscribed to comes here, or None."""
        if not self.connected:
            return self.down
        if self.refused is None:
            return "the broker has not answered all subscriptions yet"
        if self.refused:
            denied = ", ".join(f"{topic} ({why})" for topic, why in self.refused.items())
            return f"the broker refuses {denied}"
        return None


class Links:
    """Heard by the pipeline thread, looked at by any: each notice swaps in a new value."""

    def __init__(self, names: Collection[str]) -> None:
        self._links: dict[str, Link] = {}
        self.want(names)

    def want(self, names: Collection[str]) -> None:
        """Wait for these connections too."""
        self._links = {**dict.fromkeys(names, Link()), **self._links}

    def hear(self, notice: Notice) -> None:
        """Take what a connection says of itself; other notices are none of its business."""
        match notice:
            case Connected(connection=name):
                self._set(name, Link(connected=True))
            case Subscribed(connection=name, refused=refused):
                self._set(name, replace(self._links[name], refused=refused))
            case Disconnected(connection=name, reason=reason):
                self._set(name, Link(down=reason))
            case _:
                pass

    @property
    def ready(self) -> bool:
        return all(link.ready for link in self._links.values())

    @property
    def troubles(self) -> dict[str, str]:
        """By the name of the connection, why what it is for does not come; none where it does."""
        links = self._links.items()
        return {name: link.trouble for name, link in links if link.trouble is not None}

    @property
    def connected(self) -> dict[str, bool]:
        """By the name of the connection."""
        return {name: link.connected for name, link in self._links.items()}

    @property
    def refused(self) -> dict[str, str]:
        """Topic filters that the broker refuses, and why."""
        links = self._links.values()
        return {topic: why for link in links for topic, why in (link.refused or {}).items()}

    def _set(self, name: str, link: Link) -> None:
        self._links = {**self._links, name: link}
