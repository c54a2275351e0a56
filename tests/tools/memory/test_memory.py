"""The memory as its callers have it: found again, admitted once, and never worse off for an embedder that is away."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from servers.embeddings import EmbeddingServer
from shelf import offered

from tools.errors import UsageError
from tools.memory.embeddings.lexical import Lexical
from tools.memory.memory import Memory, have_skills, open_memory
from tools.memory.records import SkillState
from tools.memory.reembedding import missing, spaces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SKILLS = {
    "takt_time": "Available production time per unit of demand, in minutes.",
    "mean_of_ranges": "Average spread of the samples of a chart.",
    "reverse_words": "Reverse the order of the words in a text.",
}


def fill(memory: Memory) -> None:
    for name, description in SKILLS.items():
        memory.admit(offered(name, description=description, tags=(name[:4],)), key=name)


def names(memory: Memory, text: str, **how: object) -> list[str]:
    return [hit.skill.name for hit in memory.search(text, **how)]


@pytest.fixture
def memory(home: Path) -> Memory:
    memory = open_memory(home)
    fill(memory)
    return memory


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        yield server


def test_a_skill_is_found_by_likeness_words_and_name(memory: Memory) -> None:
    assert names(memory, "order of the words of a sentence, reversed")[0] == "reverse_words"
    hits = memory.search("TaktTime")
    assert (hits[0].skill.name, hits[0].identifier, len(hits)) == ("takt_time", True, 1)
    assert (hits.means, hits.degraded) == ("lexical", True)


def test_below_the_floor_nothing_is_found(memory: Memory) -> None:
    assert names(memory, "Bake a cake with cherries") == []
    assert names(memory, "?!") == []


def test_tags_and_states_narrow_a_search(memory: Memory) -> None:
    memory.library.change_state("takt_time-1", SkillState.SUSPENDED, "it failed", key="s")
    assert names(memory, "takt_time") == []
    assert names(memory, "takt_time", states=tuple(SkillState)) == ["takt_time"]
    assert names(memory, "samples of a chart, or words", tags=["mean"]) == ["mean_of_ranges"]
    assert names(memory, "", tags=["reve"]) == ["reverse_words"]
    assert names(memory, "") == []


def test_a_name_is_answered_once_by_the_version_that_it_stands_for(memory: Memory) -> None:
    better = "Available production time per unit of demand, in seconds."
    memory.admit(offered("takt_time", description=better, ast_hash="2"), key="2")
    memory.admit(offered("takt_time", description=better, ast_hash="3", proved=False), key="3")
    assert [hit.skill.id for hit in memory.search("production time per unit of demand")] == ["takt_time-2"]
    assert [hit.skill.id for hit in memory.search("takt_time-1")] == ["takt_time-2"]


def test_what_only_a_far_version_fits_is_looked_for_further_down(memory: Memory) -> None:
    for number in range(60):
        new = offered(f"chart_{number}", description="Average spread of samples.", tags=(), ast_hash=f"c{number}")
        memory.library.admit(new, key=f"c{number}")
    assert names(memory, "average spread of samples", tags=["mean"]) == ["mean_of_ranges"]


def test_what_proved_useful_comes_before_its_equal(memory: Memory) -> None:
    from shelf import used

    for name in ("first", "second"):
        memory.admit(offered(name, description="Sigma of a process.", tags=()), key=name)
    for number in range(12):
        memory.library.record_use(used("second-1", f"r{number}"))
        memory.library.settle(f"r{number}", verified=True)
    assert names(memory, "sigma of the process") == ["second", "first"]


def test_the_same_key_admits_once_and_the_copies_are_there_when_it_returns(memory: Memory, home: Path) -> None:
    again = memory.admit(offered("takt_time"), key="takt_time")
    assert again.version == 1
    assert {path.name for path in (home / "nodes").iterdir()} == {f"{name}-1" for name in SKILLS}
    memory.wait()
    assert memory.health().counts == {"database": 3, "nodes": 3, "index.json": 3, "chroma": None}


def test_what_is_forgotten_is_found_nowhere(memory: Memory, home: Path) -> None:
    assert memory.forget("takt_time") > 0
    assert names(memory, "takt_time") == names(memory, "production time per unit of demand") == []
    assert not (home / "nodes" / "takt_time-1").exists()
    assert "takt_time" not in (home / "tools" / "index.json").read_text()
    assert memory.forget("takt_time") == 0


def test_one_directory_has_one_memory_in_a_process(home: Path, tmp_path: Path) -> None:
    opened: list[Memory] = []
    threads = [threading.Thread(target=lambda: opened.append(open_memory(home))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, opened))) == 1
    assert open_memory(tmp_path / "other") is not opened[0]
    opened[0].close()
    assert open_memory(home) is not opened[0]


def test_other_processes_admissions_are_found_without_opening_anew(memory: Memory, home: Path) -> None:
    assert names(memory, "weigh a parcel") == []
    code = (
        "from pathlib import Path; from shelf import offered; from tools.memory.memory import open_memory; import sys\n"
        "open_memory(Path(sys.argv[1])).admit(offered('weigh', description='Weigh a parcel.'), key='w')"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(home)], check=True, env={**environment(), "PYTHONPATH": ".:tests"}
    )
    assert names(memory, "weigh a parcel") == ["weigh"]


def environment() -> dict[str, str]:
    import os

    return dict(os.environ)


def test_whether_there_are_skills_is_told_without_anything_heavy(home: Path) -> None:
    assert not have_skills(home)
    memory = open_memory(home)
    assert not have_skills(home)
    memory.admit(offered(proved=False), key="1")
    assert not have_skills(home)
    memory.admit(offered("proved", ast_hash="2"), key="2")
    assert have_skills(home)
    code = (
        "import sys; from tools.memory.memory import have_skills; assert have_skills()\n"
        "print([name for name in ('numpy', 'chromadb', 'langchain_chroma', 'langgraph', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment()
    )
    assert done.stdout.strip() == "[]"


def test_meanings_are_found_where_a_model_makes_the_vectors(
    server: EmbeddingServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLWRIGHT_EMBEDDINGS", "ollama")
    memory = open_memory(home)
    fill(memory)
    memory.admit(offered("beat", description="rhythm of a customer", tags=()), key="b")
    hits = memory.search("pace of a buyer")
    assert (hits[0].skill.name, hits.means, hits.degraded) == ("beat", "ollama:nomic-embed-text:latest", False)


def test_an_embedder_that_dies_is_an_outage_and_not_a_loss(
    server: EmbeddingServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLWRIGHT_EMBEDDINGS", "ollama")
    memory = open_memory(home)
    fill(memory)
    whole, server.say = server.say, lambda _: (500, {"error": "out of memory"})
    memory.admit(offered("mode", description="The value that comes most often."), key="m")
    for text in ("takt_time", "production time per unit of demand", "the value that comes most often"):
        hits = memory.search(text)
        assert hits[0].skill.name == ("mode" if "value" in text else "takt_time")
        assert hits.degraded
        assert "does not answer" in hits.means
    assert missing(memory.library, memory.embedder.fingerprint) == 1
    memory.wait()
    server.say = whole
    memory.embedder._silent_until = 0.0
    memory.catch_up()
    assert missing(memory.library, memory.embedder.fingerprint) == 0
    assert not memory.search("the value that comes most often").degraded


def test_another_embedder_takes_over_when_it_has_embedded_everything(
    memory: Memory, server: EmbeddingServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.close()
    monkeypatch.setenv("MILLWRIGHT_EMBEDDINGS", "ollama")
    gate, whole = threading.Event(), server.say

    def slowly(body: dict) -> tuple[int, object]:
        gate.wait(60)
        return whole(body)

    server.say = slowly
    memory = open_memory(home)
    hits = memory.search("order of the words, reversed")
    assert (hits[0].skill.name, hits.means) == ("reverse_words", "lexical")
    gate.set()
    memory.wait()
    hits = memory.search("order of the words, backwards")
    assert (hits[0].skill.name, hits.means) == ("reverse_words", "ollama:nomic-embed-text:latest")
    assert spaces(memory.library) == {Lexical.fingerprint: 3, memory.embedder.fingerprint: 3}
    memory.reindex()
    assert spaces(memory.library) == {memory.embedder.fingerprint: 3}


def test_what_a_killed_process_left_undone_the_next_one_does(home: Path) -> None:
    from shelf import library_in

    library = library_in(home)
    library.admit(offered(), key="1")
    library.database.close()
    memory = open_memory(home)
    memory.wait()
    assert (home / "nodes" / "takt_time-1" / "main.py").is_file()
    assert missing(memory.library, memory.embedder.fingerprint) == 0


def test_a_setting_that_means_nothing_is_told_when_it_is_used(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.close()
    monkeypatch.setenv("MILLWRIGHT_CHROMA", "on")
    with pytest.raises(UsageError, match="auto, off or http://host:port"):
        open_memory(memory.home).search("takt")
