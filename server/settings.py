"""Settings: typed, frozen, read once from the environment and from ``.env``."""

import ipaddress
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from server import allowed_users, scope_hierarchy, upstreams
from server.origins import canonical, is_loopback
from server.sealing import SECRET_LENGTH

NOT_YET = "not available yet"

_HIDDEN = frozenset({"oauth_client_secret", "oauth_dcr_token", "secret_key", "database_url"})
_TEN_YEARS = 315_360_000
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


class SettingsError(Exception):
    """A setting holds a value that the server cannot work with; the message is one line."""


def _split(value: object) -> object:
    """Split a comma-separated list, dropping blanks and duplicates but keeping the order."""
    if not isinstance(value, str):
        return value
    return tuple(dict.fromkeys(part for part in (p.strip() for p in value.split(",")) if part))


def _scope(value: str) -> str:
    """Check one scope's characters (RFC 6749 section 3.3)."""
    if not _SCOPE.fullmatch(value):
        raise ValueError("not a scope (RFC 6749 section 3.3)")
    if value == "offline_access":
        raise ValueError("always accepted, and cannot be declared")
    return value


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

Split = BeforeValidator(_split)
Names = Annotated[tuple[str, ...], NoDecode, Split]
Scopes = Annotated[tuple[Annotated[str, AfterValidator(_scope)], ...], NoDecode, Split]
Origins = Annotated[tuple[Annotated[str, AfterValidator(partial(canonical, any_http=True))], ...], NoDecode, Split]
Implications = Annotated[scope_hierarchy.Pairs, NoDecode, Split, AfterValidator(scope_hierarchy.check)]
People = Annotated[tuple[Annotated[str, AfterValidator(allowed_users.check)], ...], NoDecode, Split]
Networks = Annotated[tuple[Network, ...], NoDecode, Split]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)]
Seconds = Annotated[int, Field(ge=1, le=_TEN_YEARS, description=f"whole seconds from 1 to {_TEN_YEARS}")]


