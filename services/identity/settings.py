"""What the console takes from its environment. It needs no engine: services and issuer are reached by their addresses."""

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.settings import Misconfigured


class ConsoleSettings(BaseSettings):
    """Read from `AMA_*`, as the services' own."""

    model_config = SettingsConfigDict(env_prefix="AMA_", env_ignore_empty=True, extra="ignore")

    public_url: str = Field(
        default="http://127.0.0.1:8000", description="what browsers reach; the console is at its `/`"
    )
    issuer: str = Field(default="http://127.0.0.1:8000/issuer", description="OIDC issuer by which people sign in")
    jwks: str | None = Field(default=None, description="where the issuer's keys are, if its description does not say")
    console_issuer: str | None = Field(
        default=None, description="where the console reaches the issuer, when that is not where browsers do"
    )
    console_services: str = Field(
        default="http://127.0.0.1:8000/{service}", description="where a service answers, with {service} for its name"
    )
    console_client: str = Field(default="ama-console", description="the console's client id at the issuer")
    console_secret: str | None = Field(default=None, description="its secret, where the issuer gave it one")
    console_scope: str = Field(
        default="openid", description="scopes to ask for, so that the token says role and programme"
    )
    console_idle: int = Field(default=30, ge=1, le=24 * 60, description="minutes without a request that end a session")
    console_longest: int = Field(default=8, ge=1, le=24, description="hours after which a session ends")

    @property
    def base(self) -> str:
        """Of every address that a browser is sent to."""
        return self.public_url.rstrip("/")

    @property
    def tls(self) -> bool:
        """Whether browsers reach it through TLS, so that cookies may be bound to that."""
        return self.base.startswith("https://")


def from_environment() -> ConsoleSettings:
    """Settings from `AMA_*`. Misconfigured with one sentence naming the first variable that is wrong."""
    try:
        return ConsoleSettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "AMA_" + str(first["loc"][0]).upper()
        raise Misconfigured(f"{name}: {first['msg'].lower()}. Set it in the environment.") from error
