"""The settings: what each variable defaults to, takes and refuses, and that secrets stay hidden."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from server.settings import NOT_YET, SettingsError, load_settings

pytestmark = pytest.mark.usefixtures("nothing_set")

ROOT = Path(__file__).parent.parent
DEFAULTS = {
    "SERVER_URL": "http://localhost:8000",
    "HOST": "127.0.0.1",
    "PORT": 8000,
    "DATABASE_URL": "sqlite:///data/server.db",
    "MCP_SERVER": "server.tools:build",
    "OAUTH_ENABLED": True,
    "OAUTH_ISSUER_URL": "http://localhost:8000",
    "OAUTH_VALID_SCOPES": ("read", "write", "payment", "account"),
    "OAUTH_DEFAULT_SCOPES": ("read",),
    "OAUTH_SCOPE_IMPLIES": (),
    "OAUTH_ACCESS_TOKEN_TTL": 3600,
    "OAUTH_REFRESH_TOKEN_TTL": 86400,
    "OAUTH_GRANT_MAX_AGE": 7776000,
    "OAUTH_AUTH_CODE_TTL": 600,
    "OAUTH_REFRESH_GRACE": 120,
    "OAUTH_PROVIDER": "demo",
    "OAUTH_CLIENT_ID": "",
    "OAUTH_CLIENT_SECRET": SecretStr(""),
    "OAUTH_TENANT_ID": "",
    "OAUTH_UPSTREAM_ISSUER": "",
    "OAUTH_ALLOWED_USERS": (),
    "OAUTH_DCR": "open",
    "OAUTH_DCR_TOKEN": SecretStr(""),
    "OAUTH_CIMD": True,
    "OAUTH_CIMD_DEV_ORIGINS": (),
    "OAUTH_MODE": "required",
    "ALLOWED_ORIGINS": (),
    "PURGE_INTERVAL": 300,
    "METRICS_NETWORKS": (ip_network("127.0.0.0/8"), ip_network("::1/128")),
    "TRUSTED_PROXIES": (),
    "CLIENT_IP_HEADER": "",
    "SECRET_KEY": SecretStr(""),
    "RATE_LIMITS": True,
    "AUDIT_RETENTION_DAYS": 365,
    "OPENAI_APPS_CHALLENGE": "",
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "text",
}


REFUSED = [
    ("HOST", " ", "an address or host name"),
    ("PORT", "abc", "a TCP port from 1 to 65535"),
    ("PORT", "0", "a TCP port from 1 to 65535"),
    ("PORT", "65536", "a TCP port from 1 to 65535"),
    ("SERVER_URL", "http://mcp.example.com", "https unless it is loopback"),
    ("SERVER_URL", "ftp://localhost", "an origin such as"),
    ("SERVER_URL", "https://mcp.example.com/mcp", "an origin such as"),
    ("SERVER_URL", "https://mcp.example.com?", "an origin such as"),
    ("SERVER_URL", "https://mcp.example.com:0", "an origin such as"),
    ("SERVER_URL", "https://mcp.example.com:x", "an origin such as"),
    ("SERVER_URL", 'https://mcp".example.com', "an origin such as"),
    ("SERVER_URL", "https://mcp.example.com\nSet-Cookie", "an origin such as"),
    ("SERVER_URL", "https://ｍcp.example.com", "an origin such as"),  # noqa: RUF001 - a look-alike letter on purpose
    ("SERVER_URL", "https://[fe80::1%25eth0]", "an origin such as"),
    ("DATABASE_URL", "mysql://localhost/server", "sqlite:///relative/file"),
    ("DATABASE_URL", "sqlite:///", "sqlite:///relative/file"),
    ("DATABASE_URL", "sqlite:///:memory:", "sqlite:///relative/file"),
    ("DATABASE_URL", "sqlite:///server.db?mode=ro", "sqlite:///relative/file"),
    ("MCP_SERVER", "server.tools", "module:object"),
    ("MCP_SERVER", "server/tools.py:build", "module:object"),
    ("OAUTH_ENABLED", "perhaps", "true or false"),
    ("OAUTH_ISSUER_URL", "https://mcp.example.com?tenant=1", "without path, query and fragment"),
    ("OAUTH_ISSUER_URL", "https://mcp.example.com/tenant", "without path, query and fragment"),
    ("OAUTH_ISSUER_URL", "https://mcp.example.com/", "without path, query and fragment"),
    ("OAUTH_ISSUER_URL", "http://mcp.example.com", "https off loopback"),
    ("OAUTH_VALID_SCOPES", ",", "scope names separated by commas"),
    ("OAUTH_VALID_SCOPES", "read write", "scope names separated by commas"),
    ("OAUTH_VALID_SCOPES", "read,offline_access", "scope names separated by commas"),
    ("OAUTH_DEFAULT_SCOPES", "read,admin", "names out of OAUTH_VALID_SCOPES"),
    ("OAUTH_DEFAULT_SCOPES", ",", "names out of OAUTH_VALID_SCOPES"),
    ("OAUTH_SCOPE_IMPLIES", "write", "pairs such as write>read"),
    ("OAUTH_SCOPE_IMPLIES", "write>", "pairs such as write>read"),
    ("OAUTH_SCOPE_IMPLIES", ">read", "pairs such as write>read"),
    ("OAUTH_SCOPE_IMPLIES", "write>admin", "out of OAUTH_VALID_SCOPES"),
    ("OAUTH_SCOPE_IMPLIES", "admin>read", "out of OAUTH_VALID_SCOPES"),
    ("OAUTH_SCOPE_IMPLIES", "write>read>account", "out of OAUTH_VALID_SCOPES"),
    ("OAUTH_SCOPE_IMPLIES", "write>write", "without circles"),
    ("OAUTH_SCOPE_IMPLIES", "write>read,payment>write,read>payment", "without circles"),
    ("OAUTH_ACCESS_TOKEN_TTL", "0", "whole seconds from 1"),
    ("OAUTH_REFRESH_TOKEN_TTL", "0", "whole seconds from 1"),
    ("OAUTH_AUTH_CODE_TTL", "-1", "whole seconds from 1"),
    ("OAUTH_GRANT_MAX_AGE", "-1", "or 0 for no limit"),
    ("OAUTH_REFRESH_GRACE", "3601", "whole seconds from 0 to 3600"),
    ("OAUTH_PROVIDER", "github", "demo"),
    ("OAUTH_PROVIDER", "oidc", "demo (alias custom), local, google, entra (alias azure), okta, auth0 or oidc"),
    ("OAUTH_CLIENT_ID", "two words", "the client id that the provider gave"),
    ("OAUTH_TENANT_ID", "contoso", "the tenant's id"),
    ("OAUTH_TENANT_ID", "{8eaef023-2b34-4da1-9baa-8bc8c9d6a490}", "the tenant's id"),
    ("OAUTH_UPSTREAM_ISSUER", "id.example.com", "https off loopback"),
    ("OAUTH_UPSTREAM_ISSUER", "http://id.example.com", "https off loopback"),
    ("OAUTH_UPSTREAM_ISSUER", "https://id.example.com/?realm=a", "https off loopback"),
    ("OAUTH_UPSTREAM_ISSUER", "https://id.example.com/#a", "https off loopback"),
    ("OAUTH_UPSTREAM_ISSUER", "https://user:hunter2@id.example.com", "https off loopback"),
    ("OAUTH_UPSTREAM_ISSUER", "https://id.example.com:x", "https off loopback"),
    ("OAUTH_UPSTREAM_ISSUER", "https://{tenantid}.example.com", "https off loopback"),
    ("OAUTH_ALLOWED_USERS", "@example.com", "where somebody signs in"),
    ("OAUTH_ALLOWED_USERS", "example.com", "e-mail addresses or @domains"),
    ("OAUTH_ALLOWED_USERS", "ada@example.com lin@example.com", "e-mail addresses or @domains"),
    ("OAUTH_ALLOWED_USERS", "ada@", "e-mail addresses or @domains"),
    ("OAUTH_DCR", "closed", "open, token or off"),
    ("OAUTH_CIMD", "perhaps", "true or false"),
    ("OAUTH_CIMD_DEV_ORIGINS", "http://localhost:9000/client.json", "origins such as"),
    ("OAUTH_CIMD_DEV_ORIGINS", "localhost:9000", "origins such as"),
    ("OAUTH_MODE", "optional", "required or mixed"),
    ("ALLOWED_ORIGINS", "https://a.example,*", "origins such as"),
    ("PURGE_INTERVAL", "0", "whole seconds from 1"),
    ("METRICS_NETWORKS", "everyone", "networks such as 10.0.0.0/8"),
    ("TRUSTED_PROXIES", "everyone", "networks such as 10.0.0.0/8"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "networks such as 10.0.0.0/8"),
    ("TRUSTED_PROXIES", "10.0.0.0/8 127.0.0.1", "networks such as 10.0.0.0/8"),
    ("CLIENT_IP_HEADER", "two words", "the name of a header"),
    ("CLIENT_IP_HEADER", "X-Real-IP:", "the name of a header"),
    ("RATE_LIMITS", "some", "true or false"),
    ("AUDIT_RETENTION_DAYS", "-1", "or 0 for no audit log"),
    ("AUDIT_RETENTION_DAYS", "36501", "whole days up to 36500"),
    ("SECRET_KEY", "too short", "at least 32 characters"),
    ("OPENAI_APPS_CHALLENGE", "two words", "the token that OpenAI shows"),
    ("LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
]


NOT_THERE_YET = [
    ("DATABASE_URL", "postgresql://user:hunter2@localhost/server"),
]


ACCEPTED = [
    ("PORT", "65535", 65535),
    ("SERVER_URL", "HTTPS://MCP.Example.com:443/", "https://mcp.example.com"),
    ("SERVER_URL", "http://[::1]:9000", "http://[::1]:9000"),
    ("SERVER_URL", "http://mcp.localhost", "http://mcp.localhost"),
    ("DATABASE_URL", "sqlite:////var/lib/server.db", "sqlite:////var/lib/server.db"),
    ("OAUTH_ISSUER_URL", "https://MCP.example.com", "https://MCP.example.com"),
    ("OAUTH_VALID_SCOPES", " read , write,,read", ("read", "write")),
    ("OAUTH_SCOPE_IMPLIES", " write > read,, payment>account", (("write", "read"), ("payment", "account"))),
    ("OAUTH_GRANT_MAX_AGE", "0", 0),
    ("OAUTH_REFRESH_GRACE", "0", 0),
    ("OAUTH_PROVIDER", "custom", "demo"),
    ("OAUTH_PROVIDER", "local", "local"),
    ("OAUTH_DCR", "off", "off"),
    ("OAUTH_DCR_TOKEN", "hunter2", SecretStr("hunter2")),
    ("ALLOWED_ORIGINS", "http://a.example, https://b.example", ("http://a.example", "https://b.example")),
    ("LOG_LEVEL", "debug", "DEBUG"),
    ("TRUSTED_PROXIES", "10.0.0.0/8, ::1", (ip_network("10.0.0.0/8"), ip_network("::1"))),
    ("CLIENT_IP_HEADER", "CF-Connecting-IP", "CF-Connecting-IP"),
    ("OAUTH_CIMD", "false", False),
    ("OAUTH_CIMD_DEV_ORIGINS", "HTTP://Localhost:80/,https://dev.example", ("http://localhost", "https://dev.example")),
    ("RATE_LIMITS", "false", False),
    ("AUDIT_RETENTION_DAYS", "0", 0),
    ("OAUTH_CLIENT_SECRET", "", SecretStr("")),
    ("OAUTH_TENANT_ID", "Common", "common"),
    ("OAUTH_TENANT_ID", "8EAEF023-2b34-4da1-9baa-8bc8c9d6a490", "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"),
    ("OAUTH_TENANT_ID", "9188040d-6c67-4c5b-b112-36a304b66dad", "consumers"),
    ("OAUTH_UPSTREAM_ISSUER", "https://id.example.com/realms/a/", "https://id.example.com/realms/a/"),
    ("OAUTH_UPSTREAM_ISSUER", "http://localhost:9000", "http://localhost:9000"),
    ("OAUTH_ALLOWED_USERS", "", ()),
    ("OAUTH_ACCESS_TOKEN_TTL", "", 3600),
]


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_every_variable_has_its_documented_default() -> None:
    assert {name.upper(): value for name, value in load_settings()} == DEFAULTS


def test_the_example_file_shows_every_variable_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    shown = dict(line[1:].split("=", 1) for line in lines if line.startswith("#") and not line.startswith("# "))
    assert shown.keys() == DEFAULTS.keys()
    for variable, value in shown.items():
        monkeypatch.setenv(variable, value)
    assert {name.upper(): value for name, value in load_settings()} == DEFAULTS


@pytest.mark.parametrize(("variable", "value", "takes"), REFUSED)
def test_a_wrong_value_is_refused_in_one_line_that_says_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, takes: str
) -> None:
    monkeypatch.setenv(variable, value)
    message = refusal()
    assert message.startswith(f"{variable}=")
    assert takes in message.partition("it takes ")[2]


@pytest.mark.parametrize(("variable", "value"), [(variable, value) for variable, value, _ in REFUSED[:6]])
def test_a_refusal_shows_the_value(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    assert refusal().startswith(f"{variable}={value!r}: ")


@pytest.mark.parametrize(("variable", "value"), NOT_THERE_YET)
def test_a_feature_that_is_still_to_come_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    message = refusal()
    assert message.startswith(f"{variable}=")
    assert NOT_YET in message
    assert "hunter2" not in message


@pytest.mark.parametrize(("variable", "value", "read"), ACCEPTED)
def test_a_good_value_is_read(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, read: object) -> None:
    monkeypatch.setenv(variable, value)
    assert getattr(load_settings(), variable.lower()) == read


def test_a_bad_port_is_blamed_and_not_the_url_made_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "abc")
    assert "SERVER_URL" not in refusal()


def test_the_policy_token_needs_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTH_DCR", "token")
    message = refusal()
    assert message.startswith("OAUTH_DCR_TOKEN=")
    assert "OAUTH_DCR=token needs it; it takes the initial access token" in message
    monkeypatch.setenv("OAUTH_DCR_TOKEN", "hunter2")
    settings = load_settings()
    assert (settings.oauth_dcr, settings.oauth_dcr_token.get_secret_value()) == ("token", "hunter2")


def test_who_is_allowed_is_read_where_somebody_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTH_PROVIDER", "local")
    monkeypatch.setenv("OAUTH_ALLOWED_USERS", " Ada@Example.com, @EXAMPLE.org,,@example.org")
    assert load_settings().oauth_allowed_users == ("ada@example.com", "@example.org", "@example.org")


def test_the_server_url_follows_the_port_and_the_issuer_the_server_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    settings = load_settings()
    assert (settings.server_url, settings.issuer) == ("http://localhost:9000", "http://localhost:9000")
    monkeypatch.setenv("SERVER_URL", "https://mcp.example.com/")
    settings = load_settings()
    assert (settings.issuer, settings.resource) == ("https://mcp.example.com", "https://mcp.example.com/mcp")
    assert settings.resource_metadata_url == "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"


@pytest.mark.parametrize(
    ("url", "secure", "public"),
    [("http://localhost:8000", False, False), ("https://[::1]", True, False), ("https://mcp.example.com", True, True)],
)
def test_the_server_url_tells_whether_it_is_secure_and_public(url: str, *, secure: bool, public: bool) -> None:
    settings = load_settings(server_url=url)
    assert (settings.secure, settings.public) == (secure, public)


def test_the_working_directorys_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9000\nexport LOG_FORMAT='json'  # a comment\nUNKNOWN=1\n")
    monkeypatch.setenv("PORT", "9001")
    settings = load_settings()
    assert (settings.port, settings.log_format) == (9001, "json")
    assert load_settings(port=9002).port == 9002


def test_an_env_file_that_cannot_be_read_is_named() -> None:
    Path(".env").write_bytes(b"LOG_FORMAT=\xff\xfe\n")
    assert refusal().startswith(".env: ")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().port = 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECRET_KEY", "hunter2"),
        ("DATABASE_URL", "postgresql:///server?password=hunter2"),
        ("SERVER_URL", "https://user:hunter2@mcp.example.com"),
        ("OAUTH_UPSTREAM_ISSUER", "https://user:hunter2@id.example.com"),
    ],
)
def test_a_refusal_hides_a_secret(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    message = refusal()
    assert message.startswith(f"{variable}=")
    assert "hunter2" not in message


@pytest.mark.parametrize("name", ["oauth_client_secret", "oauth_dcr_token", "secret_key"])
def test_secrets_are_absent_from_text(name: str) -> None:
    settings = load_settings()
    assert type(getattr(settings, name)) is SecretStr
    settings = settings.model_copy(update={name: SecretStr("hunter2")})
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
