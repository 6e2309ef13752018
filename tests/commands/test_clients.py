"""``clients list | show | add | delete``."""

import re

import pytest

from server.oauth import tokens
from tests.commands.conftest import Run
from tests.commands.rows import Rows


@pytest.fixture
def three(rows: Rows) -> Rows:
    """Give two clients of one name, one with a grant of Ada's, and one of another."""
    rows.user("ada")
    rows.client("one")
    rows.client("two")
    rows.client("three", "Another")
    rows.grant("g", "one", "ada")
    return rows


def ids(run: Run, *filters: str) -> list[str]:
    listed = run("clients", "list", "--json", *filters)
    assert (listed.status, listed.err) == (0, "")
    return sorted(row["client_id"] for row in listed.json)


def test_a_listing_says_who_there_is(run: Run, three: Rows) -> None:  # noqa: ARG001 - for its effect
    text = run("clients", "list")
    assert text.status == 0
    head, *lines = text.out.splitlines()
    assert head.split("  ")[0] == "client id"
    assert [re.split(r"  +", line)[0] for line in lines] == ["one", "three", "two"]
    assert re.split(r"  +", lines[0])[-2:] == ["1", "active"]
    assert run("clients", "list", "--json", "--client", "one").json == [
        {
            "client_id": "one",
            "client_name": "Example",
            "created_by": "client",
            "auth_method": "none",
            "redirect_uris": ["https://a.example/"],
            "grant_types": ["authorization_code"],
            "scope": None,
            "registered": "1970-01-01 00:00:00",
            "last_used": None,
            "open_grants": 1,
            "status": "active",
        }
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], ["one", "three", "two"]),
        (["--client", "two"], ["two"]),
        (["--client", "Example"], ["one", "two"]),
        (["--user", "ada"], ["one"]),
        (["--user", "Ada"], ["one"]),
        (["--user", "bob"], []),
        (["--status", "active"], ["one"]),
        (["--status", "idle", "--client", "Example"], ["two"]),
    ],
)
def test_a_listing_is_narrowed_down(run: Run, three: Rows, filters: list[str], expected: list[str]) -> None:  # noqa: ARG001 - for its effect
    assert ids(run, *filters) == expected


def test_a_name_cannot_steer_the_terminal(run: Run, rows: Rows) -> None:
    rows.client("evil", "\x1b[2J\u202eevil\r\n" + "x" * 500)
    for arguments in (("clients", "list"), ("clients", "show", "evil")):
        out = run(*arguments).out
        assert not set(out) & {"\x1b", "\u202e", "\r"}
        assert "[2J" in out
    assert max(map(len, run("clients", "list").out.splitlines())) < 250


def test_one_client_is_shown_with_all_that_it_said(run: Run, three: Rows) -> None:  # noqa: ARG001 - for its effect
    shown = run("clients", "show", "one", "--json")
    assert (shown.status, shown.json["client_uri"], shown.json["status"]) == (0, "https://a.example", "active")
    text = run("clients", "show", "one").out.splitlines()
    assert "redirect uris: https://a.example/" in text
    assert "last used: -" in text


def test_an_unknown_client_is_said_and_nothing_is_done(run: Run, three: Rows) -> None:
    for command in (["show", "nobody"], ["delete", "one", "nobody"]):
        done = run("clients", *command)
        assert (done.status, done.out, done.err) == (1, "", "att-mcp-server: there is no such client: nobody\n")
    assert three.sql("SELECT count(*) FROM clients") == [(3,)]


def test_named_clients_are_deleted(run: Run, three: Rows) -> None:
    done = run("clients", "delete", "one", "three")
    assert (done.status, done.out) == (0, "deleted: one, three\n")
    assert three.sql("SELECT client_id FROM clients") == [("two",)]


