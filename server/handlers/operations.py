"""What each OAuth endpoint takes and answers: the table of which the OpenAPI document is made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from server.handlers import authorize, cookies
from server.handlers.requests import FORM_TYPE
from server.handlers.schemas import APPROVAL, AUTHORIZATION, CLIENT_AUTHENTICATION, TOKEN_REQUEST
from server.oauth.provider import BEGIN
from server.settings import Settings

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path."""

    method: Literal["get", "post", "put", "delete"]
    path: str
    name: str
    summary: str
    answers: Mapping[int, Any]
    """Whatever is not an error, by status: OpenAPI response objects."""
    parameters: Sequence[Schema] = ()
    body: Schema | None = None
    takes: str = FORM_TYPE
    """The body's media type."""
    refusals: frozenset[int] = frozenset()
    """Statuses of errors beyond those that any request can meet."""
    security: Sequence[str] = ("",)
    """Alternative security schemes; ``""`` is none, or one within the body."""
    page: bool = False
    """Whether a person is told of errors, in a page."""
    limited: bool = False
    uses_database: bool = True
    challenges: bool = False
    """Whether every 401 says by which scheme to authenticate."""


def operations(settings: Settings) -> Iterator[Operation]:
    """Give every operation that these settings open."""
    yield from _documents()
    if settings.oauth_dcr != "off":
        yield from _registration(settings)
    yield from _pages(settings)
    yield from _client_endpoints()


def _documents() -> Iterator[Operation]:
    well_known = "/.well-known"
    for name, schema, suffix in (
        ("oauth-authorization-server", "ServerMetadata", ""),
        ("oauth-authorization-server", "ServerMetadata", "/mcp"),
        ("openid-configuration", "ServerMetadata", ""),
        ("openid-configuration", "ServerMetadata", "/mcp"),
        ("oauth-protected-resource", "ResourceMetadata", ""),
        ("oauth-protected-resource", "ResourceMetadata", "/mcp"),
    ):
        server = schema == "ServerMetadata"
        yield Operation(
            method="get",
            path=f"{well_known}/{name}{suffix}",
            name=f"{name}{suffix.replace('/', '-')}",
            summary=f"Metadata of the {'authorization server (RFC 8414)' if server else 'MCP endpoint (RFC 9728)'}",
            answers={200: json_answer("The metadata.", schema)},
            uses_database=server,
        )
    yield Operation(
        method="get",
        path="/oauth/stats",
        name="stats",
        summary="How many clients, codes and tokens are live",
        answers={200: json_answer("The counts.", "Stats")},
    )
    yield Operation(
        method="get",
        path="/openapi.json",
        name="openapi",
        summary="This document",
        answers={200: {"description": "This document.", "content": {"application/json": {"schema": {}}}}},
        uses_database=False,
    )


def _registration(settings: Settings) -> Iterator[Operation]:
    by_token = settings.oauth_dcr == "token"
    yield Operation(
        method="post",
        path="/register",
        name="register",
        summary="Register a client (RFC 7591)",
        body=_schema("ClientMetadata"),
        takes="application/json",
        answers={201: json_answer("The client.", "ClientInformation")},
        refusals=frozenset({401}) if by_token else frozenset(),
        security=("initial_access_token",) if by_token else ("",),
        limited=True,
        challenges=True,
    )
    client_id = {"name": "client_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    for method, name, summary, answers in (
        ("get", "read_client", "Read a registration", {200: json_answer("The client.", "ClientInformation")}),
        ("put", "update_client", "Replace a registration", {200: json_answer("The client.", "ClientInformation")}),
        ("delete", "delete_client", "Remove a client", {204: {"description": "The client is removed."}}),
    ):
        yield Operation(
            method=method,  # type: ignore[arg-type]  # the tuple's strings are not literals to mypy
            path="/register/{client_id}",
            name=name,
            summary=f"{summary} (RFC 7592)",
            parameters=(client_id,),
            body=_schema("ClientMetadata") if method == "put" else None,
            takes="application/json",
            answers=answers,
            refusals=frozenset({401}),
            security=("registration_access_token",),
            limited=True,
            challenges=True,
        )


