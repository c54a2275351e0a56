"""The guide to proofs says what is so: its commands work, and it names every check."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from forgery import attested, members, packed

from millwright.proof import prove

GUIDE = (Path(__file__).parents[2] / "docs" / "proof.md").read_text(encoding="utf-8")
TOOLS = ("bash", "jq", "openssl", "git", "sha256sum", "diff")


def checked_by_hand(zipped: str, key: Ed25519PrivateKey, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the guide's commands say of a zip."""
    (folder / "zip").mkdir(parents=True)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder / "zip")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    script = "\n".join(["set -euo pipefail", *re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)])
    return subprocess.run(["bash", "-c", script], cwd=folder / "zip", capture_output=True, text=True)


@pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason="a tool of the guide is not installed"
)
def test_a_run_can_be_checked_with_the_guides_commands_alone(delivered: Any, tmp_path: Path) -> None:
    key, found = Ed25519PrivateKey.generate(), members(delivered.zip)
    signed = attested(found, key)
    honest = checked_by_hand(packed(tmp_path / "honest.zip", signed), key, tmp_path / "honest")
    assert honest.returncode == 0, honest.stdout + honest.stderr
    assert "Signature Verified Successfully" in honest.stdout
    for number, forged in enumerate(
        (
            signed | {"workspace/notes.md": b"# Others\n"},
            attested(found, Ed25519PrivateKey.generate()),
            attested(found | {"ledger.jsonl": found["ledger.jsonl"].replace(b"notes.md", b"novel.md")}, key),
            attested({name: content for name, content in found.items() if "0002-" not in name}, key),
        )
    ):
        path = packed(tmp_path / f"{number}.zip", forged)
        assert checked_by_hand(path, key, tmp_path / str(number)).returncode != 0


def test_the_guide_names_every_check_in_order(delivered: Any) -> None:
    proof = prove(str(delivered.zip), rerun=False)
    assert re.findall(r"^\| (\w+) \| ", GUIDE, re.MULTILINE)[1:] == [check.name for check in proof.checks]