@pytest.mark.parametrize(
    ("filters", "left"),
    [(["--status", "idle"], ["one"]), (["--client", "Example"], ["three"]), (["--user", "ada"], ["three", "two"])],
)
def test_clients_are_deleted_by_what_they_have_in_common(
    run: Run, three: Rows, filters: list[str], left: list[str]
) -> None:
    assert run("clients", "delete", "--json", *filters).status == 0
    assert sorted(row[0] for row in three.sql("SELECT client_id FROM clients")) == left


def test_clients_of_the_operator_are_deleted_only_by_id_or_name(run: Run, rows: Rows) -> None:
    rows.client("old")
    for name in ("Nightly", "Weekly"):
        assert run("clients", "add", name).status == 0
    assert run("clients", "delete", "--status", "idle", "--json").json == {"deleted": ["old"]}
    assert run("clients", "delete", "--client", "Nightly", "--status", "idle").status == 0
    assert rows.sql("SELECT client_name FROM clients") == [("Weekly",)]


def test_many_are_deleted_batch_by_batch(run: Run, rows: Rows) -> None:
    for number in range(450):
        rows.client(f"client {number}")
    assert len(run("clients", "delete", "--status", "idle", "--json").json["deleted"]) == 450
    assert rows.sql("SELECT count(*) FROM clients") == [(0,)]


def test_an_added_client_gets_an_id_and_a_secret_this_once(run: Run, rows: Rows) -> None:
    added = run("clients", "add", "Robot", "--scope", "read", "--scope", "account", "--json")
    assert (added.status, sorted(added.json)) == (0, ["client_id", "client_secret"])
    kept = rows.sql(
        "SELECT client_id, secret_digest, client_name, scope, grant_types, redirect_uris, created_by,"
        " token_endpoint_auth_method, registration_digest FROM clients"
    )
    secret = tokens.digest(added.json["client_secret"])
    grants = '["client_credentials"]'
    expected = (added.json["client_id"], secret, "Robot", "read account", grants, "[]", "operator")
    assert kept == [(*expected, "client_secret_basic", None)]
    assert added.json["client_secret"] not in run("clients", "show", added.json["client_id"]).out
    text = run("clients", "add", "Another").out.splitlines()
    assert [line.partition(": ")[0] for line in text] == ["client id", "client secret"]


def test_an_added_client_may_send_users_with_codes(run: Run, rows: Rows) -> None:
    where = ["--redirect-uri", "https://a.example/cb", "--redirect-uri", "cursor://host/cb"]
    assert run("clients", "add", "Static", *where, "--auth-method", "client_secret_post").status == 0
    assert rows.sql("SELECT redirect_uris, grant_types, response_types, token_endpoint_auth_method FROM clients") == [
        (
            '["https://a.example/cb", "cursor://host/cb"]',
            '["authorization_code", "refresh_token", "client_credentials"]',
            '["code"]',
            "client_secret_post",
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "Robot", "--scope", "admin"], "'admin' is not among the scopes"),
        (["add", "Robot", "--redirect-uri", "javascript:alert(1)"], "'javascript:alert(1)' is neither"),
        (["add", "Robot", *["--redirect-uri", "https://a.example/"] * 11], "more than 10"),
        (["add", "Robot", "--auth-method", "none"], "invalid choice: 'none'"),
        (["add", " "], "needs a name"),
        (["add", "a\x1b"], "needs a name"),
        (["add"], "required: NAME"),
        (["add", "\udcff"], "not text"),
        (["delete"], "say which"),
        (["list", "--status", "live"], "invalid choice"),
        (["list", "more"], "unrecognized arguments"),
        (["show"], "required: CLIENT_ID"),
        ([], "required: COMMAND"),
        (["fly"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_2_and_changes_nothing(run: Run, rows: Rows, arguments: list[str], words: str) -> None:
    done = run("clients", *arguments)
    assert (done.status, done.out) == (2, "")
    assert words in done.err
    assert rows.sql("SELECT count(*) FROM clients") == [(0,)]
