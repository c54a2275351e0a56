"""Hostile and careless names: one spelling or a refusal that says how to do better."""

from __future__ import annotations

import posixpath
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tools.errors import PathRefused
from tools.workspace.names import MAX_DEPTH, MAX_NAME_BYTES, checked, executes_on, protected

# fmt: off
REFUSED = {
    "empty": ["", " ", ".", "./", "././.", "\u3000"],
    "traversal": [
        "..", "../x", "a/../../x", "a/..", "a/../b", "\uff0e\uff0e/x", "a/\u2025/b", "a\uff0f\uff0e\uff0e",
        "a\u2100b",
    ],
    "absolute": [
        "/etc/passwd", "//server/share", "~", "~/x", "~root/x", "file:///etc/passwd", "C:/x", "C:x", "c:\\x",
        "\\\\server\\share", "\\x", "https://host/x", "data:text/plain,x",
    ],
    "backslash": ["a\\b", "src\\..\\..\\x", "a\uff3cb"],
    "control_character": [
        "a\0b", "a\nb", "a\r", "a\tb", "\x1b[31mred", "a\x7f", "a\x85b", "\ud800", "a\ue000b", "a\u2028b",
        "a\u2029b", "\u202egpj.exe", "a\u2066b", ".gi\u200ct/config", "a\u200bb", "\ufeffa", "a\u00adb", "a\u0378b",
        "a\u00a0b",
    ],
    "not_nfc": ["cafe\u0301.py", "\u212b.txt", "a/\u1100\u1161"],
    "reserved_name": [
        "aux", "AUX.txt", "src/con", "nul.tar.gz", "COM1", "lpt9.py", "com\u00b9", "CONIN$", "aux .txt", "a.", "a ",
        " a", "a/b./c", "a/b /c", "a\u2026", "src/x:stream", "a/x:$DATA", "a<b", 'a"b', "a|b", "a?b",
        "a*b", "\uff41\uff1a\uff42", "PROGRA~1", "GIT~1", "a/LONGNA~2.TXT",
    ],
    "protected": [
        ".git", ".git/config", "a/.git/hooks/pre-commit", ".GIT/hooks/x", ".Git", "\uff0egit/config",
        ".\uff47\uff49\uff54/x", ".vscode/tasks.json", ".idea/workspace.xml", ".envrc", ".env", ".env.local",
        "a/.ENV", ".mcp.json", ".claude/settings.json", ".codex/config.toml", ".cursor/mcp.json",
        "sitecustomize.py", "lib/SiteCustomize.py", "\u017fitecustomize.py", "usercustomize.py", "x.pth",
        "a/b/X.PTH", ".gitmodules", ".pre-commit-config.yaml", ".husky/pre-push", ".devcontainer/devcontainer.json",
        ".npmrc", ".pypirc", ".netrc", "__pycache__/x.cpython-311.pyc", "m.pyc", ".bashrc", ".pdbrc", "pyvenv.cfg",
        "x.code-workspace", ".millwright/runs", ".millwright-tmp-00", ".ssh/id_rsa",
    ],
    "too_long": ["a" * (MAX_NAME_BYTES + 1), "\u00e9" * 128, "/".join(["abc"] * 400)],
    "too_deep": ["/".join("a" * (MAX_DEPTH + 1))],
}
ALLOWED = [
    "a", "a..b", "..a", "...a", "src/app.py", "a b.txt", "na\u00efve.py", "\u65e5\u672c.md", "emoji-\U0001f600.txt",
    "[id].tsx", "(group)/page.tsx", ".gitignore", ".gitattributes", ".gitkeep", ".github/workflows/ci.yml",
    "env.example", "conftest.py", "Makefile", "console.py", "com10.py", "auxiliary.c", "nullable.py", "aux_.py",
    "environment.py", "git/x", "my.git.txt", "a" * MAX_NAME_BYTES, "/".join("a" * MAX_DEPTH), "-rf", "$HOME", "a;b",
    "#x#", "file~", "@scope/x.js", "x.pth.txt",
]
EVENTS = {
    "test": ["conftest.py", "tests/unit/conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "jest.config.ts"],
    "build": [
        "pyproject.toml", "setup.py", "Makefile", "MAKEFILE", "sub/rules.mk", "package.json", "Dockerfile",
        "Dockerfile.dev", "docker-compose.yml", "build.rs", "requirements-dev.txt",
    ],
    "push": [
        ".github/workflows/ci.yml", ".GitHub/Workflows/x.yaml", ".gitlab-ci.yml", "Jenkinsfile",
        ".circleci/config.yml",
    ],
    None: [
        "src/app.py", "README.md", "src/conftest_of.py", "mypyproject.toml", "module", "build/lib/x.py",
        "docs/requirements.md",
    ],
}
PIECES = [
    "..", ".", "", "~", "a", "src", "\uff0e\uff0e", ".git", "aux", "x:y", "a\\b", "\u202e", "\0", "\ud800",
    "\u00e9", "e\u0301", "A~1", " ",
]
# fmt: on


@pytest.mark.parametrize(("reason", "path"), [(r, p) for r, paths in REFUSED.items() for p in paths])
def test_a_hostile_name_is_refused_with_its_reason(reason: str, path: str) -> None:
    with pytest.raises(PathRefused) as refused:
        checked(path)
    assert refused.value.reason == reason


@pytest.mark.parametrize("path", [p for paths in REFUSED.values() for p in paths])
def test_the_sentence_is_short_printable_and_shows_a_way_out(path: str) -> None:
    with pytest.raises(PathRefused) as refused:
        checked(path)
    message = str(refused.value)
    assert message.isprintable()
    assert len(message) < 1000
    assert "; " in message


def test_a_path_of_megabytes_is_refused_in_one_short_sentence() -> None:
    with pytest.raises(PathRefused, match="has 10000000 bytes; use at most 1024") as refused:
        checked("x" * 10_000_000)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("path", ALLOWED)
def test_an_ordinary_name_passes_unchanged(path: str) -> None:
    assert checked(path) == path


@pytest.mark.parametrize(
    "path", ["./src/app.py", "src//app.py", "src/./app.py", "src/app.py/", ".//src///app.py/."]
)
def test_spellings_of_one_path_become_one(path: str) -> None:
    assert checked(path) == "src/app.py"


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        ("workspace", "workspace/src/x.py"),
        ("workspace", "./workspace//src/x.py"),
        ("workspace/", "workspace/src/x.py"),
        ("workspace", "src/x.py"),
        ("/home/me/run/workspace", "/home/me/run/workspace/src/x.py"),
        ("/home/me/run/workspace", "src/x.py"),
    ],
)
def test_the_workspaces_own_name_in_front_is_taken_off(prefix: str, path: str) -> None:
    assert checked(path, strip_prefix=prefix) == "src/x.py"


