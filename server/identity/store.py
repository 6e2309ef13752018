"""The port to storage that signing in needs. One method is one transaction."""

from typing import Protocol

from server.identity.model import Account, Application, Session, SignedIn
from server.oauth.audit import Event
from server.oauth.model import User


class IdentityStore(Protocol):
    """Users, passwords and sign-in sessions, kept durably.

    Absence, lost races, failures and events are as `server.oauth.store.Store` has them.
    """

    async def get_user(self, user_id: str) -> User | None:
        """Give a user, disabled ones too, or ``None``."""

    async def keep_user(self, user: User, now: int, new: Event | None = None) -> User:
        """Keep what an upstream provider says of a user, and give the row as it is then.

        Who is known by issuer and subject keeps ``user_id`` and ``disabled_at``; name and email are
        replaced. ``new`` is the event if nobody was.
        """

    async def start_session(
        self, session: Session, former: str | None, handle_digest: str | None, now: int, event: Event | None = None
    ) -> bool:
        """Keep a new session; ``False`` when its user is gone or disabled.

        Args:
            session: The session.
            former: The digest of the session that it takes the place of in this browser.
            handle_digest: The authorization request for which its user signed in; one that is over stays as it is.
            now: Unix seconds.
            event: Kept with it.
        """

    async def choose_session(self, session_digest: str, handle_digest: str, now: int) -> bool:
        """Note that the user of a session wants to be the one who answers a pending authorization request."""

    async def get_session(self, session_digest: str, now: int) -> SignedIn | None:
        """Give a session and its user if both are live, else ``None``."""

    async def touch_session(self, session_digest: str, now: int) -> bool:
        """Note that a session is in use."""

    async def end_session(self, session_digest: str, event: Event | None = None) -> bool:
        """End one session; ``False`` when it was over already."""

    async def end_sessions(self, user_id: str, kept: str | None, event: Event | None = None) -> int:
        """End every session of a user but the one with the digest ``kept``; gives how many there were."""

    async def find_account(self, username: str) -> Account | None:
        """Give the local account of that name, disabled ones too, or ``None``."""

    async def get_account(self, user_id: str) -> Account | None:
        """Give the local account with that id, disabled ones too, or ``None``."""

    async def add_account(
        self,
        user: User,
        password_hash: str | None,
        now: int,
        invitation: tuple[str, int] | None = None,
        event: Event | None = None,
    ) -> bool:
        """Keep a new local account; ``False`` when there is one of that name.

        ``invitation`` is a link's token's digest, and when it ends.
        """

    async def set_password(self, user_id: str, password_hash: str, now: int, event: Event | None = None) -> bool:
        """Set a local account's password, and end its sessions and invitations; ``False`` when it is gone."""

    async def rehash_password(self, user_id: str, former: str, password_hash: str) -> bool:
        """Replace a password's hash by another of the same password, if it is still the former one."""

    async def invite(
        self, user_id: str, token_digest: str, expires_at: int, now: int, event: Event | None = None
    ) -> bool:
        """Let a link set a local account's password once, in place of all earlier ones; ``False`` when it is gone."""

    async def get_invited(self, token_digest: str, now: int) -> User | None:
        """Give the user that an invitation is for, if both are live, else ``None``."""

    async def accept_invitation(
        self, token_digest: str, password_hash: str, now: int, event: Event | None = None
    ) -> bool:
        """Use up an invitation: set the password and end the user's sessions; ``False`` when it is over."""

    async def set_disabled(self, user_id: str, disabled_at: int | None, event: Event | None = None) -> bool:
        """Disable a user and end their sessions, or enable one; ``False`` when that is so already."""

    async def delete_user(self, user_id: str, now: int, event: Event | None = None) -> bool:
        """Remove a user and all that hangs on one; ``False`` when there is none."""

    async def list_applications(self, user_id: str, now: int) -> tuple[Application, ...]:
        """Give the clients that a user has allowed something that is still good, by name."""