def _pages(settings: Settings) -> Iterator[Operation]:
    cookie = cookies.browser_cookie(settings)
    browser = {"name": cookie, "in": "cookie", "description": "The browser's id.", "schema": {"type": "string"}}
    request = {"name": "request", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1}}
    yield from _beginning(browser, request)
    yield Operation(
        method="get",
        path=authorize.PAGE,
        name="page",
        summary="The page that asks the user",
        parameters=(request, browser),
        answers={200: page_answer("The page.")},
        page=True,
    )
    yield Operation(
        method="post",
        path=authorize.FORM,
        name="decide",
        summary="The page's form: leads back to the client",
        parameters=(browser,),
        body=APPROVAL,
        answers={303: redirect_answer("Back to the client, with a code or an error (RFC 6749 section 4.1.2).")},
        page=True,
    )


def _beginning(browser: Schema, request: Schema) -> Iterator[Operation]:
    """Describe what leads to the page, and gives the browser its id."""
    begun = {
        "Set-Cookie": {"description": "The browser's id, unless the answer is an error.", "schema": {"type": "string"}}
    }
    for method in ("get", "post"):
        sent = method == "post"
        yield Operation(
            method=method,
            path="/authorize",
            name="begin_by_post" if sent else "begin",
            summary="Ask for access: leads to the page, or back to the client with an error (RFC 6749 section 4.1.1)",
            parameters=(browser,) if sent else (*_query(AUTHORIZATION), browser),
            body=AUTHORIZATION if sent else None,
            answers={303 if sent else 302: redirect_answer("To the page, or back to the client.", begun)},
            page=True,
            limited=True,
        )
    yield Operation(
        method="get",
        path=BEGIN,
        name="open",
        summary="Opens a request that another server kept, for the first browser that comes; leads to the page",
        parameters=(request, browser),
        answers={302: redirect_answer("To the page.", begun)},
        page=True,
        limited=True,
    )


def _client_endpoints() -> Iterator[Operation]:
    token = {
        "type": "object",
        "required": ["token"],
        "properties": {
            "token": {"type": "string", "minLength": 1},
            "token_type_hint": {"type": "string"},
            **CLIENT_AUTHENTICATION,
        },
    }
    for path, name, summary, body, answer in (
        (
            "/token",
            "token",
            "Get tokens by any grant (RFC 6749 section 3.2)",
            TOKEN_REQUEST,
            "Token",
        ),
        ("/revoke", "revoke", "End a token (RFC 7009)", token, "Nothing"),
        ("/introspect", "introspect", "Describe a token (RFC 7662)", token, "Introspection"),
    ):
        yield Operation(
            method="post",
            path=path,
            name=name,
            summary=summary,
            body=body,
            answers={200: json_answer("Done.", answer)},
            refusals=frozenset({401}),
            security=("client_secret_basic", ""),
            limited=path == "/token",
        )


def _schema(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def json_answer(description: str, schema: str) -> Schema:
    """Describe an answer that is JSON of a named shape."""
    return {"description": description, "content": {"application/json": {"schema": _schema(schema)}}}


def page_answer(description: str) -> Schema:
    """Describe an answer that is a page."""
    return {"description": description, "content": {"text/html": {"schema": {"type": "string"}}}}


def redirect_answer(description: str, headers: Schema | None = None) -> Schema:
    """Describe an answer that leads elsewhere."""
    location = {"required": True, "schema": {"type": "string", "format": "uri-reference"}}
    return {"description": description, "headers": {"Location": location, **(headers or {})}}


def _query(form: Schema) -> Iterator[Schema]:
    """Describe the same parameters in a query."""
    for name, schema in form["properties"].items():
        yield {"name": name, "in": "query", "required": name in form["required"], "schema": schema}
