"""What is remembered of users' decisions, and that it is written with the decision or not at all."""

from server.storage.database import Database
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import DAY, NOW, REDIRECT_URI, digest

GIVEN_FOR = {
    "user_id": "user",
    "client_id": "client",
    "redirect_uri": REDIRECT_URI,
    "fingerprint": digest("fingerprint"),
}


async def remembered(database: Database, changed: dict[str, str] | None = None, now: int = NOW) -> tuple[str, ...]:
    return await database.get_consented_scopes(**{**GIVEN_FOR, **(changed or {})}, now=now)


async def test_a_consent_is_remembered_until_it_expires(database: Database) -> None:
    await make.logged_in(database)
    assert await remembered(database) == ()

    await make.consented(database, make.consent(("write", "read")))

    assert await remembered(database, now=NOW + 30 * DAY - 1) == ("read", "write")
    assert await remembered(database, now=NOW + 30 * DAY) == ()


async def test_it_is_found_only_for_exactly_what_it_was_given_for(database: Database) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent())

    for name in GIVEN_FOR:
        assert await remembered(database, {name: "another"}) == ()


async def test_another_consent_adds_withdraws_and_begins_anew(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent(("read", "write")))

    await make.consented(database, make.consent(("read", "account"), ("write", "payment"), created_at=NOW + 5))

    assert await remembered(database) == ("account", "read")
    assert shell("SELECT DISTINCT created_at, expires_at FROM consents") == [(NOW + 5, NOW + 5 + 30 * DAY)]


async def test_a_decision_that_comes_too_late_changes_nothing(database: Database) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent(("read", "write")))
    change = make.consent(("account",), ("write",))

    late = digest("handle")  # decided already
    assert not await database.approve_authorization_request(late, make.user(), make.code("late"), NOW, change)
    assert not await database.deny_authorization_request(late, NOW, change)

    assert await remembered(database) == ("read", "write")


async def test_denying_withdraws(database: Database) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent(("read", "write")))
    await database.add_authorization_request(make.request("second"))

    assert await database.deny_authorization_request(digest("second"), NOW, make.consent((), ("write",)))

    assert await remembered(database) == ("read",)


async def test_a_user_who_comes_back_after_deletion_is_remembered_no_longer(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    await make.consented(database, make.consent(("read",)))
    shell("DELETE FROM users")

    await make.consented(database, make.consent(("write",)))

    assert await remembered(database) == ("write",)


async def test_forgetting_an_application_ends_its_grants_and_codes_for_one_user(
    database: Database, shell: Shell
) -> None:
    await make.logged_in(database)
    for user_id in ("user", "other"):
        await make.consented(database, make.consent(user_id=user_id))

    assert await database.forget_application("user", "client", "by hand", NOW) == 1
    assert await database.forget_application("user", "client", "again", NOW) == 0

    assert await remembered(database) == ()
    assert await remembered(database, {"user_id": "other"}) == ("read",)
    assert shell("SELECT revoked_at, revoked_reason FROM grants") == [(NOW, "by hand")]
    unused = shell("SELECT user_id FROM authorization_codes WHERE used_at IS NULL AND expires_at > ?", NOW)
    assert unused == [("other",)]
