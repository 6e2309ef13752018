"""Scopes: split, defaulted, checked and narrowed (RFC 6749 sections 3.3 and 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.oauth import scopes
from server.oauth.errors import InvalidScope
from server.settings import load_settings

SETTINGS = load_settings(oauth_valid_scopes="read,write,payment,account", oauth_default_scopes="read,account")
SOME = st.lists(st.sampled_from(["read", "write", "payment", "account"]), max_size=6)


@pytest.mark.parametrize(
    ("text", "granted"),
    [
        (None, ("read", "account")),
        ("", ("read", "account")),
        ("   ", ("read", "account")),
        (" read", ("read",)),
        ("read ", ("read",)),
        ("write  read", ("write", "read")),
        ("read read read", ("read",)),
        ("read offline_access", ("read",)),
        ("offline_access", ("read", "account")),
        ("read write payment account offline_access", ("read", "write", "payment", "account")),
    ],
)
def test_what_is_asked_for_is_granted_or_the_default(text: str | None, granted: tuple[str, ...]) -> None:
    assert scopes.requested(text, SETTINGS) == granted


@pytest.mark.parametrize("text", ["admin", "read admin", "READ", "read,write", "read\twrite", "réad", "read\n"])
def test_an_unknown_scope_is_refused(text: str) -> None:
    with pytest.raises(InvalidScope, match="read write payment account"):
        scopes.requested(text, SETTINGS)


@pytest.mark.parametrize(
    ("text", "narrowed"),
    [
        (None, ("read", "account")),
        ("", ("read", "account")),
        ("account", ("account",)),
        ("account read", ("account", "read")),
        ("offline_access", ("read", "account")),
        ("read offline_access", ("read",)),
    ],
)
def test_a_refresh_narrows(text: str | None, narrowed: tuple[str, ...]) -> None:
    assert scopes.narrowed(text, ("read", "account"), SETTINGS) == narrowed


@pytest.mark.parametrize("text", ["write", "read write", "admin"])
def test_a_refresh_never_widens(text: str) -> None:
    with pytest.raises(InvalidScope, match="cannot widen"):
        scopes.narrowed(text, ("read", "account"), SETTINGS)


@given(SOME)
def test_splitting_undoes_joining_without_duplicates(names: list[str]) -> None:
    assert scopes.split(scopes.join(names)) == tuple(dict.fromkeys(names))


@given(SOME, SOME.filter(bool))
def test_narrowing_gives_a_part_of_the_grant_or_refuses(asked: list[str], granted: list[str]) -> None:
    held = tuple(dict.fromkeys(granted))
    if set(asked) <= set(held):
        kept = scopes.narrowed(scopes.join(asked), held, SETTINGS)
        assert kept
        assert set(kept) == set(asked or held)
    else:
        with pytest.raises(InvalidScope):
            scopes.narrowed(scopes.join(asked), held, SETTINGS)


def test_every_default_scope_has_plain_words_and_an_own_one_is_named() -> None:
    described = [scopes.describe(name) for name in load_settings().oauth_valid_scopes]
    assert all("permission called" not in words for words in described)
    assert len(set(described)) == len(described)
    assert scopes.describe("reports") == "Use the permission called reports"


NESTED = load_settings(oauth_scope_implies="payment>write,write>read,account>read")


@pytest.mark.parametrize(
    ("held", "satisfied"),
    [
        ("", ""),
        ("read", "read"),
        ("write", "write read"),
        ("payment", "payment write read"),
        ("account", "account read"),
        ("account payment", "account payment read write"),
        ("gone", "gone"),
    ],
)
def test_a_scope_holds_what_it_implies_directly_or_through_another(held: str, satisfied: str) -> None:
    assert scopes.with_implied(held.split(), NESTED) == set(satisfied.split())


def test_what_the_scopes_of_one_server_imply_they_do_not_imply_at_another() -> None:
    other = load_settings(oauth_scope_implies="payment>read")
    for _ in range(2):
        assert scopes.with_implied(("payment",), NESTED) == {"payment", "write", "read"}
        assert scopes.with_implied(("payment",), other) == {"payment", "read"}
        assert scopes.with_implied(("payment",), SETTINGS) == {"payment"}
        assert scopes.with_implied(("write",), NESTED) == {"write", "read"}


@given(SOME)
def test_without_a_hierarchy_a_scope_holds_itself_alone(held: list[str]) -> None:
    assert scopes.with_implied(held, SETTINGS) == set(held)


@given(SOME, SOME)
def test_implying_is_monotonous_and_complete(held: list[str], more: list[str]) -> None:
    closed = scopes.with_implied(held, NESTED)
    assert set(held) <= closed
    assert scopes.with_implied(closed, NESTED) == closed
    assert closed | scopes.with_implied(more, NESTED) == scopes.with_implied([*held, *more], NESTED)


def test_a_refresh_may_narrow_to_an_implied_scope_and_to_no_wider_one() -> None:
    assert scopes.narrowed("read", ("write",), NESTED) == ("read",)
    with pytest.raises(InvalidScope):
        scopes.narrowed("payment", ("write",), NESTED)
    with pytest.raises(InvalidScope):
        scopes.narrowed("read", ("write",), SETTINGS)


@pytest.mark.parametrize(
    ("text", "registered", "granted"),
    [
        ("read", "write", ("read",)),
        ("read write", "write", ("read", "write")),
        ("read", "payment", ("read",)),
        (None, "write", ("write",)),
        (None, "write read", ("read",)),
    ],
)
def test_a_machine_may_ask_for_what_its_scopes_imply_and_gets_it_only_when_asked(
    text: str | None, registered: str, granted: tuple[str, ...]
) -> None:
    assert scopes.allowed(text, registered, NESTED) == granted


def test_a_machine_may_not_ask_for_a_wider_scope() -> None:
    with pytest.raises(InvalidScope, match=r"may have are read write$"):
        scopes.allowed("payment", "write", NESTED)
    with pytest.raises(InvalidScope, match=r"may have are write$"):
        scopes.allowed("read", "write", SETTINGS)
    with pytest.raises(InvalidScope, match="may have are none"):
        scopes.allowed(None, "gone", NESTED)
