"""What must hold of clients, users, grants and tokens, said as simply as it can be."""

from dataclasses import dataclass

from server.oauth.model import Client, User

HOUR, DAY = 3_600, 86_400
CODE, ACCESS, GRACE, ROUNDING = 60, 90, 20, 1
REFRESH, FAMILY, IDLE = 40 * DAY, 100 * DAY, 30 * DAY
"""Seconds. An access token outlives what is announced by the rounding.
Refresh tokens and grants live for longer than the purge waits for anything."""


@dataclass(eq=False)
class Person:
    """One life of a user's row: a row that is made anew after a deletion is another life."""

    user: User
    enabled: bool = True
    known: bool = True


@dataclass(eq=False)
class Holder:
    """A client."""

    client: Client
    known: bool = True


@dataclass(eq=False)
class Family:
    """A code and all that comes of it."""

    holder: Holder
    person: Person
    scopes: frozenset[str]
    code: str
    code_until: int
    redeemed: bool = False
    forgotten: bool = False
    """Whether the code's row was purged."""
    ended: bool = False
    until: int = 0

    def waiting(self, now: int) -> bool:
        """Whether its code can still be redeemed, if its client and its user are there."""
        return not self.redeemed and now < self.code_until

    def usable(self) -> bool:
        """Whether its client and its user are there."""
        return self.holder.known and self.person.known and self.person.enabled

    def open(self, now: int) -> bool:
        """Whether its grant is good, or would be if its user were not disabled."""
        return self.redeemed and not self.ended and now < self.until and self.holder.known and self.person.known

    def live(self, now: int) -> bool:
        """Whether its grant is good."""
        return self.open(now) and self.person.enabled


@dataclass(eq=False)
class Token:
    """An access token or a refresh token."""

    family: Family
    value: str
    until: int
    scopes: frozenset[str]
    deleted: bool = False

    @property
    def end(self) -> int:
        """When its time is over."""
        return self.until

    def held(self, now: int) -> bool:
        """Whether it is good, or would be if its user were not disabled."""
        return now < self.end and not self.deleted and self.family.open(now)

    def live(self, now: int) -> bool:
        """Whether it is good."""
        return self.held(now) and self.family.live(now)


@dataclass(eq=False)
class Access(Token):
    """An access token."""


@dataclass(eq=False)
class Refresh(Token):
    """A refresh token."""

    used_at: int | None = None
    successor: str = ""

    @property
    def end(self) -> int:
        """When its time, or its grace, is over."""
        return self.until if self.used_at is None else self.used_at + GRACE
