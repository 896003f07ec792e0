"""`edge-fusion model`: what a model file takes and gives, and whether it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edge_fusion.errors import ModelError

if TYPE_CHECKING:
    from edge_fusion.io.onnx import OnnxModel

model_app = typer.Typer(help="Read and verify a model's contract.", no_args_is_help=True)

ModelArgument = Annotated[
    str, typer.Argument(metavar="PATH", help="ONNX file, or the name of a shipped model.")
]


@model_app.command("show")
def model_show(path: ModelArgument) -> None:
    """Print what a model takes and gives."""
    from rich.console import Console
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in _facts(_named_model(path)):
        table.add_row(name, value)
    Console(highlight=False, markup=False).print(table)


def _facts(model: OnnxModel) -> list[tuple[str, str]]:
    spec = model.spec
    return [
        ("name", spec.name),
        ("file", f"{model.path} ({model.path.stat().st_size:,} bytes)"),
        ("sha256", model.sha256),
        ("provider", model.provider),
        ("window", f"{spec.window_s:g} s in {spec.steps} steps"),
        ("quantities", ", ".join(spec.quantities)),
        *(
            ("input", f"{tensor.name} {tensor.type} {list(tensor.shape)}")
            for tensor in model.inputs
        ),
        *(
            ("output", f"{tensor.name} {tensor.type} {list(tensor.shape)}")
            for tensor in model.outputs
        ),
        *(("label", f"{label} (threshold {spec.threshold(label):g})") for label in spec.labels),
    ]


@model_app.command("check")
def model_check(path: ModelArgument) -> None:
    """Load a model and try it out."""
    from edge_fusion.model.trial import first_fault

    model = _named_model(path)
    fault = first_fault(model)
    if fault is not None:
        raise ModelError(f"{model.path}: {fault}")
    print(f"{model.path}: OK")


def _named_model(name: str) -> OnnxModel:
    from edge_fusion.config.keys import model_path
    from edge_fusion.io.onnx import load_model

    try:
        path = model_path(name, None)
    except ValueError as error:
        raise ModelError(f'"{name}": {error}') from None
    return load_model(path)
