"""The encrypted file: nothing of it is readable, nothing of it can be changed unseen, and no key opens it but its own."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyrage.x25519 import Identity
from typer.testing import CliRunner

from services import vault
from services.cli import app
from services.operations.backup import archive
from services.operations.backup.documents import Damaged, encode
from services.operations.backup.sources import Archive, check, open_backup
from services.settings import Misconfigured
from services.vault import BackupKeys
from services.vault.backup_keys import FILE

CHUNK = 64 * 1024 + 16  # bytes of a chunk of the age format, with its tag
PIECES = [(f"enrolment/worker/{n:08}.bson", os.urandom(200_000)) for n in range(12)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    vault.make_keys(tmp_path / "keys", ["enrolment"])
    return tmp_path / "keys"


@pytest.fixture
def keys(folder: Path) -> BackupKeys:
    return BackupKeys.load(folder / FILE)


@pytest.fixture
def file(tmp_path: Path, keys: BackupKeys) -> Path:
    archive.write(tmp_path / "backup.age", keys, PIECES)
    return tmp_path / "backup.age"


def payload_at(content: bytes) -> int:
    """The place of the first chunk, after the header and its nonce."""
    return content.index(b"\n", content.index(b"\n--- ") + 1) + 1 + 16


def test_what_was_written_is_read_and_nothing_of_it_is_in_the_file(file: Path, keys: BackupKeys) -> None:
    assert list(archive.read(file, keys)) == PIECES
    content = file.read_bytes()
    assert b"enrolment" not in content
    assert not any(piece[:32] in content for _, piece in PIECES)
    assert file.stat().st_mode & 0o077 == 0


def test_the_key_is_not_in_the_file_and_neither_is_its_public_half(file: Path, folder: Path) -> None:
    content = file.read_bytes()
    secret = next(line for line in (folder / FILE).read_text().splitlines() if not line.startswith("#"))
    public = str(Identity.from_str(secret).to_public())
    assert secret.encode() not in content
    assert public.encode() not in content


def test_a_few_documents_more_do_not_show_in_the_size(tmp_path: Path, keys: BackupKeys) -> None:
    for name, size in (("one", 1_000), ("other", 300_000)):
        archive.write(tmp_path / name, keys, [("enrolment/worker/0.bson", bytes(size))])
    # The header has a line of random length, so the sizes from the first chunk on are compared.
    one, other = ((tmp_path / name).read_bytes() for name in ("one", "other"))
    assert len(one) - payload_at(one) == len(other) - payload_at(other)


def changed(content: bytes) -> Iterator[tuple[str, bytes]]:
    first = payload_at(content)
    chunks = [content[at : at + CHUNK] for at in range(first, len(content), CHUNK)]
    head = content[:first]
    yield (
        "a bit in the middle",
        content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :],
    )
    yield "a bit in the header", content[:40] + bytes([content[40] ^ 1]) + content[41:]
    yield "a bit at the end", content[:-1] + bytes([content[-1] ^ 1])
    yield "cut in a chunk", content[:-100]
    yield "cut between chunks", head + b"".join(chunks[:-1])
    yield "cut after the header", head
    yield "two chunks exchanged", head + chunks[1] + chunks[0] + b"".join(chunks[2:])
    yield "a chunk twice", head + chunks[0] + chunks[0] + b"".join(chunks[1:])
    yield "a chunk left out", head + b"".join(chunks[1:])
    yield "something behind the end", content + b"more"


def test_whatever_is_changed_is_damaged(file: Path, keys: BackupKeys, tmp_path: Path) -> None:
    for what, content in changed(file.read_bytes()):
        other = tmp_path / "other.age"
        other.write_bytes(content)
        with pytest.raises((Damaged, Misconfigured), match=r"is not what was written|opens it"):
            pytest.fail(f"{what}: {len(list(archive.read(other, keys)))} pieces were read")


def test_a_part_of_another_backup_cannot_take_the_place_of_one(file: Path, keys: BackupKeys, tmp_path: Path) -> None:
    archive.write(tmp_path / "second.age", keys, PIECES)
    ours, theirs = file.read_bytes(), (tmp_path / "second.age").read_bytes()
    at, there = payload_at(ours), payload_at(theirs)
    mixed = tmp_path / "mixed.age"
    mixed.write_bytes(ours[: at + CHUNK] + theirs[there + CHUNK : there + 2 * CHUNK] + ours[at + 2 * CHUNK :])
    with pytest.raises(Damaged):
        list(archive.read(mixed, keys))


def test_another_key_is_one_sentence_and_a_rotated_one_opens_old_and_new(
    file: Path, folder: Path, tmp_path: Path
) -> None:
    vault.make_keys(tmp_path / "others", ["enrolment"])
    with pytest.raises(Misconfigured, match=r"None of the keys in .* opens it"):
        list(archive.read(file, BackupKeys.load(tmp_path / "others" / FILE)))
    rotated = CliRunner().invoke(app, ["keys", "rotate", str(folder), "--backup"])
    assert rotated.exit_code == 0, rotated.output
    old, both = (folder / FILE).read_text(), BackupKeys.load(folder / FILE)
    archive.write(tmp_path / "new.age", both, PIECES)
    assert list(archive.read(file, both)) == list(archive.read(tmp_path / "new.age", both)) == PIECES
    newest = tmp_path / "newest.agekey"
    newest.write_text(old.splitlines()[-1])
    newest.chmod(0o600)
    assert list(archive.read(tmp_path / "new.age", BackupKeys.load(newest))) == PIECES
    with pytest.raises(Misconfigured):
        list(archive.read(file, BackupKeys.load(newest)))
    listed = CliRunner().invoke(app, ["keys", "list", str(folder)]).output
    assert listed.count(FILE) == 2
    assert "AGE-SECRET-KEY" not in listed
    assert "age1" not in listed


@pytest.mark.parametrize("content", ["", "# a comment\n", "AGE-SECRET-KEY-1NONSENSE\n", '{"kty": "oct"}\n'])
def test_a_file_that_is_no_key_is_one_sentence_without_its_content(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(Misconfigured) as refused:
        BackupKeys.load(tmp_path / FILE)
    assert "NONSENSE" not in str(refused.value)


def test_a_key_that_everybody_can_read_is_refused(folder: Path) -> None:
    (folder / FILE).chmod(0o644)
    with pytest.raises(Misconfigured, match="is open to everybody"):
        BackupKeys.load(folder / FILE)


def test_a_key_beside_the_backup_is_refused(keys: BackupKeys, folder: Path, tmp_path: Path) -> None:
    archive.refuse_beside(tmp_path / "backup.age", keys)
    with pytest.raises(Misconfigured, match="keep the two apart"):
        archive.refuse_beside(folder / "backup.age", keys)


def test_an_archive_without_a_manifest_is_not_finished(tmp_path: Path, keys: BackupKeys) -> None:
    archive.write(tmp_path / "short.age", keys, [("enrolment/worker/0.bson", encode({"_id": 1}))])
    with pytest.raises(Damaged, match="the backup was not finished"):
        check(Archive(tmp_path / "short.age", keys))


def test_what_is_no_backup_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a text")
    (tmp_path / "empty").mkdir()
    for name in ("text", "empty", "nothing"):
        with pytest.raises(Misconfigured, match=f"{name} is no backup"):
            open_backup(tmp_path / name, folder / FILE)
    (tmp_path / "empty" / "manifest.json").write_text(json.dumps({}))
    with pytest.raises(Misconfigured, match="is a backup of before encryption"):
        open_backup(tmp_path / "empty", folder / FILE)


def test_an_error_of_the_databases_or_of_the_disk_comes_out_as_it_was(tmp_path: Path, keys: BackupKeys) -> None:
    def failing() -> Iterator[tuple[str, bytes]]:
        yield PIECES[0]
        raise KeyError("the database")

    with pytest.raises(KeyError, match="the database"):
        archive.write(tmp_path / "failed.age", keys, failing())
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="No space left") as refused:
        keys.encrypt(file_like(), full)  # type: ignore[arg-type]  # unbuffered, as the disk itself
    assert refused.value.errno == errno.ENOSPC


def file_like() -> object:
    return archive._Readable(part for part in [bytes(1_000_000)])


def test_memory_holds_a_piece_and_never_the_whole(tmp_path: Path, folder: Path) -> None:
    """400 MB go through a process that may grow by 100 MB."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(tmp_path), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100 * 1024


LARGE = """
import os, resource, sys
from pathlib import Path
from services.operations.backup import archive
from services.vault import BackupKeys
keys = BackupKeys.load(Path(sys.argv[2]) / "backup.agekey")
used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = used()
archive.write(Path(sys.argv[1]) / "large.age", keys, ((f"a/b/{n}", os.urandom(4_000_000)) for n in range(100)))
assert sum(len(piece) for _, piece in archive.read(Path(sys.argv[1]) / "large.age", keys)) == 400_000_000
print(used() - before)
"""
