"""``users``: accounts of their own, and whoever else may approve."""

import os
import pty
import re
import subprocess
import sys

import pytest
from argon2 import PasswordHasher

from server.oauth import tokens
from tests.commands.conftest import Run
from tests.commands.rows import LATER, Rows
from tests.flows.child import ROOT
from tests.people import PASSWORD

BECOME = "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.executable, [sys.executable] + sys.argv[1:])"
"""Takes the terminal on standard input for the process's own, and becomes Python with the arguments."""

WEAK = ["short one", "password123", "qwertyuiop12", "AdaLovelace1", "x" * 257]


def add(run: Run, *arguments: str, password: str = PASSWORD) -> str:
    """Add an account and give its user id."""
    done = run("users", "add", *arguments, "--password-stdin", "--json", stdin=password + "\n")
    assert done.status == 0, done.err
    return str(done.json["user_id"])


def hash_of(rows: Rows, user_id: str) -> str:
    return str(rows.sql("SELECT hash FROM passwords WHERE user_id = ?", user_id)[0][0])


def test_an_account_is_kept_with_the_hash_of_its_password_and_nothing_else_of_it(run: Run, rows: Rows) -> None:
    user_id = add(run, "Ada", "--name", "Ada Lovelace", "--email", "ada@example.com")
    assert rows.sql("SELECT user_id, issuer, subject, name, email, disabled_at FROM users") == [
        (user_id, "local", "ada", "Ada Lovelace", "ada@example.com", None)
    ]
    assert re.fullmatch(r"att_us_[0-9a-f]{32}", user_id)
    assert hash_of(rows, user_id).startswith("$argon2id$")
    assert PasswordHasher().verify(hash_of(rows, user_id), PASSWORD)
    assert PASSWORD not in rows.path.read_bytes().decode("latin-1")


@pytest.mark.parametrize("password", WEAK)
def test_a_password_that_can_be_guessed_is_refused(run: Run, rows: Rows, password: str) -> None:
    email = ("--email", "ada.lovelace@example.com")
    done = run("users", "add", "ada", "--name", "Ada Lovelace", *email, "--password-stdin", stdin=password)
    assert (done.status, done.out) == (1, "")
    assert re.search("too short|too easy to guess|too long", done.err)
    assert password not in done.err
    assert rows.sql("SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("with space",),
        ("",),
        (".hidden",),
        ("x" * 65,),
        ("ada", "--email", "ada"),
        ("ada", "--email", "ada@example.com, lin@example.com"),
        ("ada", "--name", "\x1b[31m"),
        ("ada", "--name", " "),
        ("ada", "--invite"),
    ],
)
def test_wrong_usage_is_refused(run: Run, rows: Rows, arguments: tuple[str, ...]) -> None:
    assert run("users", "add", *arguments, "--password-stdin", stdin=PASSWORD).status == 2
    assert rows.sql("SELECT count(*) FROM users") == [(0,)]


def test_without_a_terminal_a_password_has_to_come_from_somewhere(run: Run) -> None:
    done = run("users", "add", "ada")
    assert done.status == 2
    assert "use --password-stdin or --invite" in done.err


def test_a_name_is_given_once_however_it_is_written(run: Run) -> None:
    add(run, "ada")
    done = run("users", "add", "\uff21DA", "--password-stdin", stdin=PASSWORD)
    assert (done.status, "a user called ada already" in done.err) == (1, True)


def test_an_invitation_is_a_link_of_which_the_digest_is_kept(run: Run, rows: Rows) -> None:
    invitation = run("users", "add", "ada", "--invite", "--json").json["invitation"]
    token = invitation.removeprefix("http://localhost:8000/invitation?token=")
    assert tokens.is_well_formed("att_iv_", token)
    [(digest, lasts)] = rows.sql("SELECT token_digest, expires_at - created_at FROM invitations")
    assert (digest, lasts) == (tokens.digest(token), 7 * 86_400)
    assert rows.sql("SELECT count(*) FROM passwords") == [(0,)]
    newer = run("users", "passwd", "ada", "--invite", "--json").json["invitation"]
    assert newer != invitation
    assert rows.sql("SELECT count(*) FROM invitations WHERE token_digest <> ?", digest) == [(1,)]


def test_a_new_password_ends_sessions_and_invitations(run: Run, rows: Rows) -> None:
    user_id = add(run, "ada")
    before = hash_of(rows, user_id)
    run("users", "passwd", "ada", "--invite")
    rows.sql("INSERT INTO sessions VALUES ('d', ?, 'password', 0, 0, ?, NULL, NULL)", user_id, LATER)
    done = run("users", "passwd", "ADA", "--password-stdin", stdin="another one, quite unrelated")
    assert (done.status, done.out) == (0, f"user id: {user_id}\nusername: ada\n")
    assert hash_of(rows, user_id) != before
    assert rows.sql("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM invitations)") == [(0, 0)]


def test_a_password_is_only_for_accounts_of_this_server(run: Run, rows: Rows) -> None:
    rows.user("demo")
    done = run("users", "passwd", "demo", "--invite")
    assert (done.status, "has no password here" in done.err) == (1, True)


