"""The one error tree.

Every error says in one sentence what is wrong, with the value, and the way out. The name says who acts::

    MillwrightError
    ├── UsageError                 the person who typed it: bad input, nothing was started     (exit 2)
    │   ├── ModelUnknown               no provider or no model of that name
    │   ├── RunUnknown                 no run of that id here
    │   └── SkillUnknown               no skill of that name or id in the memory
    ├── ToolRefused                the model: it is told, and may try again
    │   ├── PathRefused                the path leaves the workspace or is not a name we write
    │   ├── NotOwned                   the path belongs to another assignment, or is locked
    │   ├── EditMismatch               the text to replace is not there, or is there twice
    │   ├── NotText                    binary content, or not UTF-8
    │   ├── LimitExceeded              larger than a file, a reply or the workspace may be
    │   └── FileMissing                no such file
    ├── ModelFault                 the model: it answered, and the answer is of no use
    ├── Suspended                  nobody: the run stops here, loses nothing and can be resumed (exit 3)
    │   ├── ModelUnavailable           the model's server does not answer, or refuses for a while
    │   ├── StorageFailed              disk full, read-only, or a database that cannot be read
    │   ├── WorkspaceChanged           someone else changed the run's files
    │   └── Fenced                     another process drives this run
    ├── BudgetExhausted            the run: it stops calling models and goes on to its verification
    ├── CassetteError              the person: the recording does not fit
    │   ├── CassetteVersion            recorded in another format
    │   └── CassetteDivergence         a request that differs from the recorded one
    ├── ProofBroken                the person: what a run claims does not hold on disk
    └── SandboxUnavailable         the person: nothing on this machine confines a process
"""

from __future__ import annotations


class MillwrightError(Exception):
    """Millwright cannot go on."""


class UsageError(MillwrightError):
    """The input is not usable; nothing was started."""


class ModelUnknown(UsageError):
    """No provider or no model has that name."""


class RunUnknown(UsageError):
    """No run has that id in this data directory."""


class SkillUnknown(UsageError):
    """No skill of the memory has that name, id or alias."""


class ToolRefused(MillwrightError):
    """A tool refuses what a model asked for; the message goes back to the model."""

    def __init__(self, message: str, *, reason: str = "refused") -> None:
        """Keep `reason`, a short code, beside the sentence."""
        super().__init__(message)
        self.reason = reason


class PathRefused(ToolRefused):
    """The path leaves the workspace or is not a name that may be written."""


class NotOwned(ToolRefused):
    """The path belongs to another assignment or is locked."""


class EditMismatch(ToolRefused):
    """The text to replace is not in the file exactly once."""


class NotText(ToolRefused):
    """The content is binary or not UTF-8."""


class LimitExceeded(ToolRefused):
    """Larger than a file, a reply or the workspace may be."""


class FileMissing(ToolRefused):
    """There is no such file."""


class ModelFault(MillwrightError):
    """The model answered, and the answer is of no use."""

    def __init__(self, message: str, *, kind: str = "fault", reply: object = None, seconds: float = 0.0) -> None:
        """Keep `kind`, the failure's name in the taxonomy of `agents.models.failures`, a reply that came, its time."""
        super().__init__(message)
        self.kind = kind
        self.reply = reply
        self.seconds = seconds


class Suspended(MillwrightError):
    """The run stops here, has lost nothing and can be resumed."""


class ModelUnavailable(Suspended):
    """The model's server does not answer or refuses for a while."""

    def __init__(self, message: str, *, kind: str = "unreachable", retryable: bool = True) -> None:
        """Keep `kind` of the failure taxonomy, and whether waiting may help."""
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable


class StorageFailed(Suspended):
    """The disk is full or read-only, or a database cannot be read."""


class WorkspaceChanged(Suspended):
    """Someone else changed the run's files."""


class Fenced(Suspended):
    """Another process drives this run."""


class BudgetExhausted(MillwrightError):
    """The run's calls, tokens or seconds are used up."""


class CassetteError(MillwrightError):
    """The recording cannot be used."""


class CassetteVersion(CassetteError):
    """The recording has another format."""


class CassetteDivergence(CassetteError):
    """A request differs from the recorded one."""


class ProofBroken(MillwrightError):
    """What a run claims does not hold on disk."""


class SandboxUnavailable(MillwrightError):
    """Nothing on this machine confines a process."""
