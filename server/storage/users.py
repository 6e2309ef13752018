"""Users, their passwords and invitations in SQL."""

from server.identity.model import Account
from server.identity.users import LOCAL
from server.oauth.audit import Event
from server.oauth.model import User
from server.storage import rows
from server.storage import statements as sql
from server.storage.audit import recorded
from server.storage.driver import Driver, Script, Statement, changed
from server.storage.sessions import end_sessions

_USER = "SELECT u.user_id, u.issuer, u.subject, u.name, u.email, u.disabled_at"

_GET_USER = f"{_USER} FROM users u WHERE u.user_id = :user_id"

_FIND_USER = f"{_USER} FROM users u WHERE u.issuer = :issuer AND u.subject = :subject"

_UPDATE_USER = "UPDATE users SET name = :name, email = :email WHERE user_id = :user_id"

_ACCOUNT = f"{_USER}, p.hash FROM users u LEFT JOIN passwords p ON p.user_id = u.user_id WHERE u.issuer = '{LOCAL}'"

_FIND_ACCOUNT = f"{_ACCOUNT} AND u.subject = :subject"

_GET_ACCOUNT = f"{_ACCOUNT} AND u.user_id = :user_id"

_HAS_ACCOUNT = "SELECT 1 FROM users WHERE issuer = 'local' LIMIT 1"

_KEEP_HASH = """
INSERT INTO passwords (user_id, hash, changed_at) VALUES (:user_id, :hash, :now)
ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at"""

_REHASH = "UPDATE passwords SET hash = :hash WHERE user_id = :user_id AND hash = :former RETURNING 1"

_INVITE = """
INSERT INTO invitations (token_digest, user_id, created_at, expires_at)
VALUES (:token_digest, :user_id, :now, :expires_at)"""

_END_INVITATIONS = "DELETE FROM invitations WHERE user_id = :user_id"

_GET_INVITED = f"""{_USER}
FROM invitations i JOIN users u ON u.user_id = i.user_id AND u.disabled_at IS NULL
WHERE i.token_digest = :token_digest AND i.expires_at > :now"""

_DISABLE = "UPDATE users SET disabled_at = :disabled_at WHERE user_id = :user_id AND disabled_at IS NULL RETURNING 1"

_ENABLE = "UPDATE users SET disabled_at = NULL WHERE user_id = :user_id AND disabled_at IS NOT NULL RETURNING 1"

_DELETE_OF_USER = (
    "DELETE FROM invitations WHERE user_id = :user_id",
    "DELETE FROM passwords WHERE user_id = :user_id",
    "DELETE FROM passkeys WHERE user_id = :user_id",
    "DELETE FROM accounts WHERE user_id = :user_id",
    sql.FORGET_CONSENTS_OF_USER,
    sql.EXPIRE_CODES_OF_USER,
    sql.REVOKE_GRANTS_OF_USER,
)
"""All that hangs on a user beside the sessions. The purge takes what is over by then."""

_DELETE_USER = "DELETE FROM users WHERE user_id = :user_id RETURNING 1"

_USER_COLUMNS = 6


class SqlUserStore:
    """The part of `server.identity.store.IdentityStore` that is about users."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def get_user(self, user_id: str) -> User | None:
        """Give a user, disabled ones too, or ``None``."""
        return await self._driver.read(_user(_GET_USER, user_id=user_id))

    async def keep_user(self, user: User, now: int, new: Event | None = None) -> User:
        """Keep what an upstream provider says of a user, and give the row as it is then."""
        return await self._driver.write(_keep(user, now, new))

    async def find_account(self, username: str) -> Account | None:
        """Give the local account of that name, or ``None``."""
        return await self._driver.read(_account(_FIND_ACCOUNT, subject=username))

    async def get_account(self, user_id: str) -> Account | None:
        """Give the local account with that id, or ``None``."""
        return await self._driver.read(_account(_GET_ACCOUNT, user_id=user_id))

    async def has_account(self) -> bool:
        """Tell whether there is any local account."""
        return await self._driver.read(changed(_HAS_ACCOUNT))

    async def add_account(
        self,
        user: User,
        password_hash: str | None,
        now: int,
        invitation: tuple[str, int] | None = None,
        event: Event | None = None,
    ) -> bool:
        """Keep a new local account, with its password or a link by which to set one."""
        return await self._driver.write(recorded(_add(user, password_hash, now, invitation), event))

    async def set_password(self, user_id: str, password_hash: str, now: int, event: Event | None = None) -> bool:
        """Set a local account's password, and end its sessions and invitations."""
        return await self._driver.write(recorded(_set_password(user_id, password_hash, now), event))

    async def rehash_password(self, user_id: str, former: str, password_hash: str) -> bool:
        """Replace a password's hash by another of the same password."""
        return await self._driver.write(changed(_REHASH, user_id=user_id, former=former, hash=password_hash))

    async def invite(
        self, user_id: str, token_digest: str, expires_at: int, now: int, event: Event | None = None
    ) -> bool:
        """Let a link set a local account's password once, in place of all earlier ones."""
        return await self._driver.write(recorded(_invite(user_id, (token_digest, expires_at), now), event))

    async def get_invited(self, token_digest: str, now: int) -> User | None:
        """Give the user that an invitation is for, if both are live, else ``None``."""
        return await self._driver.read(_user(_GET_INVITED, token_digest=token_digest, now=now))

    async def accept_invitation(
        self, token_digest: str, password_hash: str, now: int, event: Event | None = None
    ) -> bool:
        """Use up an invitation: set the password and end the user's sessions."""
        return await self._driver.write(recorded(_accept(token_digest, password_hash, now), event))

    async def set_disabled(self, user_id: str, disabled_at: int | None, event: Event | None = None) -> bool:
        """Disable a user and end their sessions, or enable one."""
        return await self._driver.write(recorded(_set_disabled(user_id, disabled_at), event))

    async def delete_user(self, user_id: str, now: int, event: Event | None = None) -> bool:
        """Remove a user and all that hangs on one."""
        return await self._driver.write(recorded(_delete(user_id, now), event))


