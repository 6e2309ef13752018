"""What can be done to clients, users, grants and tokens: done to the real thing and to the model, and compared."""

from typing import Any

from server.oauth import tokens
from server.oauth.errors import InvalidClient, InvalidGrant, InvalidScope, PageError
from server.oauth.model import Counts, User
from tests.model.expected import (
    ACCESS,
    CODE,
    FAMILY,
    HOUR,
    REFRESH,
    ROUNDING,
    Access,
    Family,
    Holder,
    Person,
    Refresh,
    Token,
)
from tests.model.world import ASKED, VERIFIER, World

OF_FAMILY = "grant_id = (SELECT grant_id FROM refresh_tokens WHERE token_digest = ?)"


class Story:
    """One sequence of steps, from nothing; each step checks the answers that it gets."""

    def __init__(self, world: World) -> None:
        world.begin()
        self.world = world
        self.persons: dict[str, Person] = {}
        self.holders: list[Holder] = []
        self.families: list[Family] = []
        self.access: list[Access] = []
        self.refresh: list[Refresh] = []

    @property
    def now(self) -> int:
        """The time."""
        return self.world.now

    @property
    def held(self) -> list[Token]:
        """Every token that was ever issued."""
        return [*self.access, *self.refresh]

    def reach(self, moment: int) -> None:
        """Let time pass until then."""
        self.world.now = max(self.now, moment)

    def register(self) -> Holder:
        """Register a client."""
        holder = Holder(self.world.run(self.world.register()))
        self.holders.append(holder)
        return holder

    def approve(self, holder: Holder, user: User, kept: tuple[str, ...]) -> Family | None:
        """Ask a user, who approves some of the scopes; ``None`` when there was no page to do so."""
        person = self.persons.get(user.user_id, Person(user))
        try:
            code = self.world.run(self.world.approve(holder.client, user, kept))
        except PageError:
            assert not (holder.known and person.enabled)
            return None
        assert holder.known
        assert person.enabled
        self.persons[user.user_id] = person
        for former in self.families:
            if former.person.user is user and not former.person.known:
                former.code_until = min(former.code_until, self.now)
        granted = frozenset(kept) & frozenset(ASKED.split())
        family = Family(holder, person, granted, code, self.now + CODE)
        self.families.append(family)
        return family

    def redeem(self, family: Family, verifier: str = VERIFIER) -> None:
        """Redeem a code, for the first time or once more."""
        answer = self._exchange(family.holder, family, verifier)
        if family.waiting(self.now) and family.usable() and verifier == VERIFIER:
            family.redeemed, family.until = True, self.now + FAMILY
            self._issue(family, answer, family.scopes)
            return
        self._refused(family.holder, answer)
        family.ended |= family.redeemed and family.holder.known and not family.forgotten

    def redeem_as(self, holder: Holder, family: Family) -> None:
        """Redeem a code that another client was given."""
        self._refused(holder, self._exchange(holder, family, VERIFIER))

    def _exchange(self, holder: Holder, family: Family, verifier: str) -> Any:
        asked = {"grant_type": "authorization_code", "code": family.code, "code_verifier": verifier}
        return self.world.run(self.world.ask(holder.client, 1, asked))[0]

    def present(self, token: Refresh, times: int = 1, scope: str = "") -> None:
        """Present a refresh token, several times at once if so wanted."""
        family, wanted = token.family, frozenset(scope.split()) or token.scopes
        asked = {"grant_type": "refresh_token", "refresh_token": token.value, "scope": scope}
        live, reused = token.live(self.now), token.used_at is not None and not token.deleted
        for answer in self.world.run(self.world.ask(family.holder.client, times, asked)):
            if not live:
                self._refused(family.holder, answer)
                family.ended |= reused and family.live(self.now)
            elif not wanted <= token.scopes:
                assert isinstance(answer, InvalidScope), answer
            else:
                self._issue(family, answer, wanted)
                self._rotated(token, answer["refresh_token"])

    def _rotated(self, token: Refresh, successor: str) -> None:
        """Note the one successor of a token; whoever presents it again gets the same."""
        if token.used_at is None:
            token.used_at, token.successor = self.now, successor
        assert successor == token.successor != token.value

    def _issue(self, family: Family, answer: Any, scopes: frozenset[str]) -> None:
        """Note what an answer holds."""
        assert isinstance(answer, dict), answer
        assert set(answer["scope"].split()) == scopes
        access = Access(family, answer["access_token"], min(self.now + ACCESS + ROUNDING, family.until), scopes)
        assert answer["expires_in"] == min(ACCESS, access.until - self.now)
        self.access.append(access)
        if answer["refresh_token"] not in {token.value for token in self.refresh}:
            until = min(self.now + REFRESH, family.until)
            self.refresh.append(Refresh(family, answer["refresh_token"], until, family.scopes))

    def _refused(self, holder: Holder, answer: Any) -> None:
        assert isinstance(answer, InvalidGrant if holder.known else InvalidClient), answer

    def revoke(self, token: Token, by: Holder) -> None:
        """Revoke a token as a client, who may not be the one that holds it."""
        self.world.run(self.world.revoke(by.client, token.value))
        if by is not token.family.holder:
            return
        if isinstance(token, Refresh):
            token.family.ended |= not token.deleted
        elif token.live(self.now):
            token.until = self.now

    def operator_ends_access(self, token: Access, change: str) -> None:
        """Change an access token's row by hand so that it is over."""
        self.world.operate(f"{change} WHERE token_digest = ?", tokens.digest(token.value))
        token.deleted = True

    def operator_ends_family(self, token: Refresh, change: str) -> None:
        """Change a family's grant by hand so that it is over, or delete its refresh tokens."""
        self.world.operate(f"{change} WHERE {OF_FAMILY}", tokens.digest(token.value))
        if "refresh_tokens" not in change:
            token.family.ended |= not token.deleted
            return
        for each in self.refresh:
            each.deleted |= each.family is token.family

    def operator_deletes_client(self, holder: Holder) -> None:
        """Delete a client's row by hand."""
        self.world.operate("DELETE FROM clients WHERE client_id = ?", holder.client.client_id)
        holder.known = False

    def operator_changes_user(self, user: User, change: str) -> None:
        """Disable, enable or delete a user by hand."""
        person = self.persons.get(user.user_id, Person(user))
        if change == "delete":
            self.world.operate("DELETE FROM users WHERE user_id = ?", user.user_id)
            person.known = False
            self.persons.pop(user.user_id, None)
            return
        disabled_at = self.now if change == "disable" else None
        self.world.operate("UPDATE users SET disabled_at = ? WHERE user_id = ?", disabled_at, user.user_id)
        person.enabled = disabled_at is None

    def purge(self) -> None:
        """Remove what is over; a client may go as long as nothing of it is good."""
        self.world.run(self.world.purge())
        for family in self.families:
            family.forgotten |= family.code_until + HOUR <= self.now
        for holder in self.holders:
            if holder.known and self.world.run(self.world.store.get_client(holder.client.client_id)) is None:
                assert not any(token.held(self.now) for token in self.held if token.family.holder is holder)
                assert not any(family.waiting(self.now) for family in self.families if family.holder is holder)
                holder.known = False

    def check(self) -> None:
        """Hold every token, and the counts of live rows, to the model."""
        asked = [(token.family.holder.client, token.value) for token in self.held]
        for token, claims in zip(self.held, self.world.run(self.world.worth(asked)), strict=True):
            assert claims["active"] is token.live(self.now), token
            assert not claims["active"] or set(claims["scope"].split()) == token.scopes, token
        assert self.world.run(self.world.store.count_live(self.now)) == Counts(
            sum(holder.known for holder in self.holders),
            sum(family.waiting(self.now) for family in self.families),
            sum(token.live(self.now) for token in self.access),
            sum(token.live(self.now) for token in self.refresh if token.used_at is None),
        )
