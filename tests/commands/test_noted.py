"""What the operator does, as the audit log has it."""

import pytest

from server.oauth import tokens
from tests.commands.conftest import Run
from tests.commands.rows import Rows

Noted = tuple[str, str | None, str | None, str | None, str | None]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("clients delete one", ("client_deleted", "one", None, None, "Example")),
        ("grants revoke g", ("grant_revoked", "one", "ada", "g", "Example")),
        ("tokens revoke ACCESS", ("access_token_revoked", "one", "ada", "g", "Example")),
        ("tokens revoke REFRESH", ("grant_revoked", "one", "ada", "g", "Example")),
    ],
)
def test_what_the_operator_ends_is_noted_once_and_without_the_token(
    run: Run, rows: Rows, command: str, expected: Noted
) -> None:
    rows.user("ada")
    rows.client("one")
    access, refresh = rows.grant("g", "one", "ada")
    arguments = command.replace("ACCESS", access).replace("REFRESH", refresh).split()
    assert run(*arguments).status == 0
    run(*arguments)
    assert noted(rows) == [(*expected, "operator")]


def test_a_client_that_the_operator_adds_is_noted_without_its_secret(run: Run, rows: Rows) -> None:
    added = run("clients", "add", "Robot", "--json").json
    assert tokens.is_well_formed(tokens.CLIENT_SECRET, added["client_secret"])
    assert noted(rows) == [("client_added", added["client_id"], None, None, "Robot", "operator")]


def noted(rows: Rows) -> list[tuple[str | None, ...]]:
    return rows.sql("SELECT event, client_id, user_id, grant_id, detail, address FROM audit_log ORDER BY id")