def _user(statement: str, **values: object) -> Script[User | None]:
    found = yield Statement(statement, values)
    return User(*found[0]) if found else None


def _account(statement: str, **values: object) -> Script[Account | None]:
    found = yield Statement(statement, values)
    return Account(User(*found[0][:_USER_COLUMNS]), found[0][_USER_COLUMNS]) if found else None


def _keep(user: User, now: int, new: Event | None) -> Script[User]:
    known = yield from _user(_FIND_USER, issuer=user.issuer, subject=user.subject)
    if known is None:
        yield from recorded(_insert(user, now), new)
    else:
        yield Statement(_UPDATE_USER, {"user_id": known.user_id, "name": user.name, "email": user.email})
    kept = yield from _user(_FIND_USER, issuer=user.issuer, subject=user.subject)
    return kept or user


def _insert(user: User, now: int) -> Script[None]:
    yield Statement(sql.ADD_USER, {**rows.parameters(user), "now": now})


def _add(user: User, password_hash: str | None, now: int, invitation: tuple[str, int] | None) -> Script[bool]:
    if (yield from _user(_FIND_USER, issuer=user.issuer, subject=user.subject)) is not None:
        return False
    yield from _insert(user, now)
    if password_hash is not None:
        yield Statement(_KEEP_HASH, {"user_id": user.user_id, "hash": password_hash, "now": now})
    if invitation is not None:
        yield from _invite(user.user_id, invitation, now)
    return True


def _set_password(user_id: str, password_hash: str, now: int) -> Script[bool]:
    if (yield from _account(_GET_ACCOUNT, user_id=user_id)) is None:
        return False
    yield Statement(_KEEP_HASH, {"user_id": user_id, "hash": password_hash, "now": now})
    yield Statement(_END_INVITATIONS, {"user_id": user_id})
    yield from end_sessions(user_id)
    return True


def _invite(user_id: str, invitation: tuple[str, int], now: int) -> Script[bool]:
    if (yield from _account(_GET_ACCOUNT, user_id=user_id)) is None:
        return False
    token_digest, expires_at = invitation
    yield Statement(_END_INVITATIONS, {"user_id": user_id})
    link = {"token_digest": token_digest, "user_id": user_id, "expires_at": expires_at, "now": now}
    yield Statement(_INVITE, link)
    return True


def _accept(token_digest: str, password_hash: str, now: int) -> Script[bool]:
    user = yield from _user(_GET_INVITED, token_digest=token_digest, now=now)
    return user is not None and (yield from _set_password(user.user_id, password_hash, now))


def _set_disabled(user_id: str, disabled_at: int | None) -> Script[bool]:
    if disabled_at is None:
        return (yield from changed(_ENABLE, user_id=user_id))
    done = yield from changed(_DISABLE, user_id=user_id, disabled_at=disabled_at)
    if done:
        yield from end_sessions(user_id)
    return done


def _delete(user_id: str, now: int) -> Script[bool]:
    values = {"user_id": user_id, "now": now, "reason": "user deleted"}
    for statement in _DELETE_OF_USER:
        yield Statement(statement, values)
    yield from end_sessions(user_id)
    return bool((yield Statement(_DELETE_USER, values)))
