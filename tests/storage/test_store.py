"""The store's methods, their races, and what deleting a row by hand does."""

import asyncio
from dataclasses import replace

import pytest

from server.oauth.model import UNOPENED, Client, Counts
from server.storage.database import Database
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import DAY, HOUR, NOW, digest

BREAKING_A_GRANT = [
    "DELETE FROM clients",
    "DELETE FROM users",
    "DELETE FROM grants",
    "UPDATE users SET disabled_at = 1",
    "UPDATE grants SET revoked_at = 1",
    "UPDATE grants SET expires_at = 1",
]


async def test_a_client_comes_back_as_it_was_kept(database: Database) -> None:
    await database.add_client(make.client())

    assert await database.get_client("client") == make.client()
    assert await database.get_client("another") is None


async def test_a_client_with_nothing_optional_comes_back(database: Database) -> None:
    bare = Client("bare", "none", ("http://localhost/",), ("authorization_code",), ("code",), NOW)
    await database.add_client(bare)

    assert await database.get_client("bare") == bare


async def test_a_request_comes_back_as_it_was_kept(database: Database) -> None:
    await database.add_authorization_request(make.request())

    assert await database.get_authorization_request(digest("handle")) == make.request()
    assert await database.get_authorization_request(digest("another")) is None


async def test_an_approved_request_yields_its_code_and_user(database: Database, shell: Shell) -> None:
    await database.add_client(make.client())
    await database.add_authorization_request(make.request())

    assert await database.approve_authorization_request(digest("handle"), make.user(), make.code(), NOW + 5)

    assert await database.get_authorization_code(digest("code")) == make.code()
    assert await database.get_authorization_request(digest("handle")) == make.request()._replace(decided_at=NOW + 5)
    assert shell("SELECT user_id, issuer, subject, name, created_at FROM users") == [
        ("user", "https://issuer.example.com", "user", "Uschi", NOW + 5)
    ]


