"""Which names a workspace file may have: pure string rules, no input or output.

The rules are the same on every platform, because a delivered zip travels: a name that Windows reserves or that
macOS folds into `.git` is refused on Linux too. They do not confine anything; `confined` does, at the descriptor.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import NoReturn

from tools.errors import PathRefused

MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
MAX_DEPTH = 32
TEMPORARY = ".millwright-tmp-"

_SHOWN = 100
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WINDOWS_CHARACTERS = re.compile(r'[<>:"|?*]')
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)")
_WINDOWS_SHORT_NAME = re.compile(r"~[0-9]+(\.|$)")
_SEPARATORS = re.compile(r"[/\\]+")

# Whoever opens, clones or enters the delivered directory runs what stands in these, or gives secrets away.
_PROTECTED = re.compile(
    r"\.git|git~\d+|\.hg|\.svn|\.bzr|\.gitmodules|gitmod~\d+|\.gitconfig|\.husky|\.githooks"
    r"|\.pre-commit-(config|hooks)\.ya?ml|\.?lefthook(-local)?\.(ya?ml|toml|json)"
    r"|\.vscode(-server)?|\.idea|\.vs|\.fleet|\.zed|\.nova|.*\.code-workspace|\.devcontainer(\.json)?"
    r"|\.claude|\.codex|\.gemini|\.cursor|\.windsurf|\.continue|\.aider.*|\.mcp\.json|\.millwright.*"
    r"|\.env.*|\.direnv|\.bash(rc|_profile|_login|_logout)|\.profile|\.z(shrc|shenv|profile|login|logout)|\.inputrc"
    r"|\.(n?vimrc|nvim\.lua|exrc)|\.dir-locals\.el|\.(gdbinit|lldbinit|pdbrc)|\.pythonrc(\.py)?"
    r"|(site|user)customize(\.py)?|.*\.(pth|egg-link|py[co])|pyvenv\.cfg|__pycache__"
    r"|\.npmrc|\.yarnrc(\.yml)?|\.pypirc|\.netrc|\.ssh|\.gnupg|\.aws"
)

_EXECUTED: dict[str, re.Pattern[str]] = {
    "push": re.compile(
        r"(.*/)?(\.(github|forgejo|gitea)/(workflows|actions)/.+|\.(circleci|buildkite|woodpecker|ci)/.+"
        r"|\.(gitlab-ci|travis|drone|woodpecker|appveyor|cirrus)\.ya?ml|(appveyor|azure-pipelines)\.ya?ml"
        r"|bitbucket-pipelines\.ya?ml|cloudbuild\.ya?ml|jenkinsfile)"
    ),
    "test": re.compile(
        r"(.*/)?(conftest\.py|\.?pytest\.(ini|toml)|tox\.(ini|toml)|setup\.cfg|noxfile\.py|\.coveragerc"
        r"|(jest|vitest|playwright|cypress|karma|ava)\.conf(ig)?\.[a-z]+|\.mocharc\.[a-z]+)"
    ),
    "build": re.compile(
        r"(.*/)?(pyproject\.toml|setup\.py|hatch_build\.py|requirements[^/]*\.(txt|in)|pipfile|environment\.ya?ml"
        r"|(gnu)?makefile(\.[^/]+)?|[^/]+\.(mk|cmake)|cmakelists\.txt|configure(\.ac)?|meson\.build|sconstruct"
        r"|justfile|taskfile\.ya?ml|rakefile|gemfile|[^/]+\.gemspec|package\.json|\.pnpmfile\.cjs|binding\.gyp"
        r"|(webpack|vite|rollup|esbuild|babel|next|nuxt|svelte|astro|postcss|tailwind)\.config\.[a-z]+"
        r"|gulpfile\.[a-z]+|gruntfile\.[a-z]+|cargo\.toml|build\.rs|build\.zig|go\.work|magefile\.go|pom\.xml"
        r"|(settings|build)\.gradle(\.kts)?|build\.sbt|module\.bazel|(workspace|build)(\.bazel)?|[^/]+\.(cs|fs|vb)proj"
        r"|directory\.build\.(props|targets)|(docker|container)file(\.[^/]+)?|(docker-)?compose(\.[^/]+)?\.ya?ml)"
    ),
}


def checked(path: str, *, strip_prefix: str | None = None) -> str:
    """Return the one spelling of a workspace-relative POSIX path.

    A leading `strip_prefix` (the workspace's name or its absolute path) is taken off when it matches whole
    components; `.` and doubled or trailing slashes go as well. Nothing else is repaired.

    Raises:
        PathRefused: with `reason` empty, absolute, traversal, backslash, control_character, not_nfc,
            reserved_name, protected, too_long or too_deep.
    """
    return _canonical(path, strip_prefix)


def protected(path: str) -> bool:
    """Tell whether any component of `path` is on the deny list, however its letters are disguised."""
    return any(_PROTECTED.fullmatch(part) for part in _folded(path))


def executes_on(path: str) -> str | None:
    """Tell when others will run this file unasked: on "test", "build" or "push"; None for an ordinary file."""
    folded = "/".join(_folded(path))
    return next((event for event, pattern in _EXECUTED.items() if pattern.fullmatch(folded)), None)


@functools.lru_cache(maxsize=4096)  # the same few paths are checked all the time; a refusal is not kept
def _canonical(path: str, strip_prefix: str | None) -> str:
    _check_text(path)
    parts = [part for part in _without_prefix(path, strip_prefix).split("/") if part not in ("", ".")]
    if not parts:
        _refuse(path, "empty", "names no file", "give a file's path such as 'src/app.py'")
    for part in parts:
        _check_component(path, part)
    if len(parts) > MAX_DEPTH:
        _refuse(path, "too_deep", f"has {len(parts)} levels", f"use at most {MAX_DEPTH}")
    canonical = "/".join(parts)
    if protected(canonical):
        _refuse(
            path,
            "protected",
            "is a protected name, because tools run such files unasked or keep secrets in them",
            "leave it out, or choose another name (such as 'env.example' for an example of '.env')",
        )
    return canonical


def _check_text(path: str) -> None:
    if not path.strip():
        _refuse(path, "empty", "names no file", "give a file's path such as 'src/app.py'")
    size = len(path.encode(errors="surrogatepass"))
    if size > MAX_PATH_BYTES:
        _refuse(path, "too_long", f"has {size} bytes", f"use at most {MAX_PATH_BYTES}")
    # Not printable are categories Cc, Cf, Cs, Co, Cn, Zl, Zp, and every space that only looks like one.
    if not path.isprintable():
        character = next(c for c in path if not c.isprintable())
        _refuse(
            path,
            "control_character",
            f"holds U+{ord(character):04X}, a control, invisible or unassigned character",
            "use letters, digits, '-', '_', '.' and '/'",
        )
    if not unicodedata.is_normalized("NFC", path):
        _refuse(path, "not_nfc", "is not in Unicode form NFC", f"write {unicodedata.normalize('NFC', path)!r}")


def _without_prefix(path: str, prefix: str | None) -> str:
    """Take the workspace's own name off; what is still absolute is refused."""
    if prefix is not None and path.startswith("/") == prefix.startswith("/"):
        names = [name for name in path.split("/") if name not in ("", ".")]
        leading = [name for name in prefix.split("/") if name not in ("", ".")]
        if leading and names[: len(leading)] == leading:
            return "/".join(names[len(leading) :])
    if path[0] in "/\\~" or _ADDRESS.match(path):
        _refuse(
            path,
            "absolute",
            "is absolute, of a home directory, or an address",
            "give it relative to the workspace, such as 'src/app.py'",
        )
    return path


def _check_component(path: str, part: str) -> None:
    plain = unicodedata.normalize("NFKC", part)
    if plain in (".", "..") or "/" in plain:
        _refuse(path, "traversal", f"holds {part!r}, which leads out of its directory", "name the file directly")
    if "\\" in plain:
        _refuse(path, "backslash", "holds a backslash", "separate directories with '/'")
    if len(part.encode()) > MAX_NAME_BYTES:
        _refuse(path, "too_long", f"has a name of {len(part.encode())} bytes", f"use at most {MAX_NAME_BYTES}")
    if plain[0] == " " or plain[-1] in " .":
        _refuse(path, "reserved_name", f"holds {part!r}", "begin no name with a space and end none with ' ' or '.'")
    if match := _WINDOWS_CHARACTERS.search(plain):
        _refuse(path, "reserved_name", f"holds {match[0]!r}, which Windows reserves", "leave that character out")
    if _WINDOWS_DEVICE.match(plain.casefold()) or _WINDOWS_DEVICE.match(part.casefold()):
        _refuse(path, "reserved_name", f"holds {part!r}, a device on Windows", "choose another name")
    if _WINDOWS_SHORT_NAME.search(plain):
        _refuse(path, "reserved_name", f"holds {part!r}, a short name on Windows", "choose a name without '~'")


def _folded(path: str) -> list[str]:
    """The components as the most forgiving file system would compare them.

    Case (NTFS, APFS), compatibility forms, characters that HFS+ ignores, NTFS streams, trailing dots and spaces.
    """
    text = path
    if not path.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    parts = (part.partition(":")[0].rstrip(" .") for part in _SEPARATORS.split(text.casefold()))
    return [part for part in parts if part]


def _refuse(path: str, reason: str, what: str, way_out: str) -> NoReturn:
    shown = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"
    raise PathRefused(f"the path {shown!r} {what}; {way_out}", reason=reason)
