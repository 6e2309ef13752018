"""Sign-ins under way and approvals of the hop: used once, found for exactly what they are, and gone when over."""

import asyncio
from dataclasses import replace

from server.identity.oidc.model import APPROVAL_TTL, ATTEMPT_TTL, Approval, Attempt
from server.storage.database import Database
from server.storage.purge import purge
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import HOUR, NOW, REDIRECT_URI, digest

ATTEMPT = Attempt(
    state_digest=digest("state"),
    browser_digest=digest("browser"),
    issuer="https://id.example.com",
    nonce_digest=digest("nonce"),
    sealed="sealed",
    created_at=NOW,
    expires_at=NOW + ATTEMPT_TTL,
)
APPROVAL = Approval(
    browser_digest=digest("browser"),
    client_id="client",
    redirect_uri=REDIRECT_URI,
    fingerprint=digest("fingerprint"),
    created_at=NOW,
    expires_at=NOW + APPROVAL_TTL,
)


async def test_a_sign_in_is_used_once(database: Database) -> None:
    await database.add_attempt(ATTEMPT)
    assert await database.get_attempt(digest("state")) == ATTEMPT
    assert await database.get_attempt(digest("another")) is None

    used = await asyncio.gather(*(database.use_attempt(digest("state"), NOW + 1) for _ in range(5)))

    assert sorted(used) == [False, False, False, False, True]
    assert await database.get_attempt(digest("state")) == replace(ATTEMPT, used_at=NOW + 1)


async def test_a_sign_in_that_is_over_is_not_used(database: Database) -> None:
    await database.add_attempt(ATTEMPT)
    assert not await database.use_attempt(digest("state"), NOW + ATTEMPT_TTL)
    assert not await database.use_attempt(digest("another"), NOW)


async def test_an_approval_is_found_for_exactly_what_it_is_for(database: Database) -> None:
    await database.add_client(make.client())
    await database.add_attempt(ATTEMPT, APPROVAL)

    assert await database.has_approval(APPROVAL)
    for another in (
        replace(APPROVAL, browser_digest="another"),
        replace(APPROVAL, client_id="another"),
        replace(APPROVAL, redirect_uri="another"),
        replace(APPROVAL, fingerprint="another"),
    ):
        assert not await database.has_approval(another)
    assert not await database.has_approval(replace(APPROVAL, created_at=NOW + APPROVAL_TTL))


async def test_an_approval_is_renewed_by_the_next(database: Database, shell: Shell) -> None:
    await database.add_client(make.client())
    await database.add_attempt(ATTEMPT, APPROVAL)
    later = replace(APPROVAL, fingerprint=digest("new"), created_at=NOW + 5, expires_at=NOW + 5 + APPROVAL_TTL)
    await database.add_attempt(replace(ATTEMPT, state_digest=digest("next")), later)
    assert shell("SELECT fingerprint, expires_at FROM browser_approvals") == [(digest("new"), NOW + 5 + APPROVAL_TTL)]


async def test_what_is_over_is_purged(database: Database) -> None:
    await database.add_client(replace(make.client(), created_by="operator"))
    await database.add_attempt(ATTEMPT, APPROVAL)

    async def purged(now: int) -> dict[str, int]:
        return {table: count for table, count in (await purge(database.driver, now)).items() if count}

    assert await purged(NOW + ATTEMPT_TTL + HOUR - 1) == {}
    assert await purged(NOW + ATTEMPT_TTL + HOUR) == {"upstream_sign_ins": 1}
    assert await purged(NOW + APPROVAL_TTL - 1) == {}
    assert await purged(NOW + APPROVAL_TTL) == {"browser_approvals": 1}


async def test_an_approval_goes_with_its_client(database: Database, shell: Shell) -> None:
    await database.add_client(make.client())
    await database.add_attempt(ATTEMPT, APPROVAL)
    shell("DELETE FROM clients")
    assert (await purge(database.driver, NOW))["browser_approvals"] == 1
