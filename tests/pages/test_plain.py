"""Texts from outside, made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.handlers.pages import plain, short


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Claude Code", "Claude Code"),
        ("<b> & \"'", "<b> & \"'"),
        ("Café Ж 東京 عربى", "Café Ж 東京 عربى"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("می‌خواهم", "می‌خواهم"),
        ("a\u202emoc.live", "a\ufffdmoc.live"),
        ("a\u2066b\u2069c\u200ed\u061ce", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("a\x00b\x1bc\x7fd", "a\ufffdb\ufffdc\ufffdd"),
        ("a\u200bb\u00adc\ufeffd", "a\ufffdb\ufffdc\ufffdd"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("two\r\nlines\u2028three", "two lines three"),
        ("a\u3000\u00a0\u2800\u3164b", "a b"),
        ("\u200d\u200c", ""),
        ("e" + "\u0301" * 100, "e" + "\u0301" * 4),
        ("e" + "\u0301\u200d" * 100, "e" + "\u0301\u200d" * 4),
    ],
)
def test_what_misleads_is_replaced_and_what_is_language_stays(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [(None, ""), (" \u3164", ""), ("Ada", "Ada"), ("a" * 60, "a" * 60), ("a" * 61, "a" * 59 + "…")],
)
def test_a_name_is_shortened_where_it_would_fill_the_page(name: str | None, shown: str) -> None:
    assert short(name) == shown


@given(st.text(st.characters()))
def test_plain_text_holds_no_control_can_be_sent_and_stays_as_it_is(text: str) -> None:
    shown = plain(text)
    assert {c for c in shown if unicodedata.category(c).startswith("C")} <= {"\u200c", "\u200d"}
    assert shown.encode().decode() == shown
    assert plain(shown) == shown
