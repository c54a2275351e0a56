"""What `millwright doctor` says about running generated code here, and how to mend what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tools.sandbox import probes
from tools.sandbox.choice import strongest

if TYPE_CHECKING:
    from tools.sandbox.choice import Choice
    from tools.sandbox.execution import Level

INSTALL = "install them: `apt install bubblewrap util-linux` or `dnf install bubblewrap util-linux`"
IN_A_CONTAINER = (
    "in a container allow namespaces: `docker run --security-opt seccomp=unconfined "
    "--security-opt apparmor=unconfined --security-opt systempaths=unconfined --cap-add SYS_ADMIN`, "
    "or run Millwright outside of it"
)
APPARMOR = (
    "let AppArmor allow it: `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or install a profile for "
    "/usr/bin/bwrap that has `userns,`"
)
NAMESPACES = "allow them: `sudo sysctl user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1`"
LANDLOCK = "boot Linux 5.13 or later with Landlock among its security modules (`lsm=landlock,...`)"

# What bubblewrap and we say when something is refused, and what mends it; the first that fits counts.
MENDS = {
    "not installed": INSTALL,
    "offer Landlock": LANDLOCK,
    "landlock_": LANDLOCK,
    "setting up uid map": APPARMOR,
    "RTM_NEWADDR": APPARMOR,
    "Failed to make / slave": IN_A_CONTAINER,
    "Can't mount proc": IN_A_CONTAINER,
    "No permissions to create": NAMESPACES,
    "Creating new namespace failed": NAMESPACES,
    "Operation not permitted": IN_A_CONTAINER,
}


@dataclass(frozen=True)
class Finding:
    """One row of the report; `mend` is empty where nothing is to be done."""

    subject: str
    state: Literal["good", "weak", "bad"]
    what: str
    mend: str = ""


def diagnose() -> list[Finding]:
    """Which level this machine gets, what it does not hold, and why each stronger level was refused."""
    choice = strongest()
    refused = [_refusal(level, reason, choice) for level, reason in choice.refused.items()]
    return [_summary(choice), *refused, *_missing(choice)]


def _summary(choice: Choice) -> Finding:
    verdict = choice.verdict
    if verdict is None:
        what = "no level holds, so no generated code is run; limits alone (level C) are not a sandbox"
        return Finding("sandbox", "bad", what, "mend one of the levels below")
    held, total = len(verdict.held), len(verdict.held) + len(verdict.open)
    state: Literal["good", "weak"] = "weak" if verdict.open else "good"
    return Finding("sandbox", state, f"level {verdict.level}: held {held} of {total} attacks on itself")


def _refusal(level: Level, reason: str, choice: Choice) -> Finding:
    return Finding(f"sandbox level {level}", "weak" if choice.verdict else "bad", reason, mend(reason))


def _missing(choice: Choice) -> list[Finding]:
    if choice.verdict is None:
        return []
    reached = choice.verdict.open
    return [
        Finding(f"sandbox {name}", "weak", f"{_about(name)} The self-test {what}.", "level A holds it")
        for name, what in reached.items()
    ]


def mend(reason: str) -> str:
    """How to mend what an error message complains about."""
    way = next((way for words, way in MENDS.items() if words in reason), IN_A_CONTAINER)
    return NAMESPACES if way == IN_A_CONTAINER and _forbidden_by_sysctl() else way


def _forbidden_by_sysctl() -> bool:
    try:
        return Path("/proc/sys/user/max_user_namespaces").read_text().strip() == "0"
    except OSError:
        return False


def _about(name: str) -> str:
    """The first sentence of the probe's docstring."""
    return next((probe.__doc__ or name for probe in probes.PROBES if probe.__name__ == name), name)
