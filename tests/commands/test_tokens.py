"""``tokens list | revoke``: by id, by hint and by the token itself, which is shown nowhere."""

import pytest

from server.oauth import tokens
from tests.commands.conftest import Run
from tests.commands.rows import Rows


@pytest.fixture
def two(rows: Rows) -> Rows:
    """Give two users who are known, and two clients."""
    for user in ("ada", "bob"):
        rows.user(user)
    rows.client("one")
    rows.client("two", "Another")
    return rows


def live(run: Run) -> list[tuple[str, str]]:
    listed = run("tokens", "list", "--status", "live", "--json")
    assert listed.status == 0
    return sorted((row["grant_id"], row["kind"]) for row in listed.json)


def test_a_listing_shows_ids_and_hints_and_no_digest(run: Run, two: Rows) -> None:
    access, refresh = two.grant("g", "one", "ada")
    text, as_json = run("tokens", "list"), run("tokens", "list", "--json")
    assert sorted(row["kind"] for row in as_json.json) == ["access", "refresh"]
    for token in (access, refresh):
        for out in (text.out, as_json.out):
            assert tokens.hint(token) in out
            assert tokens.digest(token)[:16] in out
            assert tokens.digest(token)[:17] not in out
            assert token not in out


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], 6),
        (["--user", "ada"], 2),
        (["--client", "one"], 4),
        (["--client", "Another", "--user", "bob"], 0),
        (["--status", "live"], 4),
        (["--status", "grant-revoked"], 2),
        (["--status", "used"], 0),
    ],
)
def test_a_listing_is_narrowed_down(run: Run, two: Rows, filters: list[str], expected: int) -> None:
    two.grant("g", "one", "ada")
    two.grant("h", "one", "bob")
    two.grant("i", "two", None)
    two.sql("UPDATE grants SET revoked_at = 1 WHERE grant_id = 'h'")
    assert len(run("tokens", "list", "--json", *filters).json) == expected


@pytest.mark.parametrize("way", ["token", "id", "hint", "stdin"])
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_token_is_found_and_revoked_however_it_is_named(run: Run, two: Rows, way: str, kind: str) -> None:
    pair = two.grant("g", "one", "ada")
    two.grant("bystander", "one", "bob")
    two.sql("UPDATE access_tokens SET hint = 'ACCESS' WHERE grant_id = 'g'")
    two.sql("UPDATE refresh_tokens SET hint = 'REFRES' WHERE grant_id = 'g'")
    token = pair[kind == "refresh"]
    named = {"token": token, "id": tokens.digest(token)[:16], "hint": kind.upper()[:6], "stdin": "-"}[way]
    stdin = f"  {token}\n\n" if way == "stdin" else ""
    (found,) = run("tokens", "list", named, "--json", stdin=stdin).json
    assert (found["kind"], found["grant_id"]) == (kind, "g")
    done = run("tokens", "revoke", named, stdin=stdin)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"revoked: {tokens.digest(token)[:16]}\nover already: none\n"
    ended = {("g", "access"), ("g", "refresh")} if kind == "refresh" else {("g", "access")}
    everything = {(grant, kind) for grant in ("g", "bystander") for kind in ("access", "refresh")}
    assert set(live(run)) == everything - ended
    assert run("tokens", "revoke", named, stdin=stdin).out.startswith("revoked: none\nover already: ")


@pytest.mark.parametrize(("filters", "left"), [(["--user", "ada"], "h"), (["--client", "Another"], "g")])
def test_tokens_are_revoked_by_what_they_have_in_common(run: Run, two: Rows, filters: list[str], left: str) -> None:
    two.grant("g", "one", "ada")
    two.grant("h", "two", "bob")
    assert run("tokens", "revoke", *filters).status == 0
    assert live(run) == [(left, "access"), (left, "refresh")]


def test_a_hint_that_several_have_is_not_enough(run: Run, two: Rows) -> None:
    two.grant("g", "one", "ada")
    two.sql("UPDATE refresh_tokens SET hint = (SELECT hint FROM access_tokens)")
    ((hint,),) = two.sql("SELECT hint FROM access_tokens")
    done = run("tokens", "revoke", hint)
    assert (done.status, done.out) == (1, "")
    assert "name one by its id" in done.err
    assert len(live(run)) == 2


UNKNOWN = tokens.make(tokens.ACCESS, lambda size: b"!" * size)


@pytest.mark.parametrize(
    ("arguments", "stdin", "status"),
    [
        ([UNKNOWN], "", 1),
        (["-"], UNKNOWN, 1),
        ([UNKNOWN[:-1]], "", 2),
        (["-"], UNKNOWN + "x", 2),
        ([tokens.make(tokens.CODE, lambda size: b"!" * size)], "", 2),
        (["-"], "", 2),
        (["-"], "\n \n", 2),
        (["--fly", UNKNOWN], "", 2),
        (["--user", UNKNOWN, "--status", UNKNOWN], "", 2),
        ([], "", 2),
    ],
)
def test_what_names_no_token_is_refused_and_never_repeated(
    run: Run, two: Rows, arguments: list[str], stdin: str, status: int
) -> None:
    two.grant("g", "one", "ada")
    done = run("tokens", "revoke", *arguments, stdin=stdin)
    assert (done.status, done.out) == (status, "")
    assert UNKNOWN[7:20] not in done.err
    assert "att_ac_" not in done.err
    assert len(live(run)) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["clients", "show", UNKNOWN],
        ["grants", "revoke", UNKNOWN],
        ["clients", "list", UNKNOWN],
        [UNKNOWN],
        ["serve", UNKNOWN],
    ],
)
def test_a_token_in_the_wrong_place_is_not_repeated_either(run: Run, rows: Rows, arguments: list[str]) -> None:  # noqa: ARG001 - for its effect
    done = run(*arguments)
    assert done.status in {1, 2}
    assert UNKNOWN[7:20] not in done.out + done.err
