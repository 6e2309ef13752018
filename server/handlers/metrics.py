"""GET /metrics: what `server.meter` counted and what the database holds, for Prometheus."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

import server
from server import keys
from server.handlers.address import UNKNOWN
from server.meter import Meter, Times
from server.oauth.store import StoreUnavailable
from server.storage.database import Database
from server.storage.extent import extent

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "Via")


async def metrics(request: web.Request) -> web.Response:
    """Give every figure, to whoever calls from a network of ``METRICS_NETWORKS`` and through no proxy.

    Raises:
        HTTPNotFound: To anybody else.
    """
    if not _may_read(request):
        raise web.HTTPNotFound
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Families([*_counted(request.app[keys.METER]), *await _stored(request.app)]))
    headers = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
    return web.Response(body=generate_latest(registry), headers=headers)


def _may_read(request: web.Request) -> bool:
    """Tell a monitor from the public: a request that was passed on comes from somebody else than it seems to."""
    settings, address = request.app[keys.SETTINGS], request[keys.ADDRESS]
    if address == UNKNOWN or any(name in request.headers for name in _FORWARDED):
        return False
    if settings.public and request.host == settings.server_url.partition("//")[2]:
        return False
    return any(ip_address(address) in network for network in settings.metrics_networks)


class _Families(Collector):
    """Hands over what has been worked out already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _counted(meter: Meter) -> Iterator[Metric]:
    """Give what the process has counted since its start."""
    version = GaugeMetricFamily("att_mcp_version", "Always 1; the version is a label.", labels=["version"])
    version.add_metric([server.__version__], 1)
    yield version
    requests = CounterMetricFamily("att_mcp_requests", "Answers.", labels=["method", "route", "status"])
    for (method, route, status), count in meter.requests.items():
        requests.add_metric([method, route, str(status)], count)
    yield requests
    latency = HistogramMetricFamily("att_mcp_request_seconds", "Time to an answer, streams apart.", labels=["route"])
    for route, times in meter.latencies.items():
        latency.add_metric([route], _buckets(times), times.total)
    yield latency
    lag = HistogramMetricFamily("att_mcp_loop_lag_seconds", "By how much the event loop was late.")
    lag.add_metric([], _buckets(meter.lag), meter.lag.total)
    yield lag
    yield GaugeMetricFamily("att_mcp_streams", "Event streams that are open.", meter.streams)
    yield _by("att_mcp_tokens_issued", "Token answers with tokens.", "grant", meter.issued)
    yield _by("att_mcp_tokens_refused", "Token answers without.", "reason", meter.refused)
    yield _by("att_mcp_purges", "Purges of expired rows.", "outcome", meter.purges)
    yield _by("att_mcp_purged_rows", "Rows that were purged.", "table", meter.purged)
    yield GaugeMetricFamily("att_mcp_purged_timestamp_seconds", "When the last purge was done.", meter.purged_at)


async def _stored(app: web.Application) -> list[Metric]:
    """Give what the database holds, or that it cannot be read."""
    store: Database = app[keys.STORE]
    size = extent(app[keys.SETTINGS].database_path)
    families: list[Metric] = [
        GaugeMetricFamily("att_mcp_database_bytes", "Size of the database file.", size.database),
        GaugeMetricFamily("att_mcp_database_wal_bytes", "Size of its write-ahead log.", size.log),
        GaugeMetricFamily("att_mcp_database_free_bytes", "Room left on its disk.", size.room),
    ]
    try:
        counts = await store.gauges(app[keys.CLOCK]())
    except StoreUnavailable:
        return [*families, GaugeMetricFamily("att_mcp_database_up", "Whether the database can be read.", 0)]
    live = GaugeMetricFamily("att_mcp_live", "Live rows.", labels=["kind"])
    for kind, count in counts.items():
        live.add_metric([kind], count)
    return [*families, GaugeMetricFamily("att_mcp_database_up", "Whether the database can be read.", 1), live]


def _by(name: str, documentation: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, documentation, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _buckets(times: Times) -> list[tuple[str, float]]:
    """Write buckets as Prometheus has them: each holds those below as well."""
    total, written = 0, []
    for bound, count in zip((*times.bounds, float("inf")), times.buckets, strict=True):
        total += count
        written.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return written
