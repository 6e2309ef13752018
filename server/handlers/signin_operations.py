"""What the pages take and answer at which a person signs in and sees to their account, for the OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from server.handlers import cookies
from server.handlers.callback import CALLBACKS
from server.handlers.operations import Operation, Schema, page_answer, redirect_answer
from server.settings import Settings
from server.upstreams import PROVIDERS

_TEXT: Schema = {"type": "string"}
_CSRF = {"csrf": {**_TEXT, "description": "The page's own; it belongs to a cookie."}}
_HANDLE: Schema = {"name": "request", "in": "query", "description": "Names the request that waits.", "schema": _TEXT}


def operations(settings: Settings) -> Iterator[Operation]:
    """Give every operation that these settings open."""
    signs_in = settings.oauth_provider != "demo"
    seen = {200: page_answer("The page.")}
    yield Operation(
        method="get",
        path="/account",
        name="account",
        summary="What the user has allowed",
        parameters=(_cookie(cookies.session_cookie(settings)),) if signs_in else (),
        answers=seen | ({302: redirect_answer("To where to sign in.")} if signs_in else {}),
        page=True,
        uses_database=signs_in,
    )
    if signs_in:
        yield from _sessions(settings)
    if settings.oauth_provider == "local":
        yield from _local(settings)
    if settings.oauth_provider in PROVIDERS:
        yield from _upstream(settings)


def _sessions(settings: Settings) -> Iterator[Operation]:
    yield Operation(
        method="get",
        path="/signin",
        name="signin",
        summary="Where to sign in",
        parameters=(_HANDLE, _cookie(cookies.browser_cookie(settings))),
        answers={200: page_answer("The page.")},
        page=True,
    )
    session = cookies.session_cookie(settings)
    yield form("/signout", "sign_out", "Sign out", session, {})
    yield form("/signout/everywhere", "sign_out_everywhere", "End every session of the user", session, {})
    choice = {"client_id": _TEXT, "all": {**_TEXT, "description": "Anything, to take back all."}}
    yield form("/account/revoke", "revoke_application", "Take back what an application may do", session, choice)


def _local(settings: Settings) -> Iterator[Operation]:
    browser, session = cookies.browser_cookie(settings), cookies.session_cookie(settings)
    attempt = dict.fromkeys(("username", "password", "request", "as"), _TEXT)
    yield form("/signin", "sign_in", "Sign in, or go on as who is signed in", browser, attempt, limited=True)
    change = dict.fromkeys(("current", "new", "again"), _TEXT)
    yield form("/account/password", "change_password", "Change the password", session, change, limited=True)
    token = {"name": "token", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1}}
    yield Operation(
        method="get",
        path="/invitation",
        name="invitation",
        summary="Where to choose a password, once",
        parameters=(token, _cookie(browser)),
        answers={200: page_answer("The page.")},
        page=True,
    )
    accepted = dict.fromkeys(("token", "password", "again"), _TEXT)
    yield form("/invitation", "accept_invitation", "Choose a password, and sign in", browser, accepted, limited=True)


def _upstream(settings: Settings) -> Iterator[Operation]:
    browser = cookies.browser_cookie(settings)
    choice = {"decision": {"enum": ["approve", "deny"]}, **dict.fromkeys(("request", "another"), _TEXT)}
    summary = "Go on to the provider, or deny the client what it asks for"
    yield form("/signin/provider", "go_to_provider", summary, browser, choice, limited=True)
    back = dict.fromkeys(("request", "because"), _TEXT)
    yield form("/signin/provider/failed", "leave_provider", "Tell the client why nobody signed in", browser, back)
    answer = [
        {"name": name, "in": "query", "schema": _TEXT}
        for name in ("state", "code", "iss", "error", "error_description")
    ]
    for path in CALLBACKS:
        yield Operation(
            method="get",
            path=path,
            name=path.removeprefix("/oauth/").replace("/", "_"),
            summary="Where the provider leads back to",
            parameters=(*answer, _cookie(browser)),
            answers={302: redirect_answer("To the page that comes next.")},
            refusals=frozenset({403}),
            page=True,
            limited=True,
        )


def form(
    path: str, name: str, summary: str, cookie: str, fields: Mapping[str, Any], *, limited: bool = False
) -> Operation:
    """Describe a page's form; a wrong one is answered with the page, or with one that says what is wrong."""
    return Operation(
        method="post",
        path=path,
        name=name,
        summary=summary,
        parameters=(_cookie(cookie),),
        body={"type": "object", "required": ["csrf"], "properties": {**_CSRF, **fields}},
        answers={303: redirect_answer("To the page that comes next.")},
        refusals=frozenset({403}),
        page=True,
        limited=limited,
    )


def _cookie(name: str) -> Schema:
    return {"name": name, "in": "cookie", "schema": _TEXT}
