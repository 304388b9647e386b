"""Settings of a service from its environment, with their defaults.

Invariant: a wrong or missing setting stops the start with one sentence that names the variable; nothing falls back silently. An empty
variable counts as missing. A secret can be in a file: `AMA_SECRETS` names a folder, and the file `ama_sasl_password` in it is
`AMA_SASL_PASSWORD`.
"""

import os
from pathlib import Path
from typing import Self, TypeVar, overload
from urllib.parse import quote_plus, unquote_plus, urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError


class Misconfigured(Exception):
    """The configuration cannot work; the message is one sentence for the operator of the system."""


LARGEST = 200_000_000  # bytes of a file that a command reads whole


def content_of(path: Path, largest: int) -> bytes:
    """Read a file, at most one byte more than `largest`, by which the caller sees that it is too large. Misconfigured, one sentence, when
    it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror or error}.") from error


def text_of(path: Path) -> str:
    """Read a text file, without a byte order mark. Misconfigured, one sentence, when it is no file, unreadable, too large or not UTF-8."""
    content = content_of(path, LARGEST)
    if len(content) > LARGEST:
        raise Misconfigured(f"{path} has more than {LARGEST // 1_000_000} MB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misconfigured(f"{path}, line {line}: not UTF-8. Save it as UTF-8.") from None


class Settings(BaseSettings):
    """Settings from `AMA_*`; every field can be given by name as well (tests, the embedded default)."""

    # Docker Compose passes a variable that nobody has set as an empty text.
    model_config = SettingsConfigDict(env_prefix="AMA_", env_ignore_empty=True, extra="ignore")

    kafka: str = Field(description="Kafka bootstrap servers, host:port, comma-separated")
    mongo: str = Field(repr=False, description="MongoDB connection string of a replica set or sharded cluster")
    mongo_username: str | None = Field(
        default=None, description="user for the log-in to MongoDB, when `mongo` names none"
    )
    mongo_password: str | None = Field(default=None, repr=False)
    sasl_username: str | None = None
    sasl_password: str | None = Field(default=None, repr=False)
    sasl_mechanism: str = "SCRAM-SHA-512"
    kafka_tls: bool = False
    database: str = Field(default="ama", description="prefix of the database names: {database}_{service}")
    programmes: Path | None = Field(default=None, description="folder with programme files beside the shipped ones")
    only: str | None = Field(
        default=None,
        description="comma-separated programmes that are served here; events of other programmes on the bus are ignored",
    )
    keys: Path = Field(default=Path("keys"), description="folder with the key files of this service")
    issuer: str = Field(default="http://127.0.0.1:8000/issuer", description="OIDC issuer whose tokens are accepted")
    jwks: str | None = Field(
        default=None, description="address of the issuer's keys, if its discovery document names none"
    )
    site_jwks: str | None = Field(
        default=None,
        description="address of the keys of our own issuer, if {AMA_PUBLIC_URL}/issuer leads elsewhere from here",
    )
    audience: str = "ama"
    token_hours: int = Field(
        default=24, ge=1, le=168, description="hours for which an accepted token is in force at most"
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="address for the browsers of people; personal links begin with it"
    )
    services: str = Field(
        default="http://127.0.0.1:8000/{service}",
        description="address of a service from here, with {service} for its name; parts of pages are fetched there",
    )
    contact: str | None = Field(
        default=None, description="e-mail address for remarks on the accessibility of the site, and on privacy"
    )
    accessibility: Path | None = Field(
        default=None, description="TOML file of the accessibility statement, as `ama accessibility statement` drafts it"
    )
    smtp: str | None = Field(
        default=None, repr=False, description="smtp://user:password@host:port; starttls or TLS by smtps://"
    )
    mail_from: str = "AMA Lavoro <ama@localhost>"
    mail_folder: Path | None = Field(
        default=None, description="Maildir of a mail server for trials; mails about erased people are removed from it"
    )
    front: str | None = Field(
        default=None,
        description="host:port of the public front for this process, when the name in AMA_PUBLIC_URL leads elsewhere from here",
    )
    public_kafka: str | None = Field(
        default=None, description="bootstrap servers for partners, host:port, as the AsyncAPI documents name them"
    )
    metrics_port: int | None = None
    otlp: str | None = Field(default=None, description="OTLP/HTTP endpoint for traces")
    # Our consumers read uncommitted records and do not wait for it; feeds of partners have transactions of their own. Each commit costs the
    # relay three round trips in which it sends nothing.
    relay_commit_ms: int = Field(default=1000, ge=10, le=5000)
    relay_commit_events: int = Field(default=2000, ge=1)
    alike: int = Field(
        default=25,
        ge=0,
        description="subjects whose events fail one after the other before their consumer stops; 0: each is dead-lettered, however many",
    )
    batch: int = Field(default=1000, ge=1, le=5000, description="records per consumer transaction")

    @model_validator(mode="after")
    def _sign_in(self) -> Self:
        """Put the user and the password into `mongo`, so that every client that takes the address logs in."""
        if self.mongo_username and "@" not in self.mongo:
            # Quoted, since a password may hold characters that end a part of the address.
            login = f"{quote_plus(self.mongo_username)}:{quote_plus(self.mongo_password or '')}"
            self.mongo = self.mongo.replace("://", f"://{login}@", 1)
        return self

    @property
    def mongo_user(self) -> str:
        """The user that logs in to MongoDB, from `mongo_username` or `mongo`; "nobody" when there is none."""
        return unquote_plus(urlsplit(self.mongo).username or "nobody")

    def database_of(self, service: str) -> str:
        """Return the name of a service's own database."""
        return f"{self.database}_{service}"

    @property
    def base(self) -> str:
        """The beginning of every address for browsers, without a slash at its end."""
        return self.public_url.rstrip("/")

    @property
    def own_issuer(self) -> str:
        """Our own issuer, which signs the tokens of people who are signed in to the site."""
        return f"{self.base}/issuer"

    def issuers(self) -> dict[str, str | None]:
        """Return the issuers whose tokens are accepted, each with the address of its keys, if its discovery document is not to be asked."""
        return {self.own_issuer: self.site_jwks, self.issuer: self.jwks or (self.site_jwks if self._ours() else None)}

    def _ours(self) -> bool:
        return self.issuer == self.own_issuer


