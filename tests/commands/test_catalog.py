"""``catalog import | export | list | reset``."""

import asyncio
import json
import os
import pty
import sqlite3
import subprocess
import sys
import termios
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server import shipped
from server.catalogue.files import KINDS
from tests.commands.conftest import Run
from tests.support import serve

ROOT = Path(__file__).parents[2]
SHIPPED = shipped.directory("data")


def stores(count: int, **tags: Any) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": f"node/{number}",
                "geometry": {"type": "Point", "coordinates": [-122.3 + number / 1_000, 47.6]},
                "properties": {"name": f"Own store {number}", "opening_hours": "Mo-Su 10:00-20:00", **tags},
            }
            for number in range(count)
        ],
    }


def save(document: Any, name: str = "own.json") -> str:
    Path(name).write_text(json.dumps(document, indent=1), encoding="utf-8")
    return name


def listed(run: Run) -> dict[str, tuple[str, int]]:
    done = run("catalog", "list", "--json")
    assert done.status == 0
    return {row["kind"]: (row["source"], row["items"]) for row in done.json}


def test_an_import_replaces_a_kind_and_says_so(run: Run) -> None:
    assert run("catalog", "reset").status == 0
    before = listed(run)
    assert set(before) == set(KINDS)
    done = run("catalog", "import", save(stores(3)), "--json")
    assert (done.status, done.json) == (0, {"kind": "stores", "imported": 3, "replaced": 72})
    assert done.err == ""
    assert listed(run) == {**before, "stores": ("imported", 3)}
    (event,) = run("audit", "--json").json
    assert (event["event"], event["address"], event["detail"]) == ("catalogue_imported", "operator", "stores 3")
    assert run("catalog", "import", "own.json").out == "kind: stores\nimported: 3\nreplaced: 3\n"


def test_every_fault_is_told_with_its_line_and_nothing_is_imported(run: Run) -> None:
    assert run("catalog", "import", save(stores(2))).status == 0
    faulty = stores(5)
    faulty["features"][1]["properties"]["opening_hours"] = "9 to 5"
    faulty["features"][3]["geometry"]["coordinates"] = [200, 0]
    path = save(faulty, "faulty.json")
    text = Path(path).read_text(encoding="utf-8").splitlines()
    hours, longitude = text.index('    "opening_hours": "9 to 5"') + 1, text.index("     200,") + 1
    done = run("catalog", "import", path)
    assert (done.status, done.out) == (1, "")
    first, second, last = done.err.splitlines()
    assert first.startswith(f'faulty.json:{hours}: properties.opening_hours cannot be "9 to 5": not opening hours')
    assert second.startswith(f"faulty.json:{longitude}: geometry.coordinates.0 cannot be 200: ")
    assert last == "att-mcp-server: faulty.json: 2 faults; nothing was imported"
    as_json = run("catalog", "import", path, "--json")
    assert as_json.status == 1
    assert [fault["line"] for fault in as_json.json["faults"]] == [hours, longitude]
    assert listed(run) == {"stores": ("imported", 2)}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_exported_can_be_imported_again(run: Run, kind: str) -> None:
    assert run("catalog", "reset", "--json").json == {"reset": list(KINDS)}
    exported = run("catalog", "export", kind)
    assert exported.status == 0
    Path("again.json").write_text(exported.out, encoding="utf-8")
    rows = json.loads((SHIPPED / f"{kind}.json").read_bytes())[KINDS[kind].member]
    assert len(json.loads(exported.out)[KINDS[kind].member]) == len(rows)
    assert run("catalog", "import", "again.json", "--json").json["imported"] == len(rows)
    assert run("catalog", "export", kind).out == exported.out


def test_tags_that_are_not_known_survive_the_way_in_and_out(run: Run) -> None:
    assert run("catalog", "import", save(stores(1, **{"brand:wikidata": "Q35476", "wheelchair": "yes"}))).status == 0
    (feature,) = json.loads(run("catalog", "export", "stores").out)["features"]
    assert feature["properties"] == {
        "name": "Own store 0",
        "opening_hours": "Mo-Su 10:00-20:00",
        "timezone": "America/Los_Angeles",
        "store_type": "retail",
        "brand:wikidata": "Q35476",
        "wheelchair": "yes",
    }
    assert feature["id"] == "node/0"


def test_everything_is_exported_into_a_folder(run: Run) -> None:
    assert run("catalog", "reset").status == 0
    assert run("catalog", "export", "--output", "saved").status == 0
    assert {path.name for path in Path("saved").iterdir()} == {f"{kind}.json" for kind in KINDS}
    assert run("catalog", "export", "plans", "--output", "plans.json").out == ""
    assert Path("plans.json").read_bytes() == Path("saved/plans.json").read_bytes()


