"""The model: what runs it, and whether it keeps up."""

from __future__ import annotations

from dataclasses import dataclass

from edge_fusion.doctor.finding import Finding, ok, problem, warning

MODEL = "model"
BUSY = 0.5
"""Share of the time from window to window that one camera's row may take: there are more."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Versions, and what the onnxruntime that is installed offers."""

    python: str
    onnxruntime: str
    providers: tuple[str, ...]
    opencv: str


@dataclass(frozen=True, slots=True)
class Running:
    """The model as it runs here: where, on what, in which precision, and seconds for a row."""

    name: str
    precision: str
    requested: str
    provider: str
    fallback: bool
    row: float


def judge_runtime(runtime: Runtime) -> Finding:
    offered = ", ".join(runtime.providers)
    return ok(
        MODEL,
        f"Python {runtime.python}, onnxruntime {runtime.onnxruntime} ({offered}), "
        f"OpenCV {runtime.opencv}",
    )


def judge_model(model: Running, every: float) -> list[Finding]:
    """`every`: seconds from window to window; each camera is a row of each."""
    share = model.row / every
    text = (
        f"{model.name}, {model.precision}, on {model.provider}: {1000 * model.row:.1f} ms a row, "
        f"{share:.2%} of the time from window to window"
    )
    findings = [ok(MODEL, text)]
    if share > BUSY:
        advice = "take a smaller or quantised model, a GPU, or longer windows ([windows] every)"
        findings = [problem(MODEL, text, advice)]
    if model.fallback:
        advice = "install its driver and the onnxruntime made for it; what is offered is above"
        asked = f"{model.requested} was asked for, and {model.provider} runs it"
        findings.append(warning(MODEL, asked, advice))
    return findings