S = TypeVar("S", bound=Settings)


@overload
def from_environment() -> Settings: ...
@overload
def from_environment(kind: type[S]) -> S: ...
def from_environment(kind: type[Settings] = Settings) -> Settings:
    """Read the settings from `AMA_*`. Raises Misconfigured with one sentence naming the first variable that is wrong."""
    folder = os.environ.get("AMA_SECRETS") or None
    # pydantic-settings only warns about a missing folder, and goes on without the secrets.
    if folder is not None and not Path(folder).is_dir():
        raise Misconfigured(f"AMA_SECRETS: {folder} is no folder.")
    try:
        settings = kind(_secrets_dir=folder)
    except ValidationError as error:
        first = error.errors()[0]
        name = "AMA_" + str(first["loc"][0]).upper()
        raise Misconfigured(f"{name}: {first['msg'].lower()}. Set it in the environment.") from error
    except SettingsError as error:
        # Without the cause, which holds the bytes of the file.
        raise Misconfigured(f"AMA_SECRETS: a file of {folder} cannot be read: {error}.") from None
    # Otherwise a missing password would show only later, as a refused log-in.
    for user, password in (("sasl_username", settings.sasl_password), ("mongo_username", settings.mongo_password)):
        if getattr(settings, user) and not password:
            raise Misconfigured(
                f"AMA_{user.upper()} is set, and its password is not: set it, or put it in a file of AMA_SECRETS."
            )
    return settings