async def test_a_known_user_is_left_as_they_are(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    await database.add_authorization_request(make.request("second"))
    renamed = make.user()._replace(name="Another")

    assert await database.approve_authorization_request(digest("second"), renamed, make.code("later"), NOW)

    assert shell("SELECT name FROM users") == [("Uschi",)]
    assert await database.get_access_token(digest("access"), NOW) is not None


async def test_a_request_that_no_browser_has_opened_is_bound_once(database: Database) -> None:
    await database.add_authorization_request(make.request()._replace(browser_digest=UNOPENED))
    browsers = [digest(f"browser {number}") for number in range(10)]
    opened = await asyncio.gather(
        *(database.open_authorization_request(digest("handle"), browser, NOW) for browser in browsers)
    )
    assert opened.count(True) == 1
    kept = await database.get_authorization_request(digest("handle"))
    assert kept is not None
    assert kept.browser_digest == browsers[opened.index(True)]


async def test_a_request_that_is_bound_decided_expired_or_unknown_is_not_opened(database: Database) -> None:
    await database.add_client(make.client())
    await database.add_authorization_request(make.request())
    for word in ("decided", "expired"):
        await database.add_authorization_request(make.request(word)._replace(browser_digest=UNOPENED))
    assert await database.deny_authorization_request(digest("decided"), NOW)
    for word, now in (("handle", NOW), ("decided", NOW), ("expired", NOW + 600), ("unknown", NOW)):
        assert not await database.open_authorization_request(digest(word), digest("browser"), now), word
    assert await database.get_authorization_request(digest("handle")) == make.request()


async def test_a_request_is_decided_once(database: Database) -> None:
    await database.add_client(make.client())
    await database.add_authorization_request(make.request())

    decisions = await asyncio.gather(
        *(
            database.approve_authorization_request(digest("handle"), make.user(), make.code(f"code {number}"), NOW)
            for number in range(10)
        ),
        *(database.deny_authorization_request(digest("handle"), NOW) for _ in range(10)),
    )

    assert decisions.count(True) == 1


async def test_an_expired_request_cannot_be_decided(database: Database, shell: Shell) -> None:
    await database.add_client(make.client())
    await database.add_authorization_request(make.request())

    assert not await database.deny_authorization_request(digest("handle"), NOW + 600)
    assert not await database.approve_authorization_request(digest("handle"), make.user(), make.code(), NOW + 600)
    assert shell("SELECT * FROM users") == []
    assert shell("SELECT * FROM authorization_codes") == []
    assert await database.deny_authorization_request(digest("handle"), NOW + 599)


async def test_a_deleted_clients_request_cannot_be_decided(database: Database, shell: Shell) -> None:
    await database.add_client(make.client())
    await database.add_authorization_request(make.request())
    shell("DELETE FROM clients")

    assert not await database.approve_authorization_request(digest("handle"), make.user(), make.code(), NOW)
    assert not await database.deny_authorization_request(digest("handle"), NOW)
    assert shell("SELECT decided_at FROM authorization_requests") == [(None,)]


async def test_a_disabled_user_cannot_approve(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    await database.add_authorization_request(make.request("second"))
    shell("UPDATE users SET disabled_at = 1")

    assert not await database.approve_authorization_request(digest("second"), make.user(), make.code("later"), NOW)
    assert shell("SELECT count(*) FROM authorization_codes") == [(1,)]
    assert (await database.get_authorization_request(digest("second"))) == make.request("second")


async def test_a_user_who_comes_back_after_deletion_starts_afresh(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    for word in ("open", "second"):
        await database.add_authorization_request(make.request(word))
    await database.approve_authorization_request(digest("open"), make.user(), make.code("unused"), NOW)
    shell("DELETE FROM users")

    assert await database.approve_authorization_request(digest("second"), make.user(), make.code("later"), NOW + 1)

    assert await database.get_access_token(digest("access"), NOW + 1) is None
    assert shell("SELECT revoked_at, revoked_reason FROM grants") == [(NOW + 1, "user_deleted")]
    another = (make.grant("another"), make.access("another", "another"), None)
    assert not await database.redeem_authorization_code(digest("unused"), *another, NOW + 1)
    assert await database.redeem_authorization_code(digest("later"), *another, NOW + 1)


async def test_a_code_is_redeemed_once(database: Database, shell: Shell) -> None:
    await database.add_client(make.client())
    await database.add_authorization_request(make.request())
    await database.approve_authorization_request(digest("handle"), make.user(), make.code(), NOW)

    outcomes = await asyncio.gather(
        *(
            database.redeem_authorization_code(
                digest("code"),
                make.grant(f"grant {number}"),
                make.access(f"access {number}", f"grant {number}"),
                make.refresh(f"refresh {number}", f"grant {number}"),
                NOW + 1,
            )
            for number in range(20)
        )
    )

    assert outcomes.count(True) == 1
    winner = f"grant {outcomes.index(True)}"
    used = make.code()._replace(used_at=NOW + 1, grant_id=winner)
    assert await database.get_authorization_code(digest("code")) == used
    assert shell("SELECT grant_id FROM grants") == [(winner,)]
    assert shell("SELECT grant_id FROM access_tokens") == [(winner,)]
    assert shell("SELECT grant_id FROM refresh_tokens") == [(winner,)]
    assert shell("SELECT last_used_at FROM clients") == [(NOW + 1,)]


@pytest.mark.parametrize(
    "breaking",
    ["DELETE FROM clients", "DELETE FROM users", "UPDATE users SET disabled_at = 1", "DELETE FROM authorization_codes"],
)
async def test_a_code_whose_client_or_user_is_gone_cannot_be_redeemed(
    database: Database, shell: Shell, breaking: str
) -> None:
    await database.add_client(make.client())
    await database.add_authorization_request(make.request())
    await database.approve_authorization_request(digest("handle"), make.user(), make.code(), NOW)
    shell(breaking)

    assert not await database.redeem_authorization_code(
        digest("code"), make.grant(), make.access(), make.refresh(), NOW
    )
    assert shell("SELECT * FROM grants") == []


async def test_an_expired_code_cannot_be_redeemed(database: Database) -> None:
    await database.add_client(make.client())
    await database.add_authorization_request(make.request())
    await database.approve_authorization_request(digest("handle"), make.user(), make.code(), NOW)

    assert not await database.redeem_authorization_code(
        digest("code"), make.grant(), make.access(), make.refresh(), NOW + 600
    )


async def test_a_live_access_token_comes_with_its_user(database: Database) -> None:
    await make.logged_in(database)

    live = await database.get_access_token(digest("access"), NOW + HOUR - 1)

    assert live is not None
    assert live.token == make.access()
    assert live.user == make.user()
    assert await database.get_access_token(digest("access"), NOW + HOUR) is None
    assert await database.get_access_token(digest("another"), NOW) is None


@pytest.mark.parametrize(
    "breaking", [*BREAKING_A_GRANT, "DELETE FROM access_tokens", "UPDATE access_tokens SET expires_at = 1"]
)
async def test_breaking_anything_by_hand_ends_an_access_token_at_once(
    database: Database, shell: Shell, breaking: str
) -> None:
    await make.logged_in(database)
    assert await database.get_access_token(digest("access"), NOW + 1) is not None

    shell(breaking)

    assert await database.get_access_token(digest("access"), NOW + 1) is None
    assert (await database.count_live(NOW + 1)).access_tokens == 0


async def test_a_refresh_token_comes_with_its_grant(database: Database) -> None:
    await make.logged_in(database)

    held = await database.get_refresh_token(digest("refresh"), NOW)

    assert held is not None
    assert held.token == make.refresh()
    assert held.grant == make.grant()
    assert held.grant_live
    assert await database.get_refresh_token(digest("another"), NOW) is None


@pytest.mark.parametrize("breaking", BREAKING_A_GRANT)
async def test_breaking_a_grant_by_hand_ends_its_refresh_tokens_at_once(
    database: Database, shell: Shell, breaking: str
) -> None:
    await make.logged_in(database)

    shell(breaking)

    held = await database.get_refresh_token(digest("refresh"), NOW + 1)
    assert held is None or not held.grant_live
    successor = (make.refresh("next"), make.access("next"))
    assert not await database.rotate_refresh_token(digest("refresh"), *successor, NOW + 1)
    assert not await database.add_access_token(make.access("further"), NOW + 1)
    assert shell("SELECT count(*) FROM refresh_tokens WHERE used_at IS NOT NULL") == [(0,)]
    assert (await database.count_live(NOW + 1)).refresh_tokens == 0


async def test_a_refresh_token_is_rotated_once(database: Database, shell: Shell) -> None:
    await make.logged_in(database)

    outcomes = await asyncio.gather(
        *(
            database.rotate_refresh_token(
                digest("refresh"), make.refresh(f"next {number}"), make.access(f"next {number}"), NOW + 9
            )
            for number in range(20)
        )
    )

    assert outcomes.count(True) == 1
    assert shell("SELECT count(*) FROM refresh_tokens") == [(2,)]
    assert shell("SELECT count(*) FROM access_tokens") == [(2,)]
    assert shell("SELECT last_used_at FROM clients") == [(NOW + 9,)]
    held = await database.get_refresh_token(digest("refresh"), NOW + 9)
    assert held is not None
    assert held.token == make.refresh()._replace(used_at=NOW + 9)
    assert held.grant_live


async def test_an_expired_refresh_token_is_not_rotated(database: Database) -> None:
    await make.logged_in(database)
    successor = (make.refresh("next"), make.access("next"))

    assert not await database.rotate_refresh_token(digest("refresh"), *successor, NOW + DAY)
    assert await database.get_refresh_token(digest("refresh"), NOW + DAY) is not None


async def test_a_live_grant_takes_a_further_access_token(database: Database) -> None:
    await make.logged_in(database)

    assert await database.add_access_token(make.access("further"), NOW)
    assert await database.get_access_token(digest("further"), NOW) is not None


async def test_a_revoked_access_token_takes_no_other_with_it(database: Database) -> None:
    await make.logged_in(database)
    await database.add_access_token(make.access("further"), NOW)

    assert await database.revoke_access_token(digest("access"), NOW)

    assert not await database.revoke_access_token(digest("access"), NOW)
    assert await database.get_access_token(digest("access"), NOW) is None
    assert await database.get_access_token(digest("further"), NOW) is not None


async def test_an_access_token_is_revoked_for_good_while_its_user_is_disabled(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    shell("UPDATE users SET disabled_at = 1")

    await database.revoke_access_token(digest("access"), NOW)

    shell("UPDATE users SET disabled_at = NULL")
    assert await database.get_access_token(digest("access"), NOW) is None


async def test_an_expired_access_token_is_over_already(database: Database) -> None:
    await make.logged_in(database)

    assert not await database.revoke_access_token(digest("access"), NOW + HOUR)


async def test_a_revoked_grant_ends_its_family(database: Database, shell: Shell) -> None:
    await make.logged_in(database)

    assert await database.revoke_grant("grant", "reuse", NOW + 1)

    assert not await database.revoke_grant("grant", "again", NOW + 2)
    assert not await database.revoke_grant("another", "reuse", NOW + 2)
    assert await database.get_access_token(digest("access"), NOW + 1) is None
    held = await database.get_refresh_token(digest("refresh"), NOW + 1)
    assert held is not None
    assert not held.grant_live
    assert (held.grant.revoked_at, held.grant.revoked_reason) == (NOW + 1, "reuse")
    assert shell("SELECT revoked_reason FROM grants") == [("reuse",)]


async def test_a_grant_that_cannot_be_refreshed_ends_with_its_access_token(database: Database, shell: Shell) -> None:
    await make.logged_in(database, refreshable=False)

    assert shell("SELECT expires_at FROM grants") == [(NOW + HOUR,)]


async def test_a_machines_token_is_live_without_a_user(database: Database) -> None:
    await make.machine_at_work(database)

    held = await database.get_access_token(digest("of its own"), NOW)
    assert held is not None
    assert (held.user, held.token.user_id, held.token.client_id) == (None, None, "machine")
    assert (await database.count_live(NOW)).access_tokens == 1
    assert await database.has_machine_client()


async def test_a_machine_that_was_deleted_is_granted_nothing(database: Database, shell: Shell) -> None:
    await make.machine_at_work(database)
    assert await database.delete_client("machine")
    assert not await database.delete_client("machine")
    assert await database.get_access_token(digest("of its own"), NOW) is None

    granted, held = make.grant("late", "machine"), make.access("late", "late", "machine")
    assert not await database.add_machine_grant(granted._replace(user_id=None), held._replace(user_id=None), NOW)
    assert shell("SELECT grant_id FROM grants") == [("for itself",)]
    assert not await database.has_machine_client()


async def test_a_client_is_updated_by_whoever_holds_its_registration_token(database: Database) -> None:
    kept = replace(make.client(), registration_digest=digest("registration"))
    await database.add_client(kept)
    updated = replace(kept, client_name="After", redirect_uris=("https://a.example/",), scope=None, last_used_at=NOW)

    assert not await database.update_client(replace(updated, registration_digest=digest("another")))
    assert await database.get_client("client") == kept
    assert await database.update_client(updated)
    assert await database.get_client("client") == updated
    await database.delete_client("client")
    assert not await database.update_client(updated)


async def test_counts_are_of_live_rows(database: Database) -> None:
    assert await database.count_live(NOW) == Counts(0, 0, 0, 0)
    await make.logged_in(database)
    await database.add_authorization_request(make.request("second"))
    await database.approve_authorization_request(digest("second"), make.user(), make.code("later"), NOW)
    await database.rotate_refresh_token(digest("refresh"), make.refresh("next"), make.access("next"), NOW)

    assert await database.count_live(NOW) == Counts(1, 1, 2, 1)
    assert await database.count_live(NOW + HOUR) == Counts(1, 0, 0, 1)
    assert await database.count_live(NOW + DAY) == Counts(1, 0, 0, 0)


async def test_what_was_acknowledged_is_seen_by_the_next_read(database: Database) -> None:
    for number in range(50):
        await database.add_client(make.client(f"client {number}"))
        assert await database.get_client(f"client {number}") is not None
