"""Is this call meant, or only shown? Signs that a text quotes, mentions or illustrates a call."""

# ruff: noqa: RUF001  # the look-alike characters are those of the formats

from __future__ import annotations

import re

_WINDOW = 240
_SENTENCE = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z<\[{`])|\n\s*\n")
_CALLING = r"(?:call|invoke|use|write|emit|run|execute|send|make|issue|trigger|do)"
_CALLED = r"(?:called|invoked|used|wrote|emitted|ran|run|executed|sent|made|issued|tried|attempted)"
_SHOWN = re.compile(
    rf"""\b(?:
      for\ (?:example|instance|reference) | e\.g\. | examples? | illustrat\w+ | hypothetical\w*
    | imagine | suppose | pretend | think(?:ing)?\ about
    | (?:look|looks|looking|call|invoke|use|used|written|write|works?|it|them|that|one|something|calls?)
      \ like\ (?:this|so|the\ following)
    | (?:would|could|might)\ (?:look|be|have|then|also|simply|just|{_CALLING})
    | should\ (?:look|have) | can\ be\ {_CALLED} | how\ (?:to|you|one|we|i|it)\b
    | (?:you|one|users?|people|developers?|models?|agents?)
      \ (?:can|could|may|might|would|should|must|will|need\ to|have\ to)\ (?:\w+\ )?{_CALLING}
    | (?:do\ not|don['’]t|never|won['’]t|will\ not|cannot|can['’]t|must\ not|should\ not|shouldn['’]t|did\ not
        |didn['’]t|refuse\ to|instead\ of|rather\ than|avoid|without|not\ going\ to|not)
      \ (?:\w+\ )?(?:{_CALLING}|calling|invoking|using|running|executing)
    | (?:i|we|you|it|he|she|they|model|assistant|agent|user)
      \ (?:(?:had|have|has|just|already|previously|earlier|first|then)\ )*{_CALLED}
    | (?:was|were|been|being)\ {_CALLED} | previous(?:ly)? | earlier | last\ (?:time|turn|message|call)
    | (?:users?|logs?|transcripts?|documentation|docs?|readme|page|paper|article|prompt|message|manual|spec\w*
        |tutorial|guide)
      \ (?:says?|said|shows?|showed|contains?|contained|reads?|wrote|states?|includes?|included|has|had|asks?|asked)
    | in\ the\ (?:docs|documentation|manual|tutorial|readme|logs?|transcript|guide|specification)
    | quot(?:e|es|ed|ing|ation) | verbatim | according\ to | syntax | template | documentation
    )(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_SHAPE = re.compile(r"\b(?:formats?|schemas?|definitions?|signatures?|structures?|payloads?)\b", re.IGNORECASE)
_AFTERWARDS = re.compile(
    r"[ \t`\"'’”»,]*(?:(?:is|was|means)\b|(?:would|could|should|can|will) (?:be|look|have|mean|call|invoke|run)\b"
    r"|as an example|for (?:example|reference|instance)|(?:here|there) (?:to|if|when)\b|here\s*[.<]"
    r"|in (?:the|your) (?:reply|answer|docs))"
)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}
_LABEL = re.compile(r"(?:action|tool[_ ]?calls?|function[_ ]?calls?|call)\s*:\s*\Z", re.IGNORECASE)
_CHANGES = re.compile(
    r"write|delete|remove|rm|edit|replace|patch|move|rename|mv|exec|execute|run|shell|bash|terminal|command|cmd|python"
    r"|kill|drop|overwrite|commit|push|deploy|install|send|pay|buy|transfer|create|append|insert|upload|reset|destroy|format"
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def is_shown(before: str, after: str, *, marked: bool) -> bool:
    """Whether the words around a call say that it is an example, a quotation or a report.

    `before` is the text since the last thing understood, `after` what follows the call. A marked call is judged by
    clear words only; without a marker, talk of formats and schemas counts too.
    """
    lead = before[-_WINDOW:].rstrip()
    if lead and lead[-1] in _QUOTES and after.startswith(_QUOTES[lead[-1]]) and before.endswith(lead[-1]):
        return True
    sentence = _SENTENCE.split(lead)[-1]
    if _SHOWN.search(sentence) or (not marked and _SHAPE.search(sentence)):
        return True
    return bool(_AFTERWARDS.match(after))


def is_labelled(before: str) -> bool:
    """Whether the line says that a call follows, as in `Action: `."""
    return bool(_LABEL.search(before[-40:]))


def changes_things(name: str) -> bool:
    """Whether a tool's name says that it writes, deletes or runs: those are never taken out of running prose."""
    return any(_CHANGES.fullmatch(word.lower()) for word in _WORDS.findall(name))
