"""Secrets come from files, a missing one is reported in one sentence, and an existing one stays."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.contracts.topics import SERVICES
from services.front.passwords import right
from services.operations.provision.passwords import make, read
from services.settings import Misconfigured, Settings, from_environment

SET = "mongodb://one,two/?replicaSet=ama"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of secrets, named by the environment beside where the engines are."""
    for name, value in {"AMA_KAFKA": "kafka:9092", "AMA_MONGO": SET, "AMA_SECRETS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def test_a_file_stands_for_a_variable_and_the_environment_wins(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (told / "ama_sasl_password").write_text("of the file\n")
    (told / "ama_smtp").write_text("")
    monkeypatch.setenv("AMA_SASL_USERNAME", "ama_enrolment")
    given = from_environment()
    assert (given.sasl_password, given.smtp or None) == ("of the file", None)
    monkeypatch.setenv("AMA_SASL_PASSWORD", "of the environment")
    assert from_environment().sasl_password == "of the environment"


def test_an_empty_variable_is_as_none(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (told / "ama_smtp").write_text("smtp://mail.example.org")
    for name in ("AMA_SMTP", "AMA_ONLY", "AMA_JWKS", "AMA_KAFKA_TLS"):
        monkeypatch.setenv(name, "")
    given = from_environment()
    assert (given.smtp, given.only, given.jwks, given.kafka_tls) == ("smtp://mail.example.org", None, None, False)


def test_who_signs_in_to_mongodb_is_part_of_its_address_and_not_of_what_is_printed(told: Path) -> None:
    given = Settings(kafka="kafka:9092", mongo=SET, mongo_username="ama_enrolment", mongo_password="a b@c/d:ü")
    assert given.mongo == "mongodb://ama_enrolment:a+b%40c%2Fd%3A%C3%BC@one,two/?replicaSet=ama"
    already = Settings(
        kafka="kafka:9092", mongo="mongodb://me:mine@one/", mongo_username="ama_enrolment", mongo_password="x"
    )
    assert already.mongo == "mongodb://me:mine@one/"


@pytest.mark.parametrize("user", ["AMA_SASL_USERNAME", "AMA_MONGO_USERNAME"])
def test_a_user_without_a_password_is_one_sentence(told: Path, monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    monkeypatch.setenv(user, "ama_enrolment")
    with pytest.raises(Misconfigured, match=f"^{user} is set, and its password is not"):
        from_environment()


def test_a_folder_of_secrets_that_is_not_there_is_one_sentence(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMA_SECRETS", str(told / "none"))
    with pytest.raises(Misconfigured, match=r"^AMA_SECRETS: .*none is no folder\.$"):
        from_environment()


def test_secrets_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    make(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    passwords = [password for engine in ("kafka", "mongo") for password in read(tmp_path, engine).values()]
    assert len(set(passwords)) == 2 * len(SERVICES) + 1, "the site has no part in the bus"
    assert min(map(len, passwords)) >= 43  # 256 bits in base64
    (tmp_path / "kafka-grouping").unlink()
    make(tmp_path)
    changed = {path.name for path, content in before.items() if path.read_bytes() != content}
    assert changed == {"kafka-grouping"}


@pytest.mark.parametrize(("spoil", "sentence"), [("unlink", "is missing"), ("empty", "is empty")])
def test_a_password_that_is_missing_is_one_sentence(tmp_path: Path, spoil: str, sentence: str) -> None:
    make(tmp_path)
    path = tmp_path / "mongo-sessions"
    path.unlink()
    if spoil == "empty":
        path.touch()
    with pytest.raises(Misconfigured, match=f"mongo-sessions {sentence}"):
        read(tmp_path, "mongo")


def test_where_secrets_are_is_said_as_it_is_seen_from_outside_a_container(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    first, again = (CliRunner().invoke(app, ["secrets", str(tmp_path / "secrets")]).stdout for _ in range(2))
    assert first.startswith("Secrets are in secrets/.\n")
    assert again == "Secrets are in secrets/.\n"


async def test_the_first_account_is_shown_once_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["secrets", str(tmp_path)]).stdout
    password = shown.split()[-1]
    kept = (tmp_path / "first-account").read_text()
    assert await right(password, kept)
    assert not [path for path in files_of(tmp_path) if password in path.read_text()]


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_secrets_are_put_nowhere_that_is_not_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["secrets", str(tmp_path / "none")])
    assert isinstance(done.exception, Misconfigured)
    assert "There is no folder" in str(done.exception)


def test_no_password_is_in_what_is_shown_of_the_settings() -> None:
    given = Settings(
        kafka="kafka:9092",
        mongo=SET,
        mongo_username="ama",
        mongo_password="secret-1",
        sasl_password="secret-2",
        smtp="smtp://ama:secret-3@mail:587",
    )
    assert "secret-" in given.mongo
    assert "secret-" not in repr(given) + str(given)
