"""Which grants are served; the exchanges themselves are proved over HTTP."""

from server.oauth.grants import GRANTS


def test_each_grant_that_is_served_has_its_function() -> None:
    assert list(GRANTS) == ["authorization_code", "refresh_token", "client_credentials"]
