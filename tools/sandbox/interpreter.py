"""The Python that runs inside: which command starts it, what it must be able to read, which environment it gets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def interpreter_roots() -> list[Path]:
    """The directories that hold this Python and its packages, outermost only, without those of the system."""
    places = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.executable}
    roots: set[Path] = set()
    for place in map(Path, places):
        for path in (place.absolute(), place.resolve()):
            roots.add(path.parent.parent if path.name.startswith("python") and path.is_file() else path)
    outside = [root for root in roots if not any(root.is_relative_to(system) for system in SYSTEM)]
    return sorted(
        root for root in outside if not any(root != other and root.is_relative_to(other) for other in outside)
    )


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