def test_users_are_listed_and_shown_whoever_signs_them_in(run: Run, rows: Rows) -> None:
    rows.user("demo")
    ada = add(run, "ada", "--email", "ada@example.com")
    rows.client("att_cl_1", "Assistant")
    rows.grant("g", "att_cl_1", ada)
    run("users", "add", "lin", "--invite")
    listed = {row["user_id"]: row for row in run("users", "list", "--json").json}
    assert {row["username"] for row in listed.values()} == {None, "ada", "lin"}
    assert (listed[ada]["open_grants"], listed[ada]["status"], listed["demo"]["status"]) == (1, "active", "active")
    assert "ada@example.com" in run("users", "list").out
    assert [row["username"] for row in run("users", "list", "--status", "invited", "--json").json] == ["lin"]
    rows.sql("INSERT INTO passkeys VALUES ('id', ?, 'My phone', 'key', 0, 0, 0, NULL)", ada)
    for name in (ada, "ada", "ADA", "ada@example.com"):
        shown = run("users", "show", name, "--json").json
        assert (shown["user_id"], shown["applications"], shown["sessions"]) == (ada, ["Assistant"], [])
        assert shown["passkeys"] == ["My phone"]


def test_a_name_of_several_users_names_nobody(run: Run) -> None:
    both = {add(run, name, "--name", "Ada") for name in ("ada1", "ada2")}
    done = run("users", "disable", "Ada")
    assert done.status == 1
    assert all(user_id in done.err for user_id in both)
    assert run("users", "show", "nobody").status == 1


def test_disabling_ends_sessions_and_enabling_brings_none_back(run: Run, rows: Rows) -> None:
    user_id = add(run, "ada")
    rows.sql("INSERT INTO sessions VALUES ('d', ?, 'password', 0, 0, ?, NULL, NULL)", user_id, LATER)
    assert run("users", "disable", "ada", "--json").json == {"disabled": [user_id], "so_already": []}
    assert run("users", "disable", "ada", "--json").json == {"disabled": [], "so_already": [user_id]}
    assert run("users", "show", "ada", "--json").json["status"] == "disabled"
    assert run("users", "enable", "ada", "--json").json == {"enabled": [user_id], "so_already": []}
    assert rows.sql("SELECT count(*) FROM sessions") == [(0,)]


def test_deleting_takes_all_that_hangs_on_a_user(run: Run, rows: Rows) -> None:
    user_id, kept = add(run, "ada"), add(run, "lin")
    rows.client("att_cl_1")
    for owner in (user_id, kept):
        rows.grant(f"g-{owner}", "att_cl_1", owner)
        rows.sql("INSERT INTO consents VALUES (?, 'att_cl_1', 'u', 'read', 'f', 0, ?)", owner, LATER)
        rows.sql("INSERT INTO sessions VALUES (?, ?, 'password', 0, 0, ?, NULL, NULL)", owner, owner, LATER)
        rows.sql(
            "INSERT INTO accounts (account_id, user_id, name, kind, balance_cents, autopay, created_at)"
            " VALUES (?, ?, 'a', 'prepaid', 0, 0, 0)",
            owner,
            owner,
        )
    assert run("users", "delete", "ada", "--json").json == {"deleted": [user_id], "so_already": []}
    assert rows.revoked() == [f"g-{user_id}"]
    for table in ("users", "passwords", "consents", "sessions", "accounts"):
        assert rows.sql(f"SELECT user_id FROM {table}") == [(kept,)], table  # noqa: S608 - the names above
    assert add(run, "ada") != user_id, "who comes under the same name is somebody else"


def test_what_the_operator_does_is_noted(run: Run, rows: Rows) -> None:
    user_id = add(run, "ada")
    for command in ("disable", "enable"):
        run("users", command, "ada")
    run("users", "passwd", "ada", "--invite")
    run("users", "passwd", "ada", "--password-stdin", stdin="another one, quite unrelated")
    run("users", "delete", "ada")
    kinds = ["user_added", "user_disabled", "user_enabled", "user_invited", "password_changed", "user_deleted"]
    noted = rows.sql("SELECT event, user_id, address, detail FROM audit_log ORDER BY id")
    assert noted == [(kind, user_id, "operator", "ada") for kind in kinds]


def test_a_hint_says_why_an_account_cannot_sign_in_yet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "OAUTH_PROVIDER=demo" in run("users", "add", "ada", "--invite").err
    monkeypatch.setenv("OAUTH_PROVIDER", "local")
    assert run("users", "add", "lin", "--invite").err == ""
    monkeypatch.setenv("OAUTH_ALLOWED_USERS", "@example.com")
    assert "OAUTH_ALLOWED_USERS" in run("users", "add", "eve", "--invite", "--email", "eve@example.org").err
    assert run("users", "add", "kim", "--invite", "--email", "kim@example.com").err == ""


@pytest.mark.parametrize(("again", "status"), [(PASSWORD, 0), (PASSWORD + "!", 1)])
def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(rows: Rows, again: str, status: int) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", BECOME, "-m", "server", "users", "add", "ada"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    os.close(follower)
    seen = b""
    for prompt, typed in ((b"Password: ", PASSWORD), (b"again: ", again)):
        while not seen.endswith(prompt):
            seen += os.read(leader, 1024)
        os.write(leader, typed.encode() + b"\n")
    process.communicate(timeout=60)
    os.close(leader)
    assert process.returncode == status
    assert PASSWORD.encode() not in seen
    assert rows.sql("SELECT count(*) FROM passwords") == [(1 - status,)]
