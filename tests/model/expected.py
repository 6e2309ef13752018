"""What must hold of clients, users, grants and tokens, said as simply as it can be."""

from dataclasses import dataclass

from server.oauth.model import Client

CODE, ACCESS, REFRESH, GRACE, FAMILY = 60, 90, 300, 20, 700
"""Seconds: how long a code, an access token, a refresh token and a grant live, and how long the grace is."""


@dataclass(eq=False)
class Person:
    """One life of the user's row: a row that is made anew after a deletion is another life."""

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
    code: str
    code_until: int
    redeemed: bool = False
    ended: bool = False
    until: int = 0

    def usable(self) -> bool:
        """Whether its client and its user are there."""
        return self.holder.known and self.person.known and self.person.enabled

    def live(self, now: int) -> bool:
        """Whether its grant is good."""
        return self.redeemed and not self.ended and now < self.until and self.usable()


@dataclass(eq=False)
class Access:
    """An access token."""

    family: Family
    value: str
    until: int

    @property
    def end(self) -> int:
        """When its time is over."""
        return self.until

    def live(self, now: int) -> bool:
        """Whether it is good."""
        return now < self.until and self.family.live(now)


@dataclass(eq=False)
class Refresh:
    """A refresh token."""

    family: Family
    value: str
    until: int
    deleted: bool = False
    used_at: int | None = None
    successor: str = ""

    @property
    def end(self) -> int:
        """When its time, or its grace, is over."""
        return self.until if self.used_at is None else self.used_at + GRACE

    def live(self, now: int) -> bool:
        """Whether presenting it would give tokens."""
        return now < self.end and not self.deleted and self.family.live(now)
