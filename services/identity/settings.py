"""Settings of the console from its environment. It needs no engine: it reaches services and issuer by their addresses."""

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.settings import Misconfigured


class ConsoleSettings(BaseSettings):
    """Settings under the prefix `AMA_`, as those of the services."""

    # `ignore`, since the environment has the settings of the services under the same prefix.
    model_config = SettingsConfigDict(env_prefix="AMA_", env_ignore_empty=True, extra="ignore")

    public_url: str = Field(
        default="http://127.0.0.1:8000", description="the address for browsers; the console is at its `/`"
    )
    issuer: str = Field(default="http://127.0.0.1:8000/issuer", description="the OIDC issuer at which people sign in")
    jwks: str | None = Field(
        default=None, description="the address of the issuer's keys, if its discovery document does not say"
    )
    console_issuer: str | None = Field(
        default=None, description="the address by which the console reaches the issuer, if browsers use another"
    )
    console_services: str = Field(
        default="http://127.0.0.1:8000/{service}", description="the address of a service, with {service} for its name"
    )
    console_client: str = Field(default="ama-console", description="the console's client id at the issuer")
    console_secret: str | None = Field(default=None, description="its secret, if the issuer gave it one")
    console_scope: str = Field(
        default="openid", description="scopes to ask for, so that the token says role and programme"
    )
    console_idle: int = Field(default=30, ge=1, le=24 * 60, description="minutes without a request that end a session")
    console_longest: int = Field(default=8, ge=1, le=24, description="hours after which a session ends")

    @property
    def base(self) -> str:
        """The beginning of every address for browsers, without a slash at its end."""
        return self.public_url.rstrip("/")

    @property
    def tls(self) -> bool:
        """True when browsers use TLS, so that cookies may require it."""
        return self.base.startswith("https://")


def from_environment() -> ConsoleSettings:
    """Read the settings from `AMA_*`. Misconfigured names the first variable that is wrong."""
    try:
        return ConsoleSettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "AMA_" + str(first["loc"][0]).upper()
        raise Misconfigured(f"{name}: {first['msg'].lower()}. Set it in the environment.") from error
