"""How much a workspace may hold, kept by counting so that no write scans the tree."""

from __future__ import annotations

from dataclasses import dataclass

from tools.errors import LimitExceeded


@dataclass(frozen=True)
class Quota:
    """Limits of one workspace: bytes of a file, number of files, bytes of all files."""

    file_bytes: int = 1_000_000
    files: int = 10_000
    total_bytes: int = 200_000_000

    def check_file(self, path: str, size: int) -> None:
        """Refuse a content of `size` bytes that is too large for one file.

        Raises:
            LimitExceeded: with `reason` file_bytes.
        """
        if size > self.file_bytes:
            raise LimitExceeded(
                f"{path!r} would have {size} bytes, a file may have {self.file_bytes}; split it into smaller ones",
                reason="file_bytes",
            )


@dataclass
class Usage:
    """What a workspace holds: number of files and their bytes."""

    files: int = 0
    size: int = 0

    def add(self, files: int, size: int) -> None:
        """Count a change; both numbers may be negative."""
        self.files += files
        self.size += size

    def check(self, quota: Quota, path: str, files: int, size: int) -> None:
        """Refuse a change that would leave more in the workspace than it may hold; shrinking always passes.

        Raises:
            LimitExceeded: with `reason` files or total_bytes.
        """
        if files > 0 and self.files + files > quota.files:
            raise LimitExceeded(
                f"{path!r} would be file {self.files + files} of at most {quota.files}; delete some",
                reason="files",
            )
        if size > 0 and self.size + size > quota.total_bytes:
            raise LimitExceeded(
                f"with {path!r} the workspace would hold {self.size + size} bytes of at most {quota.total_bytes}; "
                "delete some files or write less",
                reason="total_bytes",
            )
