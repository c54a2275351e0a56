"""The Python that has pynguin: one of its own, for pynguin asks for older versions of what this program uses."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import tools
from tools.errors import UsageError

VARIABLE = "MILLWRIGHT_PYNGUIN"
"""The variable that names another interpreter. It is the machine's owner who names it, never a request."""

FOLDER = ".venv-pynguin"
"""Where `make pynguin` puts it, in the checkout."""

SERIES = "0.48"
"""The releases whose options and tests are known here; others are refused."""

_SECONDS = 30
_ASKED = """\
import json, sys
from importlib.metadata import PackageNotFoundError, version
try:
    found = version("pynguin")
except PackageNotFoundError:
    found = ""
roots = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.executable]
print(json.dumps({"pynguin": found, "python": sys.version_info[:2], "roots": roots}))
"""


@dataclass(frozen=True)
class Pynguin:
    """An interpreter with pynguin: its command, pynguin's version, and the directories that it must be able to read."""

    python: Path
    version: str
    roots: tuple[Path, ...]

    @property
    def name(self) -> str:
        """Who wrote the tests, as the evidence names it."""
        return f"pynguin {self.version}"


def find_pynguin() -> Pynguin:
    """The interpreter of `MILLWRIGHT_PYNGUIN`, else the one that `make pynguin` made. Blocks.

    Raises:
        UsageError: there is none, or it has no pynguin that is known here.
    """
    named = os.environ.get(VARIABLE)
    python = Path(named) if named else Path(tools.__path__[0]).parent / FOLDER / "bin" / "python"
    if not named and not python.exists():
        raise UsageError(
            f"pynguin is not installed: run `make pynguin`, or set {VARIABLE} to a Python that has pynguin {SERIES}"
        )
    return _asked(python.absolute())


@functools.cache
def _asked(python: Path) -> Pynguin:
    """What an interpreter says of itself."""
    command = [str(python), "-I", "-c", _ASKED]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        said = json.loads(ran.stdout)
        version, release = str(said["pynguin"]), tuple(said["python"])
        places = [Path(place) for place in said["roots"]]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(
            f"{str(python)!r} cannot be run ({error}); set {VARIABLE} to a Python that has pynguin"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{str(python)!r} is no Python; set {VARIABLE} to one that has pynguin") from error
    if not version.startswith(f"{SERIES}."):
        has = f"pynguin {version}" if version else "no pynguin"
        raise UsageError(f"{str(python)!r} has {has}, and {SERIES} is needed: run `make pynguin`")
    if release < (3, 11):
        raise UsageError(f"{str(python)!r} is Python {release[0]}.{release[1]}, and 3.11 or newer is needed")
    return Pynguin(python, version, tuple(path for place in places for path in (place, place.resolve())))
