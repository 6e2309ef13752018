import pytest

from server.oauth import tokens
from server.oauth.bearer import challenge, read_token, verify
from server.oauth.errors import InvalidRequest, InvalidToken
from server.oauth.model import AccessToken, LiveAccessToken, User

TOKEN = tokens.make(tokens.ACCESS, lambda size: b"t" * size)
AUDIENCE = "https://mcp.example.com/mcp"
LIVE = LiveAccessToken(
    AccessToken(tokens.digest(TOKEN), "hint", "g", "c", "u", ("read",), AUDIENCE, 1, 9), User("u", "demo", "u")
)


class OneToken:
    """The one read that is used here, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def get_access_token(self, token_digest: str, now: int) -> LiveAccessToken | None:
        self.asked.append((token_digest, now))
        return LIVE if token_digest == LIVE.token.token_digest else None


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([], None),
        ([""], None),
        (["Basic dTpw"], None),
        (["Bearer"], ""),
        (["Bearer abc"], "abc"),
        (["bEARER   abc "], "abc"),
        (["Bearerabc"], None),
        (["Bearer a b"], "a b"),
    ],
)
def test_a_token_is_what_follows_the_scheme(headers: list[str], token: str | None) -> None:
    assert read_token(headers) == token


def test_two_headers_are_one_too_many() -> None:
    with pytest.raises(InvalidRequest):
        read_token(["Bearer a", "Bearer a"])


async def test_a_live_token_gives_its_caller() -> None:
    store = OneToken()
    caller = await verify(store, TOKEN, AUDIENCE, 5)  # type: ignore[arg-type] # of the port, verifying reads only this
    assert (caller.access, caller.user) == (LIVE.token, LIVE.user)
    assert store.asked == [(tokens.digest(TOKEN), 5)]
    assert TOKEN not in repr(caller)


@pytest.mark.parametrize("token", ["", "garbage", TOKEN[:-1], TOKEN + "0", TOKEN.swapcase(), "att_at_" + "é" * 49])
async def test_garbage_never_costs_a_look_up(token: str) -> None:
    store = OneToken()
    with pytest.raises(InvalidToken):
        await verify(store, token, AUDIENCE, 5)  # type: ignore[arg-type] # of the port, verifying reads only this
    assert store.asked == []


@pytest.mark.parametrize("audience", [AUDIENCE + "/", "https://mcp.example.com", "https://other.example/mcp"])
async def test_the_audience_is_compared_exactly(audience: str) -> None:
    with pytest.raises(InvalidToken):
        await verify(OneToken(), TOKEN, audience, 5)  # type: ignore[arg-type] # of the port, verifying reads only this


def test_a_challenge_leaves_out_what_it_has_nothing_to_say_about() -> None:
    assert (
        challenge("https://a/prm", ["read", "write"]) == 'Bearer resource_metadata="https://a/prm", scope="read write"'
    )
    assert challenge("https://a/prm", [], "invalid_token", "Gone.") == (
        'Bearer resource_metadata="https://a/prm", error="invalid_token", error_description="Gone."'
    )
