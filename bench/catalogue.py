"""The catalogue at the size of a nation: how long an import takes, and how soon what is near a place is found."""

import asyncio
import json
import random  # noqa: TID251 - the same stores each time
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench import processes
from bench.operations import MODERN, tool_call
from bench.populate import populate
from bench.scale import Figure
from bench.wire import Connection, expect
from server import shipped
from server.app import system_clock
from server.catalogue.rows import LatLong
from server.storage.database import open_database

Town = tuple[str, str, str, float, float]
"""ZIP code, city, state, latitude and longitude."""

_ASKED = 300
_NEAREST = 10
_RANDOM = random.Random(1)  # noqa: S311 - the same stores each time


def catalogue(folder: Path, count: int) -> list[Figure]:
    """Measure an import of stores all over the country beside a running server, and what is found then."""
    folder.mkdir(parents=True, exist_ok=True)
    towns = _towns()
    (folder / "stores.json").write_text(json.dumps(_stores(towns, count), indent=1), encoding="utf-8")
    now = system_clock()
    token = populate(folder / "server.db", 1, "http://localhost:8000/mcp", now, now + 3_600)
    chosen = _RANDOM.choices(towns, k=_ASKED)
    with processes.server(folder, SERVER_URL="http://localhost:8000") as child:
        child.wait_until_up()
        taken = _import(folder)
        with closing(Connection(child.port)) as connection:
            calls = [_call(connection, child.port, token, town) for town in chosen]
    query = asyncio.run(_queries(folder / "server.db", [LatLong(town[3], town[4]) for town in chosen]))
    return [
        Figure("import of stores", taken, "s", 20, f"{count:,} stores, beside a running server"),
        Figure("nearest ten, in the database", median(query), "ms", 5, f"p99 {_p99(query):.1f} of {_ASKED} towns"),
        Figure("  the whole call of the tool", median(calls), "ms", None, f"p99 {_p99(calls):.1f}"),
    ]


def _towns() -> list[Town]:
    table = (shipped.directory("data") / "places.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in table if line[:5].isdigit()]
    return [(code, label[:-10], label[-8:-6], float(north), float(east)) for code, label, north, east in rows]


def _stores(towns: Sequence[Town], count: int) -> dict[str, Any]:
    """Make stores near towns, each town as likely as any other."""
    near = [_store(number, town) for number, town in enumerate(_RANDOM.choices(towns, k=count))]
    return {"type": "FeatureCollection", "features": near}


def _store(number: int, town: Town) -> dict[str, Any]:
    code, city, state, north, east = town
    at = [round(east + _RANDOM.gauss(0, 0.05), 6), round(north + _RANDOM.gauss(0, 0.05), 6)]
    tags = {
        "ref": f"store-{number}",
        "name": f"Store {number}, {city}",
        "addr:housenumber": str(_RANDOM.randint(1, 9_999)),
        "addr:street": _RANDOM.choice(("Main Street", "Oak Avenue", "2nd Street", "Park Road")),
        "addr:city": city,
        "addr:state": state,
        "addr:postcode": code,
        "phone": f"+1 555-{number:07}",
        "opening_hours": f"Mo-Sa {_RANDOM.randint(8, 11):02}:00-{_RANDOM.randint(17, 21)}:00; Su 11:00-18:00; PH off",
        "shop": "mobile_phone",
    }
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": at}, "properties": tags}


def _import(folder: Path) -> float:
    """Import the file as an operator does, and give the seconds that the command took."""
    began = time.perf_counter()
    settings = {"DATABASE_URL": processes.database_url(folder)}
    command = ["-m", "server", "catalog", "import", "stores.json"]
    with processes.running(command, 0, folder, settings) as child:
        child.wait()
    return time.perf_counter() - began


def _call(connection: Connection, port: int, token: str, town: Town) -> float:
    """Call the store locator, and give the milliseconds."""
    given = {"location": f"{town[3]}, {town[4]}", "radiusMiles": 500}
    text = tool_call(port, token, MODERN, "att-store-locator", given)
    began = time.perf_counter()
    connection.run(expect(200, text))
    return (time.perf_counter() - began) * 1000


async def _queries(path: Path, places: Sequence[LatLong]) -> list[float]:
    """Give the milliseconds that each nearest ten took, asked of the store as the tool does."""
    async with open_database(path, system_clock()) as store:
        taken = []
        for place in places:
            began = time.perf_counter()
            near = await store.find_near("stores", place, None, None, _NEAREST)
            taken.append((time.perf_counter() - began) * 1000)
            if len(near.documents) != _NEAREST or '"store-' not in near.documents[0]:
                raise RuntimeError("the stores were not imported")
        return taken


def _p99(latencies: Sequence[float]) -> float:
    return quantiles(latencies, n=100, method="inclusive")[98]
