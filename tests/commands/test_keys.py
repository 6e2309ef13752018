"""``keys list | rotate``."""

from tests.commands.conftest import Run
from tests.commands.rows import Rows


def test_there_is_no_key_before_one_is_needed(run: Run) -> None:
    assert run("keys", "list", "--json").json == []


def test_rotating_makes_a_key_that_signs_and_keeps_the_former_one_for_a_while(run: Run, rows: Rows) -> None:
    first = run("keys", "rotate", "--json").json["signs"]
    second = run("keys", "rotate", "--json").json["signs"]
    listed = run("keys", "list", "--json").json
    assert [(key["kid"], key["status"]) for key in listed] == [(second, "signs"), (first, "verifies")]
    assert listed[0]["expires"] is None
    assert listed[1]["expires"] > listed[1]["retired"] >= listed[1]["made"]
    assert rows.sql("SELECT event, address FROM audit_log") == [("signing_key_rotated", "operator")] * 2


def test_a_leaked_key_is_withdrawn_at_once(run: Run) -> None:
    run("keys", "rotate")
    done = run("keys", "rotate", "--leaked")
    assert done.out.startswith("signs: ")
    assert [key["status"] for key in run("keys", "list", "--json").json] == ["signs", "expired"]


def test_the_listing_shows_no_private_half(run: Run, rows: Rows) -> None:
    run("keys", "rotate")
    ((sealed,),) = rows.sql("SELECT sealed_private_key FROM signing_keys")
    assert sealed not in run("keys", "list", "--json").out + run("keys", "list").out
