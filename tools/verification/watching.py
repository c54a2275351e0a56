"""How a reporter inside the program's own process is kept from being spoken for.

Its words go to the parent through an audit hook: no frame, module or object leads to one, and whoever lists the
interpreter's objects to find it sets it off first. The hook signs them with a key that only it has. It passes on
only what comes from a stack that is all pytest's, while every function of pytest is what it was, and while nothing
but pytest has a say in what a test comes to. The rest it tells as well: as tampering.

What it needs it holds in closures, builtins too: a program may put others in their places. The text of this file
stands behind that of `judging` in the sandbox, and may import nothing of ours.
"""

import importlib
import os
import sys
import types
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

EVENT = "millwright.report"
TAMPERED = "tampered with"
SEARCHES = frozenset({"gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys._current_frames"})
# pytest's own plugin `legacypath` replaces it; it reads settings of a type that pytest does not know.
REPLACED_BY_PYTEST = frozenset({"_getini_unknown_type"})
Place = tuple[Any, str, Any, types.FunctionType]


def watch(key: bytes, pipe: int) -> None:
    """From now on, send the parent what is reported, and what was tampered with before it was.

    What is reported are the arguments of `sys.audit(EVENT, kind, first, second, third)`, all text. A hook of pytest
    is shown, and not sent, as `sys.audit(EVENT, "hook", its name, a plugin's name, the plugin's function)`. "look"
    reports nothing, and has pytest looked at.
    """
    places = list(_functions())
    codes = {id(code): code for *_, function in places for code in _codes(function.__code__)}
    send, wrong, touched = _sender(key, pipe), _judge(places, codes), _alarm(codes)
    unsent = ("hook", "look")

    def hook(event: str, words: tuple[Any, ...]) -> None:
        if event == EVENT:
            for why in wrong(words):
                send(TAMPERED, why)
            if words[0] not in unsent:
                send(*words)
        elif why := touched(event, words):
            send(TAMPERED, why)
            if event == "sys.addaudithook":
                # A hook that is refused so is left out, and its owner is not told.
                raise RuntimeError(why)

    sys.addaudithook(hook)


def _sender(key: bytes, pipe: int) -> Callable[..., None]:
    write, spell, tag = os.write, repr, blake2b
    count = 0

    def send(*words: str) -> None:
        """As `judging.signed` has it."""
        nonlocal count
        payload = spell(words).encode("ascii", "backslashreplace")
        sign = tag(b"%d %s" % (count, payload), key=key, digest_size=16).hexdigest().encode()
        count += 1
        rest = sign + b" " + payload.hex().encode() + b"\n"
        while rest:
            rest = rest[write(pipe, rest) :]

    return send


def _judge(places: list[Place], codes: dict[int, types.CodeType]) -> Callable[[tuple[Any, ...]], Iterator[str]]:
    """What is wrong with a report, or with the plugin's function that takes part in a hook."""
    ident, kind, plain, bound = id, type, str, types.MethodType
    stranger = _stranger(codes)

    def wrong(words: tuple[Any, ...]) -> Iterator[str]:
        if words[0] == "hook":
            function = words[3].__func__ if kind(words[3]) is bound else words[3]
            if ident(function.__code__) not in codes:
                yield f"{words[2]} takes part in {words[1]}, which only pytest itself may"
            return
        for word in words:
            if kind(word) is not plain:
                yield "what is reported is no plain text"
        # That something failed may be told from anywhere: there is nothing to gain by it.
        if words[0] != "look" and words[2] != "failed" and (who := stranger()):
            yield f"{who} reports in pytest's name"
        for namespace, name, value, _ in places:
            if namespace.get(name) is not value:
                yield f"{name} of pytest was replaced"

    return wrong


def _stranger(codes: dict[int, types.CodeType]) -> Callable[[], str]:
    """The first file on the stack of a report that is not pytest's, or nothing."""
    ident, getframe = id, sys._getframe  # noqa: SLF001 - the one way to a frame
    outermost = getframe()
    while outermost.f_back is not None:
        outermost = outermost.f_back
    top = outermost.f_code

    def stranger() -> str:
        frame: types.FrameType | None = getframe(3)  # behind us, `wrong` and the hook
        while frame is not None:
            if frame.f_code is top:
                return ""
            if ident(frame.f_code) not in codes:
                return frame.f_code.co_filename
            frame = frame.f_back
        return "a thread"

    return stranger


def _alarm(codes: dict[int, types.CodeType]) -> Callable[[str, tuple[Any, ...]], str]:
    """What an event of the interpreter says of a program that looks for the key or changes pytest."""
    ident, searches = id, SEARCHES

    def touched(event: str, words: tuple[Any, ...]) -> str:
        if event in searches:
            return f"the program calls {event}"
        if event == "sys.addaudithook":
            return "the program watches the interpreter"
        if event == "object.__setattr__" and words[1] == "__code__" and ident(words[0].__code__) in codes:
            return f"{words[0].__qualname__} of pytest was given other code"
        return ""

    return touched


def _functions() -> Iterator[Place]:
    """Every function of pytest and of ours: the namespace it stands in, its name and what stands there, itself."""
    from _pytest.config import default_plugins

    for name in default_plugins:
        importlib.import_module(f"_pytest.{name}")
    for module in [module for name, module in sys.modules.items() if _is_ours(name)]:
        owners = [v for v in vars(module).values() if isinstance(v, type) and _is_ours(v.__module__)]
        for owner in (module, *owners):
            for name, value in list(vars(owner).items()):
                inner = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
                while inner is not None:
                    if isinstance(inner, types.FunctionType) and name not in REPLACED_BY_PYTEST:
                        yield vars(owner), name, value, inner
                    inner = getattr(inner, "__wrapped__", None)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in ("_pytest", "pluggy", "pytest", __name__)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A function's code and the code of what is defined inside."""
    yield code
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield from _codes(value)
