"""Parameters: decoded strictly, none repeated, empty ones as if they had not been sent (RFC 6749 section 3.1)."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.oauth.errors import InvalidRequest
from server.oauth.parameters import MAX_FIELDS, Parameters

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("state=a%20b+c", "a b c"),
        ("state=%2B%25%26", "+%&"),
        ("state=%C3%A9", "é"),
        ("state=%zz%4", "%zz%4"),
        ("state=a=b", "a=b"),
        ("state=a;client_id=b", "a;client_id=b"),
        ("state=", None),
        ("state", None),
        ("", None),
        ("&&&", None),
        ("STATE=a", None),
    ],
)
def test_a_value_is_decoded_once_and_an_empty_one_counts_as_omitted(text: str, value: str | None) -> None:
    assert Parameters.parse(text).get("state") == value


@given(st.lists(st.tuples(TEXT, TEXT.filter(bool)), max_size=10, unique_by=lambda pair: pair[0]))
def test_whatever_is_encoded_is_read_back(pairs: list[tuple[str, str]]) -> None:
    params = Parameters.parse(urlencode(pairs))
    assert [params.get(name) for name, _ in pairs] == [value for _, value in pairs]
    assert params.repeated == ()


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="not UTF-8"):
        Parameters.parse("state=%ff")


def test_encoded_surrogates_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="not UTF-8"):
        Parameters.parse("state=%ED%A0%80")


def test_as_many_fields_as_allowed_are_read_and_one_more_is_refused() -> None:
    assert Parameters.parse("&".join(f"a{n}=1" for n in range(MAX_FIELDS))).get("a99") == "1"
    with pytest.raises(InvalidRequest, match="more than 100"):
        Parameters.parse("&".join(f"a{n}=1" for n in range(MAX_FIELDS + 1)))


def test_every_value_is_given_in_order() -> None:
    assert Parameters.parse("scope=b&x=1&scope=&scope=a").all("scope") == ("b", "a")


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"^the parameter code is missing$"):
        Parameters.parse("code=").require("code")


@pytest.mark.parametrize("text", ["code=1&code=1", "code=&code=1", "code=1&code=", "code&code"])
def test_a_repeated_parameter_is_named(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^the parameter code was sent more than once$"):
        Parameters.parse(text).refuse_repeated()


def test_resource_alone_may_be_repeated() -> None:
    params = Parameters.parse("resource=a&resource=b")
    params.refuse_repeated()
    assert params.all("resource") == ("a", "b")


@pytest.mark.parametrize("text", ["%22%5C=1&%22%5C=2", "é=1&é=2", f"{'x' * 999}=1&{'x' * 999}=2", "=1&=2"])
def test_a_repeated_name_from_outside_cannot_spoil_the_description(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Parameters.parse(text).refuse_repeated()
    description = caught.value.description
    assert description.isascii()
    assert description.isprintable()
    assert not {'"', "\\"} & set(description)
    assert "  " not in description
    assert len(description) < 100
