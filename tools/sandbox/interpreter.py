"""The Python that runs inside: which command starts it, what it must be able to read, which environment it gets."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
# Parts of /etc that programs need to start, resolve names and check certificates; none holds a secret.
CONFIGURATION = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl",
)


def python_argv(*args: str) -> list[str]:
    """The command that runs this Python, with the packages of this environment (pytest among them).

    It writes no bytecode, does not put the current directory or a user's site directory on the path, and so never
    imports a planted `sitecustomize`. Tests that import from the workspace need `env={"PYTHONPATH": "/workspace"}`.
    """
    return [sys.executable, "-B", "-P", "-s", *args]


@functools.cache
def interpreter_roots() -> tuple[Path, ...]:
    """What holds this Python and its packages, also by its resolved path; outermost only, without the system's."""
    named = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.executable}
    return _outermost(path for name in named for path in (Path(name).absolute(), Path(name).resolve()))


def roots_with(readable: Sequence[Path]) -> tuple[Path, ...]:
    """The same, with what else may be read."""
    return _outermost([*interpreter_roots(), *readable]) if readable else interpreter_roots()


def clean_environment(extra: Mapping[str, str], *, tmp: str) -> dict[str, str]:
    """An environment with nothing of ours in it, plus `extra`."""
    programs = [str(Path(sys.prefix) / "bin"), "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "PATH": ":".join(programs),
        "HOME": tmp,
        "TMPDIR": tmp,
        "USER": "sandbox",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # else the result depends on which plugins we happen to have
        **extra,
    }


def _outermost(places: Iterable[Path]) -> tuple[Path, ...]:
    outside = {place for place in places if not any(place.is_relative_to(system) for system in SYSTEM)}
    return tuple(sorted(place for place in outside if outside.isdisjoint(place.parents)))
