"""Users, passwords, invitations, sessions and applications: what is kept, seen and removed."""

import asyncio
from dataclasses import replace

import pytest

from server.identity.model import Session
from server.identity.sessions import IDLE, LIFETIME
from server.oauth.audit import Event, Kind
from server.oauth.model import User
from server.storage.database import Database
from server.storage.purge import purge
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import DAY, NOW, digest

ADA = User("u-ada", "local", "ada", "Ada", "ada@example.com")
UPSTREAM = User("u-1", "https://login.example.com", "subject", "Ada", "ada@example.com")


def session(word: str, user_id: str = "u-ada") -> Session:
    return Session(digest(word), user_id, "password", NOW, NOW, NOW + LIFETIME, "192.0.2.7")


async def test_a_session_needs_a_live_user_and_takes_the_place_of_the_former_one(
    database: Database, shell: Shell
) -> None:
    assert not await database.start_session(session("s"), None, None, NOW)
    await database.add_account(ADA, None, NOW)
    assert await database.start_session(session("s"), None, None, NOW)
    assert await database.start_session(session("t"), digest("s"), None, NOW)
    found = await database.get_session(digest("t"), NOW)
    assert found is not None
    assert (found.user, found.session) == (ADA, session("t"))
    assert await database.get_session(digest("s"), NOW) is None
    await database.set_disabled("u-ada", NOW)
    assert not await database.start_session(session("v"), None, None, NOW)
    assert shell("SELECT count(*) FROM sessions") == [(0,)]


@pytest.mark.parametrize(
    ("change", "live"),
    [
        ("UPDATE users SET disabled_at = 1", False),
        ("DELETE FROM users", False),
        ("DELETE FROM sessions", False),
        ("UPDATE users SET name = 'Another'", True),
    ],
)
async def test_what_an_operator_does_in_the_shell_takes_effect_at_the_next_look(
    database: Database, shell: Shell, change: str, *, live: bool
) -> None:
    await database.add_account(ADA, None, NOW)
    await database.start_session(session("s"), None, None, NOW)
    shell(change)
    assert (await database.get_session(digest("s"), NOW) is not None) is live


async def test_a_session_is_noted_with_the_pending_request_that_it_was_begun_for_and_no_other(
    database: Database, shell: Shell
) -> None:
    await database.add_account(ADA, None, NOW)
    await database.add_client(make.client())
    for word in ("mine", "others", "late"):
        await database.add_authorization_request(make.request(word))
    shell("UPDATE authorization_requests SET expires_at = ? WHERE handle_digest = ?", NOW, digest("late"))
    for word in ("mine", "late", "unknown"):
        assert await database.start_session(session(word), None, digest(word), NOW)
    marked = [await database.get_authorization_request(digest(word)) for word in ("mine", "others", "late")]
    assert [one and one.session_digest for one in marked] == [digest("mine"), None, None]
    assert await database.choose_session(digest("other"), digest("mine"), NOW)
    assert not await database.choose_session(digest("other"), digest("late"), NOW)


async def test_ending_sessions_spares_the_one_that_is_kept_and_other_users(database: Database, shell: Shell) -> None:
    for user in (ADA, ADA._replace(user_id="u-lin", subject="lin")):
        await database.add_account(user, None, NOW)
    for word in ("a", "b", "c"):
        await database.start_session(session(word), None, None, NOW)
    await database.start_session(session("d", "u-lin"), None, None, NOW)
    assert await database.end_sessions("u-ada", digest("b")) == 2
    assert {row[0] for row in shell("SELECT session_digest FROM sessions")} == {digest("b"), digest("d")}
    assert await database.end_session(digest("b"))
    assert not await database.end_session(digest("b"))


async def test_an_upstream_user_is_one_row_whatever_they_are_called(database: Database, shell: Shell) -> None:
    new = Event(NOW, Kind.USER_ADDED, user_id="u-1")
    assert await database.keep_user(UPSTREAM, NOW, new) == UPSTREAM
    again = UPSTREAM._replace(user_id="u-2", name="Ada King", email=None)
    await database.set_disabled("u-1", NOW)
    kept = await database.keep_user(again, NOW + 1, new)
    assert kept == again._replace(user_id="u-1", disabled_at=NOW)
    assert shell("SELECT user_id, name, email FROM users") == [("u-1", "Ada King", None)]
    assert shell("SELECT count(*) FROM audit_log WHERE event = 'user_added'") == [(1,)]
    namesake = UPSTREAM._replace(user_id="u-3", issuer="https://other.example.com")
    assert await database.keep_user(namesake, NOW + 2) == namesake


