"""The house keeps its own rules: sizes, rooms, and documents that say what the code does."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(__file__).parents[1]
ROOMS = ("millwright", "graphs", "agents", "tools")
MODULES = sorted(path for room in ROOMS for path in (HOME / room).rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_module_and_no_function_holds_two_ideas() -> None:
    long = [f"{p.relative_to(HOME)}: {n}" for p in MODULES if (n := p.read_text().count("\n")) > LONGEST_MODULE]
    long += [
        f"{p.name}:{f.name}: {length(f)}" for p in MODULES for f in functions(p) if length(f) > LONGEST_FUNCTION
    ]
    assert long == []


def test_the_typical_module_and_function_are_small() -> None:
    sizes = [path.read_text().count("\n") for path in MODULES if path.name != "__init__.py"]
    lengths = sorted(length(function) for path in MODULES for function in functions(path))
    assert median(sizes) <= 160
    assert median(lengths) <= 12
    assert lengths[int(0.9 * len(lengths))] <= 30


def test_a_broad_handler_says_why() -> None:
    bare = [
        f"{path.relative_to(HOME)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"except (Base)?Exception\b[^#]*$", line)
    ]
    cleaned_up = [place for place in bare if not _raises_again(place)]
    assert cleaned_up == []


def _raises_again(place: str) -> bool:
    """Tell whether the handler at file:line ends by raising what it caught."""
    name, _, number = place.rpartition(":")
    for node in ast.walk(ast.parse((HOME / name).read_text())):
        if isinstance(node, ast.ExceptHandler) and node.lineno == int(number):
            last = node.body[-1]
            return isinstance(last, ast.Raise) and last.exc is None
    return False


def test_only_the_graphs_room_assembles_graphs() -> None:
    guilty = [
        str(path.relative_to(HOME))
        for path in MODULES
        if path.parts[len(HOME.parts)] in ("agents", "tools") and "langgraph.graph" in path.read_text()
    ]
    assert guilty == []


def test_the_readme_shows_the_graph_as_it_is() -> None:
    from graphs.build import graph

    readme = (HOME / "README.md").read_text()
    (shown,) = re.findall(r"```mermaid\n(.*?)```", readme, re.DOTALL)
    assert shown.strip() == graph.get_graph().draw_mermaid().strip()


def test_langgraph_json_names_graphs_that_exist() -> None:
    config = json.loads((HOME / "langgraph.json").read_text())
    for entry in config["graphs"].values():
        module, _, name = (entry["path"] if isinstance(entry, dict) else entry).partition(":")
        assert hasattr(import_module(module), name)


def test_every_python_block_of_the_documents_compiles() -> None:
    for document in [HOME / "README.md", *(HOME / "docs").rglob("*.md")]:
        for block in re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL):
            compile(block, str(document), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (HOME / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^    make ([a-z]+)", (HOME / "README.md").read_text(), re.MULTILINE))
    assert named
    assert named <= targets


def test_constraints_pin_every_dependency_with_hashes_and_without_addresses() -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pinned = (HOME / "constraints.txt").read_text()
    assert "://" not in pinned
    for requirement in wanted:
        name = re.split(r"[\[<>=]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}(\[[a-z]+\])?==\S+.*\\$", pinned, re.MULTILINE | re.IGNORECASE), name
        assert ">=" in requirement
        assert "<" in requirement.split(">=")[1], f"{requirement} has no upper bound"


@pytest.mark.parametrize("name", ["_private", "nothing"])
def test_the_public_package_exports_what_it_says(name: str) -> None:
    import millwright

    for public in millwright.__all__:
        assert getattr(millwright, public) is not None
    with pytest.raises(AttributeError, match=name):
        getattr(millwright, name)
