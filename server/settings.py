"""Settings: typed, frozen, read once from the environment and from ``.env``."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

NOT_YET = "not available yet"


class SettingsError(Exception):
    """A setting holds a value that the server cannot work with; the message is one line."""


def _split(value: object) -> object:
    """Split a comma-separated list, dropping blanks and duplicates but keeping the order."""
    if not isinstance(value, str):
        return value
    return tuple(dict.fromkeys(part for part in (p.strip() for p in value.split(",")) if part))


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Seconds = Annotated[int, Field(ge=1, le=10 * 365 * 86_400)]

_HIDDEN = frozenset({"oauth_client_secret", "oauth_dcr_token", "secret_key", "database_url"})
_SCOPE_CHARACTERS = frozenset(map(chr, (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F))))


class Settings(BaseSettings):
    """Every variable of the environment that the server reads.

    The field names are the variables' names in lower case; each description says what it takes.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
    )

    host: str = Field("127.0.0.1", description="an address or host name to listen on")
    port: int = Field(8000, ge=1, le=65535, description="a TCP port from 1 to 65535")
    server_url: str = Field("", description="an origin such as https://mcp.example.com; https unless it is loopback")
    database_url: str = Field(
        "sqlite:///data/server.db", description="sqlite:///relative/file or sqlite:////absolute/file"
    )
    mcp_server: str = Field(
        "server.tools:build", description="module:object, an MCP server or a function returning one"
    )
    oauth_enabled: bool = Field(default=True, description="true or false")
    oauth_issuer_url: str = Field("", description="an origin without path, query and fragment; https off loopback")
    oauth_valid_scopes: Names = Field(
        ("read", "write", "payment", "account"), description="scope names separated by commas"
    )
    oauth_default_scopes: Names = Field(("read",), description="names out of OAUTH_VALID_SCOPES, separated by commas")
    oauth_access_token_ttl: Seconds = Field(3_600, description="whole seconds, 1 or more")
    oauth_refresh_token_ttl: Seconds = Field(86_400, description="whole seconds, 1 or more")
    oauth_grant_max_age: int = Field(
        7_776_000, ge=0, le=10 * 365 * 86_400, description="whole seconds, or 0 for no limit"
    )
    oauth_auth_code_ttl: Seconds = Field(600, description="whole seconds, 1 or more")
    oauth_refresh_grace: int = Field(120, ge=0, le=3_600, description="whole seconds from 0 to 3600")
    oauth_provider: Literal["demo", "custom", "local", "google", "entra", "azure", "okta", "auth0", "oidc"] = Field(
        "demo", description="demo, local, google, entra, okta, auth0 or oidc"
    )
    oauth_client_id: str = Field("", description="a client id at the upstream provider")
    oauth_client_secret: SecretStr = Field(SecretStr(""), description="the secret at the upstream provider")
    oauth_tenant_id: str = Field("", description="a tenant at the upstream provider")
    oauth_upstream_issuer: str = Field("", description="the upstream provider's issuer")
    oauth_allowed_users: Names = Field((), description="addresses and @domains separated by commas")
    oauth_dcr: Literal["open", "token", "off"] = Field("open", description="open, token or off")
    oauth_dcr_token: SecretStr = Field(SecretStr(""), description="an initial access token")
    oauth_cimd: bool = Field(default=False, description="true or false")
    oauth_cimd_dev_origins: Names = Field((), description="origins separated by commas")
    oauth_mode: Literal["required", "mixed"] = Field("required", description="required or mixed")
    allowed_origins: Names = Field((), description="origins such as https://app.example.com, separated by commas")
    purge_interval: Seconds = Field(300, description="whole seconds, 1 or more")
    trusted_proxies: Names = Field((), description="CIDRs separated by commas")
    client_ip_header: str = Field("", description="a header's name")
    secret_key: SecretStr = Field(SecretStr(""), description="a random key")
    rate_limits: bool = Field(default=False, description="true or false")
    audit_retention_days: int = Field(0, ge=0, description="whole days")
    openai_apps_challenge: str = Field(
        "", pattern=r"^[\x21-\x7e]*$", description="the token that OpenAI shows for domain verification"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: Literal["text", "json"] = Field("text", description="text or json")

    @field_validator("server_url")
    @classmethod
    def _check_server_url(cls, value: str, info: ValidationInfo) -> str:
        return _origin(value or f"http://localhost:{info.data.get('port', 8000)}")

    @field_validator("oauth_issuer_url")
    @classmethod
    def _check_issuer(cls, value: str, info: ValidationInfo) -> str:
        """Keep the issuer as it was written: clients compare it as an exact string."""
        if not value:
            return str(info.data.get("server_url", ""))
        if value.endswith("/"):
            msg = "a trailing slash is a path"
            raise ValueError(msg)
        _origin(value)
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_origin(origin, any_http=True) for origin in value)

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: str) -> str:
        if value.startswith(("postgresql://", "postgres://")):
            msg = f"PostgreSQL is {NOT_YET}"
            raise ValueError(msg)
        if not value.startswith("sqlite:///") or not value.removeprefix("sqlite:///"):
            msg = "not a database URL"
            raise ValueError(msg)
        return value

    @field_validator("mcp_server")
    @classmethod
    def _check_mcp_server(cls, value: str) -> str:
        module, _, name = value.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
            msg = "not a module and an object"
            raise ValueError(msg)
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("oauth_valid_scopes")
    @classmethod
    def _check_scopes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            msg = "no scope at all"
            raise ValueError(msg)
        for scope in value:
            if not _SCOPE_CHARACTERS.issuperset(scope):
                msg = f"{scope!r} is not a scope (RFC 6749 section 3.3)"
                raise ValueError(msg)
            if scope == "offline_access":
                msg = "offline_access is always accepted and cannot be declared"
                raise ValueError(msg)
        return value

    @field_validator("oauth_default_scopes")
    @classmethod
    def _check_default_scopes(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        valid = info.data.get("oauth_valid_scopes", ())
        if not value or not set(value) <= set(valid):
            msg = f"not all among {','.join(valid)}"
            raise ValueError(msg)
        return value

    @field_validator("oauth_provider")
    @classmethod
    def _check_provider(cls, value: str) -> str:
        if value not in {"demo", "custom"}:
            msg = NOT_YET
            raise ValueError(msg)
        return "demo"

    @field_validator(
        "oauth_client_id",
        "oauth_client_secret",
        "oauth_tenant_id",
        "oauth_upstream_issuer",
        "oauth_allowed_users",
        "oauth_dcr_token",
        "oauth_cimd",
        "oauth_cimd_dev_origins",
        "trusted_proxies",
        "client_ip_header",
        "secret_key",
        "rate_limits",
        "audit_retention_days",
    )
    @classmethod
    def _check_not_yet(cls, value: object) -> object:
        """Refuse a value that asks for a feature which is still to come; one that turns it off is fine."""
        if value.get_secret_value() if isinstance(value, SecretStr) else value:
            msg = NOT_YET
            raise ValueError(msg)
        return value

    @field_validator("oauth_dcr")
    @classmethod
    def _check_dcr(cls, value: str) -> str:
        if value == "token":
            msg = NOT_YET
            raise ValueError(msg)
        return value

    @property
    def issuer(self) -> str:
        """The authorization server's issuer identifier, compared as an exact string (RFC 8414 section 2)."""
        return self.oauth_issuer_url

    @property
    def resource(self) -> str:
        """The protected resource's identifier, and so the audience of every token (RFC 8707)."""
        return f"{self.server_url}/mcp"

    @property
    def resource_metadata_url(self) -> str:
        """Where the protected resource's metadata is (RFC 9728 section 3.1)."""
        return f"{self.server_url}/.well-known/oauth-protected-resource/mcp"

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def secure(self) -> bool:
        """Whether browsers reach the server over TLS, so that cookies may be ``__Host-``."""
        return self.server_url.startswith("https://")

    @property
    def public(self) -> bool:
        """Whether the server's address is one that others can reach."""
        return not is_loopback(urlsplit(self.server_url).hostname or "")


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address literal (no brackets, no port) is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(value: str, *, any_http: bool = False) -> str:
    """Check an origin and give it in its canonical form, without a trailing slash."""
    try:
        parts = urlsplit(value.removesuffix("/"))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        msg = "not a URL"
        raise ValueError(msg) from None
    if parts.scheme not in {"http", "https"} or not host or not value.isascii() or any(c.isspace() for c in value):
        msg = "not an http or https origin"
        raise ValueError(msg)
    if parts.path or "?" in value or "#" in value or "@" in parts.netloc:
        msg = "more than an origin: path, query, fragment and user info are not allowed"
        raise ValueError(msg)
    if parts.scheme == "http" and not (any_http or is_loopback(host)):
        msg = "plain http is only for loopback"
        raise ValueError(msg)
    default = {"http": 80, "https": 443}[parts.scheme]
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port not in {None, default} else "")


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Args:
        overrides: Values by field name that win over the environment, for commands and tests.

    Raises:
        SettingsError: One line that names the variable, its value and what it takes.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        field = Settings.model_fields[name]
        value = "(hidden)" if name in _HIDDEN else repr(first["input"])
        reason = first["msg"].removeprefix("Value error, ")
        msg = f"{name.upper()}={value}: {reason}; it takes {field.description}"
        raise SettingsError(msg) from None
