"""A span for every request (OpenTelemetry, "Semantic conventions for HTTP spans"), where something traces."""

from aiohttp import web
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind, StatusCode

from server.handlers.errors import Handler

_tracer = trace.get_tracer("att-mcp-server")


@web.middleware
async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put a span around a request, below the caller's own if it sends a ``traceparent``; no query string is in it."""
    resource = request.match_info.route.resource
    route = {} if resource is None else {"http.route": resource.canonical}
    attributes = {
        "http.request.method": request.method,
        "url.path": request.rel_url.raw_path,
        "url.scheme": request.scheme,
        **route,
    }
    name = " ".join((request.method, *route.values()))
    with _tracer.start_as_current_span(
        name, context=extract(request.headers), kind=SpanKind.SERVER, attributes=attributes
    ) as span:
        response = await handler(request)
        _close(span, response.status)
        return response


def _close(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= web.HTTPInternalServerError.status_code:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)
