"""What UserInfo and the key set take and answer, for the OpenAPI document."""

from collections.abc import Iterator

from server.handlers.operations import Operation, json_answer
from server.oauth.scopes import identity
from server.settings import Settings


def operations(settings: Settings) -> Iterator[Operation]:
    """Give every operation that these settings open."""
    if not identity(settings):
        return
    for method, name in (("get", "userinfo"), ("post", "userinfo_by_post")):
        yield Operation(
            method=method,  # type: ignore[arg-type]  # the tuple's strings are not literals to mypy
            path="/userinfo",
            name=name,
            summary="Who holds an access token with the scope openid (OpenID Connect Core section 5.3)",
            answers={200: json_answer("Who.", "User")},
            refusals=frozenset({401, 403}),
            security=("access_token",),
            challenges=True,
        )
    yield Operation(
        method="get",
        path="/jwks",
        name="jwks",
        summary="The keys that verify ID tokens (RFC 7517)",
        answers={200: json_answer("The keys.", "KeySet")},
    )
