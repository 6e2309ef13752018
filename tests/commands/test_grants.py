"""``grants list | revoke``."""

import pytest

from tests.commands.conftest import Run
from tests.commands.rows import Rows

REASON = "revoked by the operator"


@pytest.fixture
def four(rows: Rows) -> Rows:
    """Give grants of two users to two clients, of one to itself, and one that is over."""
    for user in ("ada", "bob"):
        rows.user(user)
    rows.client("one")
    rows.client("two", "Another")
    rows.grant("ada-one", "one", "ada")
    rows.grant("bob-one", "one", "bob")
    rows.grant("two-itself", "two", None)
    rows.grant("over", "two", "ada")
    rows.sql("UPDATE grants SET revoked_at = 1, revoked_reason = 'before' WHERE grant_id = 'over'")
    return rows


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], ["ada-one", "bob-one", "over", "two-itself"]),
        (["ada-one", "over"], ["ada-one", "over"]),
        (["--user", "ada"], ["ada-one", "over"]),
        (["--user", "Ada", "--status", "live"], ["ada-one"]),
        (["--client", "Another"], ["over", "two-itself"]),
        (["--status", "revoked"], ["over"]),
        (["--status", "user-disabled"], []),
        (["--status", "user disabled"], []),
    ],
)
def test_a_listing_is_narrowed_down(run: Run, four: Rows, filters: list[str], expected: list[str]) -> None:  # noqa: ARG001 - for its effect
    listed = run("grants", "list", "--json", *filters)
    assert listed.status == 0
    assert sorted(row["grant_id"] for row in listed.json) == expected


def test_a_listing_as_text_names_the_holder(run: Run, four: Rows) -> None:  # noqa: ARG001 - for its effect
    head, *lines = run("grants", "list", "--client", "one").out.splitlines()
    assert head.split() == ["grant", "id", "client", "name", "user", "id", "scopes", "granted", "expires", "status"]
    assert [line.split()[:4] for line in lines] == [
        ["ada-one", "Example", "ada", "read"],
        ["bob-one", "Example", "bob", "read"],
    ]


@pytest.mark.parametrize(
    ("chosen", "revoked"),
    [
        (["ada-one"], ["ada-one"]),
        (["--user", "ada"], ["ada-one"]),
        (["--client", "one"], ["ada-one", "bob-one"]),
        (["--client", "two"], ["two-itself"]),
        (["--status", "live"], ["ada-one", "bob-one", "two-itself"]),
    ],
)
def test_grants_are_revoked(run: Run, four: Rows, chosen: list[str], revoked: list[str]) -> None:
    done = run("grants", "revoke", "--json", *chosen)
    assert (done.status, sorted(done.json["revoked"]), done.json["over_already"]) == (0, revoked, [])
    assert four.revoked() == sorted([*revoked, "over"])
    assert four.sql("SELECT DISTINCT revoked_reason FROM grants WHERE revoked_at > 1") == [(REASON,)]


def test_a_disabled_users_grants_are_revoked_for_good(run: Run, four: Rows) -> None:
    four.sql("UPDATE users SET disabled_at = 1 WHERE user_id = 'ada'")
    assert run("grants", "revoke", "--status", "user-disabled", "--json").json["revoked"] == ["ada-one"]


def test_one_that_is_over_is_said_to_be(run: Run, four: Rows) -> None:
    done = run("grants", "revoke", "over", "ada-one")
    assert (done.status, done.out) == (0, "revoked: ada-one\nover already: over\n")
    assert four.sql("SELECT revoked_reason FROM grants WHERE grant_id = 'over'") == [("before",)]


def test_an_unknown_grant_is_said_and_nothing_is_done(run: Run, four: Rows) -> None:
    done = run("grants", "revoke", "ada-one", "nothing")
    assert (done.status, done.out, done.err) == (1, "", "att-mcp-server: there is no such grant: nothing\n")
    assert four.revoked() == ["over"]


def test_all_at_once_is_not_revoked_by_saying_nothing(run: Run, four: Rows) -> None:
    assert run("grants", "revoke").status == 2
    assert four.revoked() == ["over"]


def test_what_was_allowed_is_forgotten_if_that_is_wished(run: Run, four: Rows) -> None:
    four.sql(
        "INSERT INTO consents (user_id, client_id, redirect_uri, scope, fingerprint, created_at, expires_at)"
        " SELECT DISTINCT user_id, client_id, 'https://a.example', 'read', 'f', 1, 4000000000 FROM grants"
        " WHERE user_id IS NOT NULL"
    )
    assert run("grants", "revoke", "ada-one").status == 0
    assert four.sql("SELECT count(*) FROM consents WHERE user_id = 'ada'") != [(0,)]
    kept = four.sql("SELECT count(*) FROM consents WHERE user_id != 'ada'")
    assert run("grants", "revoke", "--user", "ada", "--forget", "--json").status == 0
    assert four.sql("SELECT count(*) FROM consents WHERE user_id = 'ada'") == [(0,)]
    assert four.sql("SELECT count(*) FROM consents WHERE user_id != 'ada'") == kept
    assert four.sql("SELECT DISTINCT address FROM audit_log WHERE event = 'application_forgotten'") == [("operator",)]
