"""Who may import whom: arrows go downwards only, and each outside library has one home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "edge_fusion"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 60

KERNEL = ("align", "alerts", "model")
KERNEL_LIBRARIES = {
    "__future__", "bisect", "collections", "dataclasses", "enum", "functools", "heapq",
    "itertools", "json", "math", "numpy", "operator", "re", "types", "typing", "uuid",
}  # fmt: skip
ROOT = {
    "daemon", "assembly", "assembly_alerts", "intake", "reload", "reporting", "timed", "record",
    "replay", "sniff", "following", "health", "service", "start", "live",
    "cli", "cli_alerts", "cli_model", "cli_doctor", "doctor", "__main__",
}  # fmt: skip
BELOW_THE_PIPELINE = {"mailbox", "kept", "codecs", "align", "model", "alerts", "events", "errors"}
PIPELINE = {
    "garbage",
    "absence",
    "departures",
    "links",
    "pulse",
    "keeper",
    "keeping",
    "lag",
    "outbox",
    "pipeline",
    "quality",
    "stages",
    "scoring",
    "announcer",
    "revisions",
    "complaints",
    "postman",
    "receipts",
    "revival",
    "trouble",
}

HOMES = {
    "paho": {"io/client.py", "io/session.py"},
    "onnxruntime": {"io/onnx.py"},
    "prometheus_client": {"io/metrics.py", "io/families.py"},
    "sqlite3": {"io/store.py", "io/schema.py", "io/tables.py"},
    "ctypes": {"io/host.py"},
    "cbor2": {"codecs/cbor.py", "codecs/senml_pack.py"},
    "google": {"codecs/sparkplug/payload_pb2.py", "codecs/sparkplug/wire.py"},
    "cv2": {"codecs/jpeg.py", "codecs/snapshot.py", "io/video.py", "simulator/scene.py"},
}

# What makes data into code: of such a file a single byte is enough for whoever may write it.
CODE_FROM_DATA = {"pickle", "marshal", "shelve", "dill", "joblib", "yaml"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
RUNS_A_SHELL = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def part_of(path: Path) -> str:
    """The package or top-level module that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            if node.module == "edge_fusion":
                yield from (f"edge_fusion.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    """Parts of this package that a file imports."""
    names = (name.split(".") for name in imports(path))
    return {name[1] for name in names if name[0] == "edge_fusion" and len(name) > 1}


def libraries(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)} - {"edge_fusion"}


def files_of(*parts: str) -> list[Path]:
    return [path for path in FILES if part_of(path) in parts]


@pytest.mark.parametrize("path", files_of(*KERNEL, "quality"), ids=name_of)
def test_the_kernel_does_no_io_and_reads_no_clock(path: Path) -> None:
    assert libraries(path) <= KERNEL_LIBRARIES
    calls = {n.func.id for n in ast.walk(ast.parse(path.read_text()))
             if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
    assert not calls & {"open", "print", "exec", "eval", "__import__"}


@pytest.mark.parametrize("path", files_of("codecs"), ids=name_of)
def test_codecs_read_no_clock_and_start_no_thread(path: Path) -> None:
    assert not libraries(path) & {"time", "threading", "socket", "logging", "pathlib", "os"}
    assert own_imports(path) <= {"codecs", "events", "errors", "kept"}


@pytest.mark.parametrize("path", files_of("recognition"), ids=name_of)
def test_recognition_is_as_pure_as_the_codecs_and_knows_nothing_else(path: Path) -> None:
    assert not libraries(path) & {"time", "threading", "socket", "logging", "pathlib", "os"}
    assert own_imports(path) <= {"recognition", "codecs", "events"}


@pytest.mark.parametrize("part", KERNEL)
def test_the_parts_of_the_kernel_know_only_the_vocabulary(part: str) -> None:
    for path in files_of(part):
        assert own_imports(path) <= {part, "events", "errors"}, name_of(path)


@pytest.mark.parametrize("path", files_of("page"), ids=name_of)
def test_what_the_page_shows_is_as_pure_as_the_kernel(path: Path) -> None:
    assert libraries(path) <= KERNEL_LIBRARIES | {"orjson"}
    assert own_imports(path) <= {"page", "align", "events"}


def test_the_vocabulary_knows_nobody() -> None:
    for path in files_of("events", "errors"):
        assert own_imports(path) <= {part_of(path)}


def test_the_pipeline_knows_the_rim_by_protocols_only() -> None:
    for path in files_of(*PIPELINE):
        assert own_imports(path) <= BELOW_THE_PIPELINE | PIPELINE, name_of(path)


def test_the_rim_knows_neither_pipeline_nor_kernel_objects() -> None:
    allowed = {"io", "events", "errors", "mailbox", "complaints", "kept", "model", "codecs"}
    for path in files_of("io"):
        assert own_imports(path) <= allowed, name_of(path)


def test_configuration_is_read_by_the_root_only() -> None:
    for path in FILES:
        if part_of(path) not in ROOT | {"config"}:
            assert "config" not in own_imports(path), name_of(path)


def test_the_daemon_never_needs_simulator_training_or_demo() -> None:
    for path in FILES:
        if part_of(path) not in {"simulator", "training", "demo", "cli"}:
            assert not own_imports(path) & {"simulator", "training", "demo"}, name_of(path)


@pytest.mark.parametrize("library", HOMES)
def test_each_outside_library_has_one_home(library: str) -> None:
    users = {name_of(path) for path in FILES if library in libraries(path)}
    assert users <= HOMES[library]


def test_only_training_needs_torch() -> None:
    for path in FILES:
        if part_of(path) != "training":
            assert not libraries(path) & {"torch", "onnx"}, name_of(path)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_runs_what_it_read(path: Path) -> None:
    """No pickle, no eval, no shell: input can be wrong, and never a program."""
    assert not libraries(path) & CODE_FROM_DATA
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            options = {option.arg: ast.unparse(option.value) for option in node.keywords}
            assert name not in RUNS_TEXT | RUNS_A_SHELL
            assert options.get("shell", "False") == "False"
            assert options.get("allow_pickle", "False") == "False"
            assert name != "torch.load" or options.get("weights_only") == "True"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_and_no_function_outgrows_a_reader(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert length(node) <= LONGEST_FUNCTION, node.name


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring left out."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    return lines - len((ast.get_docstring(function, clean=False) or "").splitlines())
