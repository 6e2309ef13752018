"""Passkeys in SQL."""

from server.identity.passkeys import Answered, Passkey
from server.oauth.audit import Event
from server.storage.audit import recorded
from server.storage.driver import Driver, Script, Statement, changed
from server.storage.rows import Row

_COLUMNS = "credential_id, user_id, name, public_key, sign_count, synced, created_at, last_used_at"

_LIST_PASSKEYS = f"""
SELECT {_COLUMNS} FROM passkeys WHERE user_id = :user_id ORDER BY created_at, credential_id"""  # noqa: S608 - as above

_GET_PASSKEY = f"SELECT {_COLUMNS} FROM passkeys WHERE credential_id = :credential_id"  # noqa: S608 - as above

_ADD_PASSKEY = f"""
INSERT INTO passkeys ({_COLUMNS})
SELECT :credential_id, :user_id, :name, :public_key, :sign_count, :synced, :created_at, :last_used_at
WHERE EXISTS (SELECT 1 FROM users WHERE user_id = :user_id AND disabled_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM passkeys WHERE credential_id = :credential_id)
RETURNING 1"""  # noqa: S608 - the columns are those above

_USE_PASSKEY = """
UPDATE passkeys SET sign_count = :sign_count, last_used_at = :last_used_at
WHERE credential_id = :credential_id AND sign_count = :former_count
RETURNING 1"""

_REMOVE_PASSKEY = """
DELETE FROM passkeys
WHERE user_id = :user_id AND credential_id = :credential_id AND (
    EXISTS (SELECT 1 FROM passwords p WHERE p.user_id = :user_id)
    OR EXISTS (SELECT 1 FROM passkeys k WHERE k.user_id = :user_id AND k.credential_id <> :credential_id)
)
RETURNING 1"""

_REMOVE_PASSWORD = """
DELETE FROM passwords
WHERE user_id = :user_id AND EXISTS (SELECT 1 FROM passkeys k WHERE k.user_id = :user_id)
RETURNING 1"""  # noqa: S105 - a statement

_IS_ANSWERED = "SELECT 1 FROM passkey_challenges WHERE challenge_digest = :digest"

_NOTE_ANSWERED = "INSERT INTO passkey_challenges (challenge_digest, expires_at) VALUES (:digest, :expires_at)"


class SqlPasskeyStore:
    """`server.identity.passkeys.PasskeyStore` in SQL; its docstrings say what each method answers."""

    _driver: Driver

    async def list_passkeys(self, user_id: str) -> tuple[Passkey, ...]:
        """Give a user's passkeys, the oldest first."""
        return await self._driver.read(_passkeys(_LIST_PASSKEYS, user_id=user_id))

    async def get_passkey(self, credential_id: str) -> Passkey | None:
        """Give the passkey, or ``None``."""
        found = await self._driver.read(_passkeys(_GET_PASSKEY, credential_id=credential_id))
        return found[0] if found else None

    async def add_passkey(self, passkey: Passkey, answered: Answered, event: Event | None = None) -> bool:
        """Keep a new passkey of a live user; ``False`` when it is there, or the challenge was answered before."""
        adding = Statement(_ADD_PASSKEY, _parameters(passkey))
        return await self._driver.write(recorded(_answer(answered, adding), event))

    async def use_passkey(self, passkey: Passkey, former_count: int, answered: Answered) -> bool:
        """Note that a passkey was used; ``False`` when it went or was used meanwhile, or the challenge was."""
        using = Statement(_USE_PASSKEY, {**_parameters(passkey), "former_count": former_count})
        return await self._driver.write(_answer(answered, using))

    async def remove_passkey(self, user_id: str, credential_id: str, event: Event | None = None) -> bool:
        """Remove a user's passkey; ``False`` when it is not there, or is all that they can sign in by."""
        removing = changed(_REMOVE_PASSKEY, user_id=user_id, credential_id=credential_id)
        return await self._driver.write(recorded(removing, event))

    async def remove_password(self, user_id: str, event: Event | None = None) -> bool:
        """Remove the password of a user who has a passkey; ``False`` when there is none, or no passkey."""
        return await self._driver.write(recorded(changed(_REMOVE_PASSWORD, user_id=user_id), event))


def _parameters(passkey: Passkey) -> dict[str, object]:
    return {**{name: getattr(passkey, name) for name in passkey.__slots__}, "synced": int(passkey.synced)}


def _read(row: Row) -> Passkey:
    credential_id, user_id, name, public_key, sign_count, synced, *times = row
    return Passkey(credential_id, user_id, name, public_key, sign_count, bool(synced), *times)


def _passkeys(statement: str, **wanted: object) -> Script[tuple[Passkey, ...]]:
    found = yield Statement(statement, wanted)
    return tuple(_read(row) for row in found)


def _answer(answered: Answered, write: Statement) -> Script[bool]:
    """Do what the answer to a challenge leads to, once."""
    if (yield Statement(_IS_ANSWERED, {"digest": answered.digest})) or not (yield write):
        return False
    yield Statement(_NOTE_ANSWERED, answered._asdict())
    return True