def test_a_reset_brings_back_what_ships_of_the_kinds_named(run: Run) -> None:
    assert run("catalog", "reset").status == 0
    for name in ("stores", "plans"):
        document = json.loads((SHIPPED / f"{name}.json").read_bytes())
        document[KINDS[name].member] = document[KINDS[name].member][:1]
        assert run("catalog", "import", save(document)).status == 0
    assert run("catalog", "reset", "plans").out == "reset: plans\n"
    assert listed(run)["plans"] == ("shipped", 14)
    assert listed(run)["stores"] == ("imported", 1)
    assert run("catalog", "reset", "plans").status == 0
    noted = [(event["event"], event["address"], event["detail"]) for event in run("audit", "--json").json]
    assert noted[-1] == ("catalogue_reset", "operator", "plans 14")
    assert len(noted) == 3, "what is as it ships is not brought back once more"


def test_the_list_can_be_read(run: Run) -> None:
    assert run("catalog", "reset").status == 0
    head, first, *_ = run("catalog", "list").out.splitlines()
    assert head.split() == ["kind", "source", "items", "published", "notice"]
    assert first.split()[:3] == ["areas", "shipped", "18"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("import", "nothing.json"), 2, "nothing.json: No such file or directory"),
        (("import", "."), 2, ".: Is a directory"),
        (("export",), 2, "name a kind, or a folder for all of them with --output"),
        (("export", "cars"), 2, "invalid choice: 'cars'"),
        (("export", "stores"), 1, "there are no stores yet"),
        (("export", "stores", "--output", "no/such/folder"), 1, "No such file or directory"),
        (("reset", "cars"), 2, "cars: the kinds are stores, areas, plans,"),
        ((), 2, "required: COMMAND"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(run: Run, arguments: tuple[str, ...], status: int, message: str) -> None:
    done = run("catalog", *arguments)
    assert (done.status, done.out) == (status, "")
    assert message in done.err


def test_the_bar_shows_on_a_terminal_only(run: Run) -> None:
    path = save(stores(600))
    quiet = run("catalog", "import", path)
    assert quiet.err == ""
    command = [sys.executable, "-m", "server", "catalog", "import", path]
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    with open(terminal, "rb", buffering=0) as screen:  # noqa: PTH123 - a descriptor
        process = subprocess.Popen(
            command, stderr=end, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        os.close(end)
        shown = b""
        try:
            while chunk := screen.read(4_096):
                shown += chunk
        except OSError:  # the terminal is gone with its program
            pass
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, shown
    assert out.decode() == "kind: stores\nimported: 600\nreplaced: 600\n"
    assert "Checking" in shown.decode()
    assert "Importing" in shown.decode()


async def test_a_running_server_sees_an_import_at_its_next_request(tmp_path: Path) -> None:
    async with serve(tmp_path) as live:
        token = (await live.log_in(await live.register()))["access_token"]

        async def near_seattle() -> list[str]:
            answer = await live.call("att-store-locator", token, location="47.6, -122.3")
            return [store["name"] for store in answer.json["result"]["structuredContent"]["stores"]]

        assert all("(demo)" in name for name in await near_seattle())
        path = tmp_path / "own.json"
        path.write_text(json.dumps(stores(4)))
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{live.database}"}
        command = (sys.executable, "-m", "server", "catalog", "import", str(path))
        importing = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
        assert await importing.wait() == 0
        assert await near_seattle() == [f"Own store {number}" for number in range(4)]


def test_an_import_that_is_killed_leaves_what_was_there(run: Run) -> None:
    assert run("catalog", "import", save(stores(2))).status == 0
    code = (
        "import os, signal\n"
        "from server.storage.database import Database\n"
        "async def die(self, *arguments): os.kill(os.getpid(), signal.SIGKILL)\n"
        "Database.publish_edition = die\n"
        "from server.cli import main\n"
        "main(['catalog', 'import', 'many.json'])\n"
    )
    save(stores(700), "many.json")
    killed = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert killed.returncode == -9
    assert listed(run) == {"stores": ("imported", 2)}
    with closing(sqlite3.connect("data/server.db")) as connection:
        assert connection.execute("SELECT count(*) FROM catalogue_items").fetchone() == (702,)
    assert run("catalog", "import", "many.json", "--json").json == {"kind": "stores", "imported": 700, "replaced": 2}
