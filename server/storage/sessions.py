"""Sign-in sessions in SQL."""

from server.identity.model import Session, SignedIn
from server.identity.sessions import IDLE
from server.oauth.audit import Event
from server.oauth.model import User
from server.storage.audit import recorded
from server.storage.driver import Driver, Script, Statement, changed

_GET_LIVE_USER = "SELECT 1 FROM users WHERE user_id = :user_id AND disabled_at IS NULL"

_ADD_SESSION = """
INSERT INTO sessions (session_digest, user_id, method, created_at, last_used_at, expires_at, address, upstream)
VALUES (:session_digest, :user_id, :method, :created_at, :last_used_at, :expires_at, :address, :upstream)"""

_END_SESSION = "DELETE FROM sessions WHERE session_digest = :session_digest RETURNING 1"

_MARK_REQUEST = """
UPDATE authorization_requests SET session_digest = :session_digest
WHERE handle_digest = :handle_digest AND decided_at IS NULL AND expires_at > :now
RETURNING 1"""

_GET_SESSION = """
SELECT u.user_id, u.issuer, u.subject, u.name, u.email, u.disabled_at,
    s.session_digest, s.user_id, s.method, s.created_at, s.last_used_at, s.expires_at, s.address, s.upstream
FROM sessions s JOIN users u ON u.user_id = s.user_id AND u.disabled_at IS NULL
WHERE s.session_digest = :session_digest AND s.expires_at > :now AND s.last_used_at > :idle_since"""

_TOUCH_SESSION = """
UPDATE sessions SET last_used_at = :now WHERE session_digest = :session_digest AND last_used_at < :now
RETURNING 1"""

_END_SESSIONS = """
DELETE FROM sessions WHERE user_id = :user_id AND (:kept IS NULL OR session_digest <> :kept)
RETURNING 1"""

_USER_COLUMNS = 6


class SqlSessionStore:
    """The part of `server.identity.store.IdentityStore` that is about sessions."""

    def __init__(self, driver: Driver) -> None:
        """Keep everything through this driver."""
        self._driver = driver

    async def start_session(
        self, session: Session, former: str | None, handle_digest: str | None, now: int, event: Event | None = None
    ) -> bool:
        """Keep a new session in the place of a former one, and note for which request it is."""
        return await self._driver.write(recorded(_start(session, former, handle_digest, now), event))

    async def choose_session(self, session_digest: str, handle_digest: str, now: int) -> bool:
        """Note that a pending request is to be answered in a session."""
        choice = {"session_digest": session_digest, "handle_digest": handle_digest, "now": now}
        return await self._driver.write(changed(_MARK_REQUEST, **choice))

    async def get_session(self, session_digest: str, now: int) -> SignedIn | None:
        """Give a session and its user if both are live, else ``None``."""
        return await self._driver.read(_get(session_digest, now))

    async def touch_session(self, session_digest: str, now: int) -> bool:
        """Note that a session is in use."""
        return await self._driver.write(changed(_TOUCH_SESSION, session_digest=session_digest, now=now))

    async def end_session(self, session_digest: str, event: Event | None = None) -> bool:
        """End one session; ``False`` when it was over already."""
        return await self._driver.write(recorded(changed(_END_SESSION, session_digest=session_digest), event))

    async def end_sessions(self, user_id: str, kept: str | None, event: Event | None = None) -> int:
        """End every session of a user but one; gives how many there were."""
        return await self._driver.write(recorded(end_sessions(user_id, kept), event))


def end_sessions(user_id: str, kept: str | None = None) -> Script[int]:
    """End every session of a user but one, as part of a transaction."""
    return len((yield Statement(_END_SESSIONS, {"user_id": user_id, "kept": kept})))


def _start(session: Session, former: str | None, handle_digest: str | None, now: int) -> Script[bool]:
    if not (yield Statement(_GET_LIVE_USER, {"user_id": session.user_id})):
        return False
    if former is not None:
        yield Statement(_END_SESSION, {"session_digest": former})
    yield Statement(_ADD_SESSION, {name: getattr(session, name) for name in session.__slots__})
    if handle_digest is not None:
        mark = {"session_digest": session.session_digest, "handle_digest": handle_digest, "now": now}
        yield Statement(_MARK_REQUEST, mark)
    return True


def _get(session_digest: str, now: int) -> Script[SignedIn | None]:
    wanted = {"session_digest": session_digest, "now": now, "idle_since": now - IDLE}
    found = yield Statement(_GET_SESSION, wanted)
    if not found:
        return None
    row = found[0]
    return SignedIn(User(*row[:_USER_COLUMNS]), Session(*row[_USER_COLUMNS:]))
