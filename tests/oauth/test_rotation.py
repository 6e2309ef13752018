"""What presenting a refresh token comes to, as a table; the exchanges themselves are proved over HTTP."""

import pytest

from server.oauth.model import Grant, HeldRefreshToken, RefreshToken
from server.oauth.rotation import Refresh, decide_refresh

GRACE = 120
NOW = 1_000_000
GRANT = Grant("grant", "client", "user", ("read",), "https://mcp.example.com/mcp", NOW - 10, None)
TOKEN = RefreshToken("digest", "hint", "grant", "client", "salt", NOW - 10, NOW + 10)
HELD = HeldRefreshToken(TOKEN, GRANT, grant_live=True)


def used(seconds_ago: int, expires_at: int = NOW + 10) -> HeldRefreshToken:
    return HELD._replace(token=TOKEN._replace(used_at=NOW - seconds_ago, expires_at=expires_at))


@pytest.mark.parametrize(
    ("held", "decision"),
    [
        (None, Refresh.REFUSE),
        (HELD, Refresh.ROTATE),
        (HELD._replace(token=TOKEN._replace(expires_at=NOW + 1)), Refresh.ROTATE),
        (HELD._replace(token=TOKEN._replace(expires_at=NOW)), Refresh.REFUSE),
        (HELD._replace(token=TOKEN._replace(expires_at=NOW - 1)), Refresh.REFUSE),
        (HELD._replace(grant_live=False), Refresh.REFUSE),
        (used(0), Refresh.REPEAT),
        (used(1), Refresh.REPEAT),
        (used(GRACE - 1), Refresh.REPEAT),
        (used(GRACE), Refresh.REUSE),
        (used(GRACE + 1), Refresh.REUSE),
        (used(GRACE - 1, expires_at=NOW - 1), Refresh.REPEAT),
        (used(GRACE, expires_at=NOW - 1), Refresh.REUSE),
        (used(1)._replace(grant_live=False), Refresh.REFUSE),
        (used(GRACE)._replace(grant_live=False), Refresh.REFUSE),
    ],
)
def test_a_presented_token_is_decided_upon(held: HeldRefreshToken | None, decision: Refresh) -> None:
    assert decide_refresh(held, "client", GRACE, NOW) is decision


@pytest.mark.parametrize("held", [HELD, used(1), used(GRACE)])
def test_another_clients_token_is_refused_and_does_not_end_the_family(held: HeldRefreshToken) -> None:
    assert decide_refresh(held, "another", GRACE, NOW) is Refresh.REFUSE


def test_without_grace_any_second_use_is_reuse() -> None:
    assert decide_refresh(used(0), "client", 0, NOW) is Refresh.REUSE
