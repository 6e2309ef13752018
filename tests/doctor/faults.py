"""What is wrong with a server, in one way each."""

from typing import Any

from server.doctor.patient import ODD_URI
from tests.doctor.broken import Exchange, Fault

PRM = "/.well-known/oauth-protected-resource"
ALL = "read write payment account offline_access"
METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


def replace(path: str, status: int, body: str = "", kind: str = "application/json", **headers: str) -> Fault:
    """Break one path."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == path and exchange.request.method != "OPTIONS":
            exchange.answer(status, body, kind, **headers)

    return fault


def metadata(**members: Any) -> Fault:
    """Change the authorization server's metadata."""

    def fault(exchange: Exchange) -> None:
        if exchange.path.startswith(METADATA) and exchange.status == 200:
            exchange.change(**members)

    return fault


def resource(**members: Any) -> Fault:
    """Change the protected resource's metadata."""

    def fault(exchange: Exchange) -> None:
        if exchange.path.startswith(PRM) and exchange.request.method == "GET":
            exchange.change(**members)

    return fault


def header(path: str, **headers: str | None) -> Fault:
    """Change headers of a path's answers; ``None`` takes one away."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == path:
            for written, value in headers.items():
                exchange.headers.popall(written.replace("_", "-"), None)
                if value is not None:
                    exchange.headers[written.replace("_", "-")] = value

    return fault


def authorization(error: str, **parameters: str) -> Fault:
    """Refuse authorization requests that have these parameters."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == "/authorize" and parameters.items() <= exchange.query.items():
            exchange.refuse(error)

    return fault


def registration(word: str) -> Fault:
    """Refuse registrations in which a word occurs."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == "/register" and word in exchange.sent.decode():
            exchange.answer(400, '{"error": "invalid_client_metadata"}')

    return fault


def without_token(method: str, status: int, agent: str = "") -> Fault:
    """Answer the endpoint's 401 with another status."""

    def fault(exchange: Exchange) -> None:
        request = exchange.request
        from_agent = request.headers.get("User-Agent", "").startswith(agent)
        if exchange.path == "/mcp" and request.method == method and from_agent and exchange.status == 401:
            exchange.answer(status, '{"jsonrpc": "2.0", "id": 1, "result": {"isError": true}}')

    return fault


def suffixed(exchange: Exchange) -> None:
    if exchange.path.startswith(METADATA) and exchange.path.endswith("/mcp"):
        exchange.answer(404, "Not found", "text/plain")


def another_document(exchange: Exchange) -> None:
    if exchange.path == "/.well-known/openid-configuration":
        exchange.change(token_endpoint="https://elsewhere.example/token")


def unasked_secret(exchange: Exchange) -> None:
    if exchange.path == "/register" and exchange.status == 201:
        exchange.change(client_secret="a-secret")


def no_refresh(exchange: Exchange) -> None:
    if exchange.path == "/register" and exchange.status == 201:
        exchange.change(grant_types=["authorization_code"])


def registers_everything(exchange: Exchange) -> None:
    if exchange.path == "/register" and ODD_URI in exchange.sent.decode():
        exchange.change(redirect_uris=["https://doctor.invalid/callback", ODD_URI])


def cannot_remove(exchange: Exchange) -> None:
    if exchange.path == "/register" and exchange.status == 201:
        exchange.change(registration_client_uri=..., registration_access_token=...)


def returned(**parameters: str | None) -> Fault:
    """Change what errors carry back to the client."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == "/authorize" and "error=" in exchange.headers.get("Location", ""):
            exchange.return_with(**parameters)

    return fault


def keeps_errors_to_itself(exchange: Exchange) -> None:
    if exchange.path == "/authorize" and "error=" in exchange.headers.get("Location", ""):
        exchange.answer(400, "<h1>Error</h1>", "text/html")


def nobody(status: int, body: str) -> Fault:
    """Answer clients that nobody knows in another way."""

    def fault(exchange: Exchange) -> None:
        if "nobody" in exchange.query.get("client_id", ""):
            exchange.answer(status, body)

    return fault


def impatient(exchange: Exchange) -> None:
    if exchange.path == "/token" and exchange.count > 5:
        exchange.answer(429, '{"error": "too_many_requests"}')


def unknown_session(exchange: Exchange) -> None:
    if "Mcp-Session-Id" in exchange.request.headers:
        exchange.answer(400, '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Bad session"}}')


def bad_token(exchange: Exchange) -> None:
    if "Authorization" in exchange.request.headers and exchange.path == "/mcp":
        exchange.answer(403)


def challenge_page(exchange: Exchange) -> None:
    if exchange.path.startswith("/.well-known/"):
        exchange.answer(403, "<!doctype html><html><title>Just a moment</title>", "text/html")


def no_cors(path: str) -> Fault:
    """Forget scripts of other origins."""
    return header(path, Access_Control_Allow_Origin=None)


def preflight_alone(path: str) -> Fault:
    """Remember scripts of other origins in the preflight, and forget them in the answer."""

    def fault(exchange: Exchange) -> None:
        if exchange.path == path and exchange.request.method != "OPTIONS":
            exchange.headers.popall("Access-Control-Allow-Origin", None)

    return fault


def no_space_before_a_scope(exchange: Exchange) -> None:
    if exchange.path == "/authorize" and exchange.query.get("scope", "").startswith(" "):
        exchange.refuse("invalid_scope")
