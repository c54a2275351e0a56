"""How any provider's error maps into the closed taxonomy of failures.

`blame` says who has to act: the `model` (ask it again, with something changed), the `api` (wait), or the `user`
(nothing helps until a person changes the set-up). Other providers' errors are recognised by their shape: status
code, `error.type` and `error.code` of the body, names of the classes. None of their packages has to be installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.models.kinds import Blame, FailureKind
from agents.models.symptoms import CLASSES, CODES, GENERAL, STATUSES, WORDS
from tools.errors import ModelFault, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Failure", "FailureKind", "classify", "failure"]


@dataclass(frozen=True)
class Failure:
    """One failed call: its kind, and a sentence that holds the provider's own words whole."""

    kind: FailureKind
    message: str

    @property
    def retryable(self) -> bool:
        """Whether asking again may help."""
        return self.kind.retryable

    @property
    def blame(self) -> Blame:
        """Who has to act."""
        return self.kind.blame

    def error(self) -> ModelFault | ModelUnavailable:
        """The error to raise: a fault of the model, or a server that is not available for now."""
        if self.blame == "model":
            return ModelFault(self.message, kind=self.kind)
        return ModelUnavailable(self.message, kind=self.kind, retryable=self.retryable)


def failure(kind: FailureKind, detail: str = "") -> Failure:
    """A failure with its kind's sentence, followed by what the provider said."""
    return Failure(kind, f"{kind.sentence}: {detail}" if detail else kind.sentence)


def classify(error: BaseException) -> Failure:
    """Sort an error from a provider's library into the taxonomy; our own errors keep their kind."""
    if isinstance(error, ModelFault | ModelUnavailable):
        return Failure(_known(error.kind), str(error))
    kind = _kind(error)
    if kind is FailureKind.UNKNOWN and error.__cause__ is not None:
        kind = _kind(error.__cause__)
    detail = " ".join(str(error).split()) or type(error).__name__
    return failure(kind, f"{type(error).__name__}: {detail}" if kind is FailureKind.UNKNOWN else detail)


def status(error: BaseException) -> int | None:
    """The HTTP status behind an error of a provider's library; None when it has none."""
    found = getattr(error, "status_code", None)
    return found if isinstance(found, int) else None


def _known(kind: str) -> FailureKind:
    return FailureKind(kind) if kind in set(FailureKind) else FailureKind.UNKNOWN


def _kind(error: BaseException) -> FailureKind:
    """The most specific evidence first: the body's code, the words, the status, the class."""
    status = getattr(error, "status_code", None)
    codes = [code for code in _codes(getattr(error, "body", None)) if code in CODES]
    # A server that puts its own error under a general code says in words what it is.
    if codes and codes[0] not in GENERAL:
        return CODES[codes[0]]
    if codes:
        return _by_words(str(error), status if isinstance(status, int) else 500) or CODES[codes[0]]
    if isinstance(status, int):
        return _by_words(str(error), status) or _by_status(status)
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in CLASSES:
            return CLASSES[ancestor.__name__]
    return FailureKind.UNKNOWN


def _codes(body: Any) -> Iterator[str]:
    """Codes in an error's body, the most specific first; OpenAI's body is the inner object."""
    if not isinstance(body, dict):
        return
    inner = body["error"] if isinstance(body.get("error"), dict) else body
    details = inner.get("details")
    found = [details.get("error_code") if isinstance(details, dict) else None, inner.get("code"), inner.get("type")]
    yield from (code for code in found if isinstance(code, str))


def _by_words(text: str, status: int) -> FailureKind | None:
    """What Ollama says in words; a 4xx never blames the model's grammar, for then it was our JSON."""
    for kind, pattern in WORDS:
        if pattern.search(text) and not (kind is FailureKind.FORMAT_FAULT and 400 <= status < 500):
            return kind
    return None


def _by_status(status: int) -> FailureKind:
    if status in STATUSES:
        return STATUSES[status]
    if 300 <= status < 500:
        return FailureKind.CONFIG
    return FailureKind.INTERNAL if 500 <= status < 600 else FailureKind.TRANSIENT
