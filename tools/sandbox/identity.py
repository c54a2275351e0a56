"""Which user a confined process is: never root, because no limit on processes holds for root."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

WIDE_RANGE = range(0x70000000, 0x7F000000)  # where nobody hands out users
NARROW_RANGE = range(61184, 65520)  # systemd's dynamic users: never those of people
INSIDE = 1000


@dataclass(frozen=True)
class Identity:
    """The user of one run: `outside` as the host counts it, `inside` as the program sees it."""

    outside: int
    inside: int
    dropped: bool

    def give(self, path: Path) -> None:
        """Make `path` the program's own."""
        if self.dropped:
            os.chown(path, self.outside, self.outside, follow_symlinks=False)

    def keep(self, path: Path) -> None:
        """Make `path` readable to the program and no more."""
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o111 else 0o644)
        if self.dropped:
            os.chown(path, 0, 0, follow_symlinks=False)
        else:
            path.chmod(path.stat().st_mode & 0o555)

    def share(self, path: Path) -> None:
        """Let the program add to the directory `path`, but not rename or remove what is not its own."""
        if self.dropped:
            os.chown(path, 0, 0)
            path.chmod(0o1777)


def own_identity() -> Identity:
    """This process's own user, which keeps all it may do outside."""
    return Identity(os.geteuid(), os.geteuid(), dropped=False)


def mapped_identity() -> Identity:
    """This process's own user outside, an ordinary one inside a user namespace."""
    return Identity(os.geteuid(), INSIDE, dropped=False)


def spare_identity() -> Identity:
    """A user that owns nothing and runs nothing else; only root can become it."""
    candidates = WIDE_RANGE if _mapped_users() > WIDE_RANGE.stop else NARROW_RANGE
    user = candidates[secrets.randbelow(len(candidates))]
    return Identity(user, user, dropped=True)


def _mapped_users() -> int:
    rows = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return max((int(start) + int(count) for start, _, count in rows), default=0)
