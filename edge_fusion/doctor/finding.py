"""What the doctor says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether something is to be done: nothing, something perhaps, or something for sure."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is about, how it is, and what to do next."""

    verdict: Verdict
    about: str
    text: str
    next: str = ""

    def __str__(self) -> str:
        advice = f" -> {self.next}" if self.next else ""
        return f"{self.verdict:<8} {self.about:<8} {self.text}{advice}"

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def ok(about: str, text: str) -> Finding:
    return Finding(Verdict.OK, about, text)


def warning(about: str, text: str, advice: str) -> Finding:
    return Finding(Verdict.WARNING, about, text, advice)


def problem(about: str, text: str, advice: str) -> Finding:
    return Finding(Verdict.PROBLEM, about, text, advice)
