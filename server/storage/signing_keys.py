"""The keys that sign ID tokens, in SQL."""

import json
from typing import Any

from server.oauth.audit import Event
from server.oauth.signing import SigningKey
from server.storage.audit import recorded
from server.storage.driver import Driver, Script, Statement, changed
from server.storage.rows import Row

_COLUMNS = "kid, algorithm, public_jwk, sealed_private_key, created_at, retired_at, expires_at"

_GET_SIGNING_KEY = f"""
SELECT {_COLUMNS} FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1"""  # noqa: S608 - as above

_LIST_SIGNING_KEYS = f"""
SELECT {_COLUMNS} FROM signing_keys WHERE expires_at IS NULL OR expires_at > :now
ORDER BY retired_at IS NOT NULL, retired_at DESC, created_at DESC, kid"""  # noqa: S608 - the columns are those above

_VALUES = "SELECT :kid, :algorithm, :public_jwk, :sealed_private_key, :created_at, :retired_at, :expires_at"

_ADD_FIRST_SIGNING_KEY = f"""
INSERT INTO signing_keys ({_COLUMNS}) {_VALUES}
WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE retired_at IS NULL)
RETURNING 1"""  # noqa: S608 - the columns are those above

_ADD_SIGNING_KEY = f"INSERT INTO signing_keys ({_COLUMNS}) {_VALUES}"

_RETIRE_SIGNING_KEYS = """
UPDATE signing_keys SET retired_at = :now, expires_at = :expires_at WHERE retired_at IS NULL"""

_WITHDRAW_RETIRED_KEYS = """
UPDATE signing_keys SET expires_at = :now WHERE retired_at IS NOT NULL AND expires_at > :now"""

_LISTED = ("kid", "algorithm", "made", "retired", "expires", "status")

_LIST_AS_AN_OPERATOR = f"""
SELECT {", ".join(_LISTED)} FROM v_signing_keys
ORDER BY retired IS NOT NULL, retired DESC, made DESC, kid"""  # noqa: S608 - the columns are those above


class SqlSigningKeyStore:
    """`server.oauth.signing.KeyStore` in SQL; its docstrings say what each method answers."""

    _driver: Driver

    async def get_signing_key(self) -> SigningKey | None:
        """Give the key that signs, or ``None``."""
        return await self._driver.read(_get_signing_key())

    async def list_signing_keys(self, now: int) -> tuple[SigningKey, ...]:
        """Give the keys that are published, the one that signs first."""
        return await self._driver.read(_list_signing_keys(now))

    async def add_first_signing_key(self, key: SigningKey) -> bool:
        """Keep a key to sign with, if there is none; ``False`` when there is one."""
        return await self._driver.write(changed(_ADD_FIRST_SIGNING_KEY, **_parameters(key)))

    async def rotate_signing_key(self, key: SigningKey, expires_at: int, event: Event | None = None) -> None:
        """Keep a key to sign with, and retire the one before, which is published until it expires."""
        await self._driver.write(recorded(_rotate(key, expires_at), event))

    async def withdraw_retired_keys(self, now: int, event: Event | None = None) -> None:
        """Publish no retired key any more."""
        await self._driver.write(recorded(_withdraw(now), event))

    async def list_keys(self) -> list[dict[str, Any]]:
        """Give the keys as an operator sees them, those that are over too; times are UTC."""
        return await self._driver.read(_list_keys())


def _list_keys() -> Script[list[dict[str, Any]]]:
    found = yield Statement(_LIST_AS_AN_OPERATOR)
    return [dict(zip(_LISTED, row, strict=True)) for row in found]


def _parameters(key: SigningKey) -> dict[str, object]:
    return {**{name: getattr(key, name) for name in key.__slots__}, "public_jwk": json.dumps(key.public_jwk)}


def _read(row: Row) -> SigningKey:
    kid, algorithm, public_jwk, *rest = row
    return SigningKey(kid, algorithm, json.loads(public_jwk), *rest)


def _get_signing_key() -> Script[SigningKey | None]:
    found = yield Statement(_GET_SIGNING_KEY)
    return _read(found[0]) if found else None


def _list_signing_keys(now: int) -> Script[tuple[SigningKey, ...]]:
    found = yield Statement(_LIST_SIGNING_KEYS, {"now": now})
    return tuple(_read(row) for row in found)


def _rotate(key: SigningKey, expires_at: int) -> Script[None]:
    yield Statement(_RETIRE_SIGNING_KEYS, {"now": key.created_at, "expires_at": expires_at})
    yield Statement(_ADD_SIGNING_KEY, _parameters(key))


def _withdraw(now: int) -> Script[None]:
    yield Statement(_WITHDRAW_RETIRED_KEYS, {"now": now})