@pytest.mark.parametrize(
    ("prefix", "path", "reason"),
    [
        ("/work", "/work2/x", "absolute"),
        ("/work", "/workx", "absolute"),
        ("/work", "/etc/passwd", "absolute"),
        ("/work", "/work/../etc/passwd", "traversal"),
        ("/work", "/work", "empty"),
        ("/work", "/work//", "empty"),
        ("/", "/etc/passwd", "absolute"),
        ("work", "work/../../x", "traversal"),
        ("/work", "/work/.git/config", "protected"),
    ],
)
def test_a_prefix_counts_by_whole_components_only(prefix: str, path: str, reason: str) -> None:
    with pytest.raises(PathRefused) as refused:
        checked(path, strip_prefix=prefix)
    assert refused.value.reason == reason


def test_a_longer_name_that_begins_like_the_prefix_is_another_directory() -> None:
    assert checked("workspace2/x", strip_prefix="workspace") == "workspace2/x"


@pytest.mark.parametrize(
    "path", [".g\u200cit/config", ".git::$INDEX_ALLOCATION/x", ".git. /x", "a\\.GIT\\x", "git~1/x"]
)
def test_disguises_are_seen_through_also_by_the_deny_list_alone(path: str) -> None:
    assert protected(path)


@pytest.mark.parametrize(("event", "path"), [(event, path) for event, paths in EVENTS.items() for path in paths])
def test_files_that_others_run_unasked_are_flagged(event: str | None, path: str) -> None:
    assert executes_on(path) == event


_piece = st.one_of(st.sampled_from(PIECES), st.text(max_size=6))
_hostile = st.one_of(st.text(max_size=40), st.lists(_piece, max_size=6).map("/".join))


@given(_hostile)
@example("a/./../b")
@settings(deadline=None, max_examples=300)
def test_whatever_passes_is_canonical_and_stays_inside(path: str) -> None:
    try:
        canonical = checked(path)
    except PathRefused:
        return
    assert checked(canonical) == canonical
    assert posixpath.normpath(canonical) == canonical
    assert not canonical.startswith(("/", "~"))
    folded = unicodedata.normalize("NFKC", canonical)
    assert not {"..", ".", ""} & set(folded.split("/"))
    assert posixpath.join("/root", folded).startswith("/root/")
    assert not protected(canonical)
    assert canonical.isprintable()
