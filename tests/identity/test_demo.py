"""Demonstration sign-in: one user, whoever approves."""

from server.identity import demo


def test_everyone_is_the_user_demo() -> None:
    assert (demo.USER.user_id, demo.USER.issuer, demo.USER.subject) == ("demo", "demo", "demo")
    assert demo.USER.disabled_at is None
