"""Settings of the site: sign-in, web sessions, our own issuer, console. It needs MongoDB, and reaches the services by their addresses."""

from pathlib import Path

from pydantic import Field

from services.settings import Settings

CLIENT = "ama-site"
RETURN = "/accedi/ritorno"  # where a provider sends people back to


class SiteSettings(Settings):
    """Settings under the prefix `AMA_`, beside those that the site shares with the services."""

    kafka: str = Field(default="", description="not used: the site has no part in the bus")
    site_issuer: str | None = Field(
        default=None, description="the address by which the site reaches the provider, if browsers use another"
    )
    site_client: str = Field(default=CLIENT, description="the site's client id at the provider")
    site_secret: str | None = Field(default=None, repr=False, description="its secret, if the provider gave it one")
    site_scope: str = Field(
        default="openid profile", description="scopes to ask for, so that the ID token names grants"
    )
    site_idle: int = Field(default=30, ge=1, le=24 * 60, description="minutes without a request that end a web session")
    site_longest: int = Field(default=8, ge=1, le=24, description="hours after which a web session ends")
    claims: Path | None = Field(default=None, description="TOML file: which claim of the provider grants which role")

    @property
    def embedded(self) -> bool:
        """True when people sign in at our own issuer, with the accounts of this site."""
        return self.issuer.rstrip("/") == self.own_issuer

    @property
    def tls(self) -> bool:
        """True when browsers use TLS, so that cookies may require it."""
        return self.base.startswith("https://")

    @property
    def return_address(self) -> str:
        """The address to which a provider sends people back."""
        return f"{self.base}{RETURN}"
