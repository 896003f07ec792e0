"""What nobody can continue from. A bad payload or a late reading is an outcome, not an error.

* EdgeFusionError
  + ConfigError            the user can mend it: file, key, what was found, what is allowed
  + ModelError             the model file cannot serve
    - ContractError        it is ONNX, but breaks the contract
    - ProviderUnavailable  an execution provider was required and does not work here
  + BrokerError            the broker refused us; `retry` says whether trying again can help
  + StoreError             the store cannot be used: where, and what is wrong
    - StoreFull            the disk does not take what is to be kept; it may later
    - StoreCorrupt         the file is no store of ours, or damaged
  + SnapshotError          bytes that are no snapshot, or one for other windows
  + RecordingError         a recording cannot be read or written: file, line, what is wrong
"""

from __future__ import annotations


class EdgeFusionError(Exception):
    """Base of all errors of this program; its text is one line for the user."""


class ConfigError(EdgeFusionError):
    """A configuration that cannot be used. One line per problem in `problems`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ModelError(EdgeFusionError):
    """A model file that is missing, is not ONNX, or does not match its `sha256`."""


class ContractError(ModelError):
    """An ONNX file that breaks the model contract; says what is wrong and what was expected."""


class ProviderUnavailable(ModelError):
    """`require = true`, and none of the named execution providers works on this machine."""


class SnapshotError(EdgeFusionError):
    """A snapshot that cannot be restored here: damaged, of another version or other windows."""


class BrokerError(EdgeFusionError):
    """The broker refused the connection; `retry` is False where trying again cannot help."""

    def __init__(self, message: str, *, retry: bool) -> None:
        super().__init__(message)
        self.retry = retry


class RecordingError(EdgeFusionError):
    """A directory that is no recording of ours, cannot become one, or can't be written any more."""


class StoreError(EdgeFusionError):
    """The store cannot be used."""


class StoreFull(StoreError):
    """The disk does not take what is to be kept: full, read-only or failing. It may again."""


class StoreCorrupt(StoreError):
    """The file of the store is damaged, of a later version, or something else."""