async def test_of_two_accounts_of_one_name_one_is_kept(database: Database, shell: Shell) -> None:
    users = [ADA._replace(user_id=f"u-{number}") for number in range(4)]
    kept = await asyncio.gather(*(database.add_account(user, "hash", NOW) for user in users))
    assert sorted(kept) == [False, False, False, True]
    assert shell("SELECT count(*) FROM passwords") == [(1,)]


async def test_only_local_accounts_have_passwords_and_invitations(database: Database, shell: Shell) -> None:
    await database.keep_user(UPSTREAM, NOW)
    assert not await database.set_password("u-1", "hash", NOW)
    assert not await database.invite("u-1", digest("i"), NOW + DAY, NOW)
    assert await database.get_account("u-1") is None
    assert shell("SELECT (SELECT count(*) FROM passwords), (SELECT count(*) FROM invitations)") == [(0, 0)]


async def test_a_hash_is_renewed_only_in_place_of_the_one_that_was_checked(database: Database) -> None:
    await database.add_account(ADA, "old", NOW)
    await database.set_password("u-ada", "another password's", NOW)
    assert not await database.rehash_password("u-ada", "old", "old, renewed")
    account = await database.get_account("u-ada")
    assert account is not None
    assert account.password_hash == "another password's"


async def test_an_invitation_is_used_up_by_one_of_many(database: Database) -> None:
    await database.add_account(ADA, None, NOW, (digest("i"), NOW + DAY))
    done = await asyncio.gather(*(database.accept_invitation(digest("i"), f"hash {n}", NOW) for n in range(4)))
    assert sorted(done) == [False, False, False, True]


async def test_nothing_that_is_over_lists_an_application(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    listed = await database.list_applications("user", NOW)
    assert [(one.client_id, one.scopes, one.grants, one.last_used_at) for one in listed] == [
        ("client", ("read",), 1, NOW)
    ]
    assert await database.list_applications("another", NOW) == ()
    shell("UPDATE grants SET expires_at = ?", NOW + DAY)
    assert await database.list_applications("user", NOW + DAY) == ()
    shell("UPDATE grants SET revoked_at = 1")
    assert await database.list_applications("user", NOW) == ()


async def test_sessions_and_invitations_go_at_their_end_and_passwords_with_their_user(
    database: Database, shell: Shell
) -> None:
    await database.add_account(ADA, "hash", NOW, (digest("i"), NOW + 10))
    await database.start_session(session("idle"), None, None, NOW)
    await database.start_session(session("used"), None, None, NOW)
    await database.touch_session(digest("used"), NOW + LIFETIME - 1)

    async def purged(now: int) -> dict[str, int]:
        return {table: count for table, count in (await purge(database.driver, now)).items() if count}

    assert await purged(NOW + 9) == {}
    assert await purged(NOW + 10) == {"invitations": 1}
    assert await purged(NOW + IDLE - 1) == {}
    assert await purged(NOW + IDLE) == {"sessions": 1}
    assert await purged(NOW + LIFETIME - 1) == {}
    assert await purged(NOW + LIFETIME) == {"sessions": 1}
    shell("DELETE FROM users")
    assert await purged(NOW + LIFETIME) == {"passwords": 1}


async def test_the_views_say_who_may_sign_in_and_who_is_signed_in(database: Database, shell: Shell) -> None:
    later = 4_000_000_000
    await database.add_account(ADA, "hash", NOW)
    await database.add_account(ADA._replace(user_id="u-lin", subject="lin"), None, NOW, (digest("i"), later))
    await database.keep_user(UPSTREAM._replace(disabled_at=None), NOW)
    await database.set_disabled("u-1", NOW)
    live = replace(session("s"), last_used_at=later, expires_at=later)
    await database.start_session(live, None, None, NOW)
    await database.start_session(replace(session("t"), expires_at=1), None, None, NOW)
    users = shell("SELECT user_id, username, password_set, open_sessions, status FROM v_users ORDER BY user_id")
    assert users == [
        ("u-1", None, None, 0, "disabled"),
        ("u-ada", "ada", "2027-01-15 08:00:00", 1, "active"),
        ("u-lin", "lin", None, 0, "invited"),
    ]
    seen = shell("SELECT session_id, user_name, method, address, status FROM v_sessions ORDER BY status")
    assert seen[1] == (digest("s")[:16], "Ada", "password", "192.0.2.7", "live")
    assert len(seen) == 2
    shell("UPDATE users SET disabled_at = 1 WHERE user_id = 'u-ada'")
    assert {row[0] for row in shell("SELECT status FROM v_sessions")} == {"user disabled"}
