"""``OAUTH_PROVIDER=local``: accounts in the database, with passwords and invitations."""

from server.identity import passwords as secrets
from server.identity import users
from server.identity.passwords import Passwords
from server.identity.store import IdentityStore
from server.oauth import tokens
from server.oauth.audit import Kind
from server.oauth.context import Context
from server.oauth.model import User

INVITATION = "att_iv_"
"""The prefix of an invitation's token."""

INVITATION_TTL = 7 * 86_400
"""Seconds for which an invitation is good."""


class SignInError(Exception):
    """Nobody was signed in. The reason is for the log alone; the person is told the same whatever it is."""

    def __init__(self, reason: str, user_id: str | None = None) -> None:
        """Say why, and whose account it was, if there is one."""
        super().__init__(reason)
        self.reason = reason
        self.user_id = user_id


async def authenticate(username: str, password: str, store: IdentityStore, passwords: Passwords) -> User:
    """Find out who somebody is by their username and password.

    The same work is done whether or not there is such an account, it is disabled, or it has a password.
    A hash that was made with other parameters than today's is renewed.

    Raises:
        SignInError: They are not, or not any more, who they say.
        TemporarilyUnavailable: Too many people are signing in at once.
    """
    account = await store.find_account(users.normal(username))
    stored = account.password_hash if account else None
    matches = await passwords.check(stored, password)
    if account is None:
        raise SignInError("there is no such account")
    user = account.user
    if stored is None:
        raise SignInError("no password was set yet", user.user_id)
    if not matches:
        raise SignInError("wrong password", user.user_id)
    if user.disabled_at is not None:
        raise SignInError("the account is disabled", user.user_id)
    if passwords.is_outdated(stored):
        await store.rehash_password(user.user_id, stored, await passwords.hash(password))
    return user


async def change_password(
    user: User, current: str, new: str, store: IdentityStore, passwords: Passwords, ctx: Context
) -> str | None:
    """Set another password for somebody who is signed in, which ends all of their sessions.

    Returns:
        Why not, in a sentence; ``None`` when it is done.

    Raises:
        SignInError: The current password is another.
        TemporarilyUnavailable: Too many people are signing in at once.
    """
    account = await store.get_account(user.user_id)
    if not await passwords.check(account.password_hash if account else None, current):
        raise SignInError("wrong current password", user.user_id)
    trouble = await secrets.judge(new, about(user))
    if trouble is None:
        event = ctx.event(Kind.PASSWORD_CHANGED, user_id=user.user_id)
        await store.set_password(user.user_id, await passwords.hash(new), ctx.now, event)
    return trouble


def about(user: User) -> tuple[str | None, ...]:
    """Give what a user's password must not be made of."""
    return (user.subject, user.name, user.email)


def new_invitation(entropy: tokens.Entropy, now: int) -> tuple[str, tuple[str, int]]:
    """Make an invitation's token; gives it, and what is stored of it: its digest and its end."""
    token = tokens.make(INVITATION, entropy)
    return token, (tokens.digest(token), now + INVITATION_TTL)


async def invited(token: str, store: IdentityStore, now: int) -> User | None:
    """Give whom an invitation is for, if it is still good. Text that is no token at all costs no look-up."""
    return await store.get_invited(tokens.digest(token), now) if tokens.is_well_formed(INVITATION, token) else None


async def accept(
    token: str, user: User, password: str, store: IdentityStore, passwords: Passwords, ctx: Context
) -> str | None:
    """Set the password that an invitation is for, which uses it up.

    Returns:
        Why not, in a sentence; ``None`` when it is done.

    Raises:
        TemporarilyUnavailable: Too many people are signing in at once.
    """
    trouble = await secrets.judge(password, about(user))
    if trouble is not None:
        return trouble
    event = ctx.event(Kind.PASSWORD_CHANGED, user_id=user.user_id, detail="by invitation")
    hashed = await passwords.hash(password)
    done = await store.accept_invitation(tokens.digest(token), hashed, ctx.now, event)
    return None if done else "This link was used meanwhile."
