"""What a confined run may use, and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["A", "B", "C", "off"]
Stopped = Literal["", "time", "memory", "disk", "processes", "cancelled"]


@dataclass(frozen=True)
class Limits:
    """What one run may use; whoever goes beyond it fails or is stopped.

    `memory_bytes` bounds the private memory of each process and the resident memory of all together,
    `file_bytes` each file, `disk_bytes` everything a run writes, `output_bytes` what is kept of each stream.
    """

    seconds: float = 60
    cpu_seconds: int = 60
    memory_bytes: int = 2_000_000_000
    processes: int = 128
    file_bytes: int = 50_000_000
    output_bytes: int = 1_000_000
    disk_bytes: int = 1_000_000_000


@dataclass(frozen=True)
class Execution:
    """One finished run.

    `exit_code` is 128 + n after signal n, and None when we ended the run (`stopped` says why). Of a long stream
    the beginning and the end are kept; `output_bytes` and `output_sha256` speak of all that was written, the
    digest being sha256(sha256(stdout) + sha256(stderr)) with `/workspace` in the place of the copy's path.
    """

    argv: tuple[str, ...]
    exit_code: int | None
    timed_out: bool
    stdout: str
    stderr: str
    output_bytes: int
    output_cut: bool
    output_sha256: str
    seconds: float
    level: Level
    held: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()  # files that were not imported back, each with the reason
    tampered: tuple[str, ...] = ()  # read-only files that were not the same afterwards
    stopped: Stopped = ""

    @property
    def ok(self) -> bool:
        """Whether the command ended by itself with exit code 0 and its read-only files are what they were."""
        return self.exit_code == 0 and not self.tampered

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
