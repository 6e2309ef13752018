"""What this server is at its provider: the operator's registration there."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from server.settings import Settings
from server.upstreams import MULTI_TENANT, PROVIDERS, TENANT, Provider


@dataclass(frozen=True, slots=True)
class Registration:
    """A client of a provider."""

    provider: Provider
    issuer: str
    """The provider's; it may hold `TENANT`."""
    tenant: str
    client_id: str
    client_secret: str = field(repr=False)
    origin: str
    """This server's."""

    @classmethod
    def of(cls, settings: Settings) -> "Registration":
        """Read it from the settings, whose provider is one of `PROVIDERS`."""
        provider = PROVIDERS[settings.oauth_provider]
        return cls(
            provider,
            settings.oauth_upstream_issuer or provider.issuer,
            settings.oauth_tenant_id,
            settings.oauth_client_id,
            settings.oauth_client_secret.get_secret_value(),
            settings.server_url,
        )

    @property
    def title(self) -> str:
        """What people call the provider; one without a name is known by its host."""
        return self.provider.title or urlsplit(self.issuer).netloc

    @property
    def redirect_uri(self) -> str:
        """Where the provider leads back to: the URI to register there."""
        return self.origin + self.provider.callback

    @property
    def post_logout_redirect_uri(self) -> str:
        """Where the provider leads back to after a sign-out there: the page for signing in."""
        return f"{self.origin}/signin"

    @property
    def discovery_url(self) -> str:
        """Where the provider describes itself (OpenID Connect Discovery 1.0 section 4)."""
        return self.issuer.replace(TENANT, self.tenant).rstrip("/") + "/.well-known/openid-configuration"

    @property
    def has_tenants(self) -> bool:
        """Whether the issuer in an ID token names the tenant that its user belongs to."""
        return TENANT in self.issuer

    @property
    def single_tenant(self) -> bool:
        """Whether all users are of the one tenant whose administrator vouches for their addresses."""
        return self.has_tenants and self.tenant not in MULTI_TENANT
