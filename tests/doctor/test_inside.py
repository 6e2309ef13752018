"""The examination from inside: each thing that can be wrong with a server of one's own."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from server.doctor.findings import Finding
from server.doctor.inside import examine
from server.sealing import key_file, load_secret
from server.settings import Settings, load_settings
from server.storage.migrate import migrate

NOW = 1_800_000_000

pytestmark = pytest.mark.usefixtures("nothing_set")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of a server whose database and key are there."""
    made = load_settings(database_url=f"sqlite:///{tmp_path / 'server.db'}")
    migrate(made.database_path, NOW)
    load_secret("", key_file(made.database_path))
    return made


def run(settings: Settings, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(settings.database_path)) as connection, connection:
        connection.execute(statement, values)


def by_check(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(settings, NOW)}


def test_all_is_well_with_a_new_server(settings: Settings) -> None:
    assert {finding.state for finding in examine(settings, NOW)} == {"good"}
    assert set(by_check(settings)) >= {"settings", "database", "migrations", "free space", "permissions", "purge"}


def test_nothing_is_made_where_there_is_nothing_yet(tmp_path: Path) -> None:
    found = by_check(load_settings(database_url=f"sqlite:///{tmp_path / 'later' / 'server.db'}"))
    assert found["database"].state == "unknown"
    assert not list(tmp_path.iterdir())


def test_missing_migrations_are_named(settings: Settings) -> None:
    run(settings, "DELETE FROM schema_migrations WHERE name = (SELECT max(name) FROM schema_migrations)")
    assert by_check(settings)["migrations"].state == "bad"


def test_a_newer_database_is_said_to_be_one(settings: Settings) -> None:
    run(settings, "INSERT INTO schema_migrations (name, checksum, applied_at) VALUES ('9999_later.sql', 'x', 1)")
    assert "newer than this program" in by_check(settings)["migrations"].seen


@pytest.mark.parametrize("of", [lambda database: database, key_file], ids=["database", "key"])
def test_files_that_others_can_read_are_said(settings: Settings, of: Callable[[Path], Path]) -> None:
    file = of(settings.database_path)
    file.chmod(0o644)
    (found,) = (finding for finding in examine(settings, NOW) if finding.state == "bad")
    assert (found.check, found.advice) == ("permissions", f"chmod 600 {file}")


def test_damage_is_said(settings: Settings) -> None:
    content = bytearray(settings.database_path.read_bytes())
    content[4096:12288] = b"\xff" * 8192
    settings.database_path.write_bytes(content)
    assert by_check(settings)["database"].state == "bad"


def test_a_file_that_is_no_database_is_said(settings: Settings) -> None:
    settings.database_path.write_text("These are only words, and enough of them to fill the head of a file. " * 20)
    assert by_check(settings)["migrations"].state == "bad"


@pytest.mark.parametrize(("overdue", "state"), [(300, "good"), (601, "bad"), (86_400, "bad")])
def test_a_purge_that_does_not_come_is_said(settings: Settings, overdue: int, state: str) -> None:
    run(
        settings,
        "INSERT INTO access_tokens (token_digest, hint, grant_id, client_id, scopes, audience, created_at, expires_at) "
        "VALUES ('d', 'h', 'g', 'c', 'read', 'a', 1, ?)",
        NOW - overdue,
    )
    assert by_check(settings)["purge"].state == state


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(100, 100, 1_000_000))
    assert by_check(settings)["free space"].state == "bad"


@pytest.mark.parametrize(("days", "state"), [(364, "good"), (366, "bad")])
def test_an_old_signing_key_is_said(settings: Settings, days: int, state: str) -> None:
    run(
        settings,
        "INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed_private_key, created_at) "
        "VALUES ('k', 'RS256', '{}', '', ?)",
        NOW - days * 86_400,
    )
    with_openid = settings.model_copy(update={"oauth_valid_scopes": ("read", "openid")})
    assert by_check(with_openid)["key age"].state == state


@pytest.mark.parametrize(
    ("given", "check"),
    [
        ({"server_url": "https://mcp.example.com"}, "sign-in"),
        ({"oauth_enabled": False}, "sign-in"),
        ({"server_url": "https://mcp.example.com"}, "client addresses"),
    ],
)
def test_settings_that_an_operator_may_not_have_meant_are_said(
    settings: Settings, given: dict[str, Any], check: str
) -> None:
    found = by_check(load_settings(database_url=settings.database_url, **given))
    assert found[check].state == "bad"
