"""The examination from inside: settings, provider, database, migrations, free space, permissions, purge and keys."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from server.doctor import provider
from server.doctor.findings import Finding, bad, good, unknown
from server.origins import is_loopback
from server.sealing import key_file
from server.settings import Settings
from server.storage.checkup import Checkup, check_up
from server.storage.migrate import MigrationError, pending

LEAST_SPACE = 256 * 1024 * 1024
"""Bytes that must be free: the database, its log and a backup grow."""
OLD_KEY = 365 * 86_400
"""Seconds after which a signing key should be a new one."""

_OTHERS = 0o077


def examine(settings: Settings, now: int) -> Iterator[Finding]:
    """Look at one's own server, running or not; nothing is changed.

    Args:
        settings: As they were read.
        now: Unix seconds.
    """
    yield from _settings(settings)
    yield from provider.examine(settings, now)
    database = settings.database_path
    yield from _migrations(database)
    yield _space(database)
    yield from _permissions(settings)
    if database.exists():
        yield from _condition(settings, now)


def _settings(settings: Settings) -> Iterator[Finding]:
    yield good("settings", f"they can be read; the server is {settings.server_url}")
    if not settings.oauth_enabled:
        yield bad("sign-in", "OAuth is off", "Set OAUTH_ENABLED=true, unless everybody may use every tool.", ())
    elif settings.oauth_provider == "demo" and settings.public:
        advice = "Set OAUTH_PROVIDER: in demo mode nobody signs in."
        yield bad("sign-in", f"demo mode at {settings.server_url}", advice, ())
    else:
        yield good("sign-in", f"OAUTH_PROVIDER={settings.oauth_provider}")
    if settings.public and is_loopback(settings.host) and not settings.trusted_proxies:
        advice = "Name the proxy before this server in TRUSTED_PROXIES, or all clients share one rate limit."
        yield bad("client addresses", "a proxy seems to stand before this server, and none is trusted", advice, ())


def _migrations(database: Path) -> Iterator[Finding]:
    try:
        missing = pending(database)
    except MigrationError as error:
        yield bad("migrations", str(error), "Run the version that made this database, or name another.", ())
        return
    if not database.exists():
        yield unknown("database", f"{database} does not exist yet; the first start makes it")
    elif missing:
        yield bad("migrations", f"{len(missing)} are missing, {missing[0]} first", "Run migrate, or start serve.", ())
    else:
        yield good("migrations", "none is missing")


def _space(database: Path) -> Finding:
    folder = next(folder for folder in database.absolute().parents if folder.exists())
    free = shutil.disk_usage(folder).free
    seen = f"{free / 1e9:.1f} GB are free at {folder}"
    return good("free space", seen) if free >= LEAST_SPACE else bad("free space", seen, "Make room.", ())


def _permissions(settings: Settings) -> Iterator[Finding]:
    database = settings.database_path
    secret = () if settings.secret_key else (key_file(database),)
    for file in (database, *secret):
        if not file.exists():
            continue
        mode = file.stat().st_mode & 0o777
        if mode & _OTHERS:
            yield bad("permissions", f"{file} has mode {mode:o}", f"chmod 600 {file}", ())
        else:
            yield good("permissions", f"{file} has mode {mode:o}")


def _condition(settings: Settings, now: int) -> Iterator[Finding]:
    try:
        found = check_up(settings.database_path, now)
    except MigrationError as error:
        yield bad("database", str(error), "Mend that, or restore a backup.", ())
        return
    if found.damage:
        yield bad("database", f"it is damaged: {found.damage}", "Stop the server and restore a backup.", ())
    else:
        yield good("database", "it is whole")
    yield from _purge_and_keys(settings, found)


def _purge_and_keys(settings: Settings, found: Checkup) -> Iterator[Finding]:
    late = found.overdue - settings.purge_interval
    if late > settings.purge_interval:
        advice = "See that the server runs; what it logs about its purge says why. `purge` does it at once."
        yield bad("purge", f"a token has been over for {found.overdue} s", advice, ())
    else:
        yield good("purge", "nothing has been left lying")
    if found.signing_key_age is not None and "openid" in settings.oauth_valid_scopes:
        seen = f"the key for ID tokens is {found.signing_key_age // 86_400} days old"
        old = found.signing_key_age > OLD_KEY
        yield bad("key age", seen, "Run keys rotate.", ()) if old else good("key age", seen)
    elif settings.secret_key:
        yield good("key age", "SECRET_KEY is set; its age is not known here")