class Settings(BaseSettings):
    """Every variable of the environment, by its name in lower case; each description says what it takes."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
    )

    host: str = Field("127.0.0.1", pattern=r"^\S+$", description="an address or host name to listen on")
    port: int = Field(8000, ge=1, le=65535, description="a TCP port from 1 to 65535")
    server_url: str = Field("", description="an origin such as https://mcp.example.com; https unless it is loopback")
    database_url: str = Field(
        "sqlite:///data/server.db", description="sqlite:///relative/file or sqlite:////absolute/file"
    )
    mcp_server: str = Field(
        "server.tools:build",
        pattern=r"^[\w.]+:[\w.]+$",
        description="module:object, an MCP server or a function returning one",
    )
    oauth_enabled: bool = Field(default=True, description="true or false")
    oauth_issuer_url: str = Field("", description="an origin without path, query and fragment; https off loopback")
    oauth_valid_scopes: Scopes = Field(
        ("read", "write", "payment", "account"), min_length=1, description="scope names separated by commas"
    )
    oauth_default_scopes: Names = Field(("read",), description="names out of OAUTH_VALID_SCOPES, separated by commas")
    oauth_scope_implies: Implications = Field(
        (), description="pairs such as write>read out of OAUTH_VALID_SCOPES, separated by commas, without circles"
    )
    oauth_access_token_ttl: Seconds = 3_600
    oauth_refresh_token_ttl: Seconds = 86_400
    oauth_grant_max_age: int = Field(
        7_776_000, ge=0, le=_TEN_YEARS, description=f"whole seconds up to {_TEN_YEARS}, or 0 for no limit"
    )
    oauth_auth_code_ttl: Seconds = 600
    oauth_refresh_grace: int = Field(120, ge=0, le=3_600, description="whole seconds from 0 to 3600")
    oauth_client_id: str = Field("", pattern=r"^[\x21-\x7e]*$", description="the client id that the provider gave")
    oauth_client_secret: SecretStr = Field(SecretStr(""), description="the client secret that the provider gave")
    oauth_tenant_id: Annotated[str, AfterValidator(upstreams.check_tenant)] = Field(
        "", description="the tenant's id, as Entra shows it, or one of common, organizations, consumers"
    )
    oauth_upstream_issuer: Annotated[str, AfterValidator(upstreams.check_issuer)] = Field(
        "", description="the provider's issuer, such as https://id.example.com; https off loopback"
    )
    oauth_provider: Literal["demo", "custom", "local", "google", "entra", "azure", "okta", "auth0", "oidc"] = Field(
        "demo", description="demo (alias custom), local, google, entra (alias azure), okta, auth0 or oidc"
    )
    oauth_allowed_users: People = Field(
        (), description="e-mail addresses or @domains separated by commas, where somebody signs in"
    )
    oauth_dcr: Literal["open", "token", "off"] = Field("open", description="open, token or off")
    oauth_dcr_token: SecretStr = Field(SecretStr(""), description="the initial access token for OAUTH_DCR=token")
    oauth_cimd: bool = Field(default=True, description="true or false")
    oauth_cimd_dev_origins: Origins = Field(
        (), description="origins such as http://localhost:9000, separated by commas; for development only"
    )
    oauth_mode: Literal["required", "mixed"] = Field("required", description="required or mixed")
    allowed_origins: Origins = Field((), description="origins such as https://app.example.com, separated by commas")
    purge_interval: Seconds = 300
    metrics_networks: Networks = Field(_LOOPBACK, description="networks such as 10.0.0.0/8, separated by commas")
    trusted_proxies: Networks = Field((), description="networks such as 10.0.0.0/8, separated by commas")
    client_ip_header: str = Field(
        "", pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]*$", description="the name of a header, such as CF-Connecting-IP"
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="at least 32 characters that nobody can guess; `openssl rand -hex 32` makes some"
    )
    rate_limits: bool = Field(default=True, description="true or false")
    audit_retention_days: int = Field(365, ge=0, le=36_500, description="whole days up to 36500, or 0 for no audit log")
    openai_apps_challenge: str = Field(
        "", pattern=r"^[\x21-\x7e]*$", description="the token that OpenAI shows for domain verification"
    )
    log_level: Level = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: Literal["text", "json"] = Field("text", description="text or json")

    @field_validator("server_url")
    @classmethod
    def _check_server_url(cls, value: str, info: ValidationInfo) -> str:
        return canonical(value or f"http://localhost:{info.data.get('port', 8000)}")

    @field_validator("oauth_issuer_url")
    @classmethod
    def _check_issuer(cls, value: str, info: ValidationInfo) -> str:
        """Keep the issuer as it was written: clients compare it as an exact string (RFC 8414 section 2)."""
        if not value:
            return str(info.data.get("server_url", ""))
        if value.endswith("/"):
            raise ValueError("a trailing slash is a path")
        canonical(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: str) -> str:
        if value.startswith(("postgresql://", "postgres://")):
            raise ValueError(f"PostgreSQL is {NOT_YET}")
        path = value.removeprefix("sqlite:///")
        if path in {value, "", ":memory:"} or "?" in path or "\0" in path:
            raise ValueError("not the URL of a database file")
        return value

    @field_validator("oauth_default_scopes")
    @classmethod
    def _check_default_scopes(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        valid = info.data.get("oauth_valid_scopes", ())
        if not value or not set(value) <= set(valid):
            raise ValueError(f"not all among {','.join(valid)}")
        return value

    @field_validator("oauth_dcr_token")
    @classmethod
    def _check_dcr_token(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if not value and info.data.get("oauth_dcr") == "token":
            raise ValueError("OAUTH_DCR=token needs it")
        return value

    @field_validator("secret_key")
    @classmethod
    def _check_secret_key(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value) < SECRET_LENGTH:
            raise ValueError("too short")
        return value

    @field_validator("oauth_provider")
    @classmethod
    def _check_provider(cls, value: str, info: ValidationInfo) -> str:
        return upstreams.check_provider(value, info.data)

    @field_validator("oauth_allowed_users")
    @classmethod
    def _check_allowed_users(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("oauth_provider") == "demo":
            raise ValueError("with OAUTH_PROVIDER=demo nobody signs in")
        if value:
            upstreams.check_vouching(info.data)
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
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env: it cannot be read ({error}); it takes NAME=value lines in UTF-8") from None
    name = str(first["loc"][0])
    value = "(hidden)" if name in _HIDDEN else re.sub(r"//.*@", "//(hidden)@", repr(first["input"]))
    reason = f"{first['ctx']['error']}; " if first["type"] == "value_error" else ""
    raise SettingsError(f"{name.upper()}={value}: {reason}it takes {Settings.model_fields[name].description}")
