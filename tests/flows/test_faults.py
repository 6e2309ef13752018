"""What goes wrong around the server, and that it goes on: docs/guides/faults.md says the same in prose.

In every one of these, what was acknowledged is kept, a request that cannot be served gets 503 with ``Retry-After``,
and once the cause is gone the same process serves as before, unless it says otherwise.
"""

import asyncio
import random  # noqa: TID251 - seeded, so that a failure can be looked at again
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.browser import Answer
from tests.conftest import Start
from tests.flows.child import Child, command, connected
from tests.flows.disk import Disk, disk_for, run
from tests.flows.ledger import Ledger
from tests.support import REDIRECT_URI, START, Remote

REGISTRATION = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
FEW_DESCRIPTORS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from server.cli import main
sys.exit(main(["serve"]))
"""


def is_unavailable(answer: Answer) -> bool:
    """Tell whether an answer says to come back later, as RFC 9110 section 15.6.4 has it."""
    return answer.status == 503 and int(answer.headers["Retry-After"]) > 0


async def is_ready(live: Remote) -> bool:
    """Tell whether the server thinks that it can write."""
    answer = await live.send("GET", "/health/ready")
    assert answer.status == 200 or is_unavailable(answer), answer.text
    return answer.status == 200


async def register_until_refused(live: Remote) -> list[str]:
    """Register clients until one is refused, and give those that were not."""
    registered: list[str] = []
    for _ in range(20_000):
        answer = await live.send("POST", "/register", json=REGISTRATION)
        if answer.status != 201:
            assert is_unavailable(answer), answer.text
            return registered
        registered.append(answer.json["client_id"])
    pytest.fail("nothing was ever refused")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Give a file system of two megabytes."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    try:
        run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(folder)
        pytest.skip(f"a disk that can be filled takes the right to mount one: {error}")
    yield folder
    run("umount", str(folder))
    folder.rmdir()


@pytest.fixture
def failing_disk() -> Iterator[Disk]:
    """Give a file system that can be made to fail."""
    with disk_for("a disk that fails", "e2fsck") as disk:
        yield disk


def on(folder: Path, disk: Path) -> Child:
    """Give a server whose database, and nothing else, is on a disk."""
    return Child(folder, environment={"DATABASE_URL": f"sqlite:///{disk / 'server.db'}"})


async def test_a_full_disk_refuses_what_is_new_and_serves_what_is_there(tmp_path: Path, small_disk: Path) -> None:
    async with connected(on(tmp_path, small_disk)) as live:
        app = await live.register()
        issued = await live.log_in(app)
        with suppress(OSError), (small_disk / "ballast").open("wb") as ballast:
            while True:
                ballast.write(bytes(4_096))
                ballast.flush()
        registered = await register_until_refused(live)
        for _ in range(3):
            assert is_unavailable(await live.refresh(app, issued["refresh_token"]))
            assert not await is_ready(live)
            assert await live.is_active(app, issued["access_token"])
            assert (await live.send("GET", "/health")).status == 200
        (small_disk / "ballast").unlink()
        assert await is_ready(live)
        assert (await live.refresh(app, issued["refresh_token"])).status == 200
        await live.log_in(await live.register())
        kept = Remote(live.url, small_disk / "server.db", live.http).sql("SELECT client_id FROM clients")
        assert {app.client_id, *registered} <= {client_id for (client_id,) in kept}


async def test_a_file_system_that_turned_read_only_goes_on_being_read(tmp_path: Path, failing_disk: Disk) -> None:
    child = on(tmp_path, failing_disk.mounted)
    async with connected(child) as live:
        app = await live.register()
        issued = await live.log_in(app)
        try:
            failing_disk.fail()
        except OSError as error:
            pytest.skip(f"this kernel lets nobody make a file system fail: {error}")
        for _ in range(3):
            assert is_unavailable(await live.send("POST", "/register", json=REGISTRATION))
            assert not await is_ready(live)
            assert await live.is_active(app, issued["access_token"])
        assert await child.stop() == 0
        child.spawn()
        assert await child.wait() == 1
        assert child.log.splitlines()[-1].startswith(f"att-mcp-server: {failing_disk.mounted}")
        failing_disk.repair()
        await child.start(live.http)
        assert await live.is_active(app, issued["access_token"])
        assert (await live.refresh(app, issued["refresh_token"])).status == 200


async def test_a_damaged_file_is_503_until_a_backup_is_restored(tmp_path: Path) -> None:
    child = Child(tmp_path)
    async with connected(child) as live:
        app = await live.register()
        issued = await live.log_in(app)
        assert (await command(child, "backup", str(tmp_path / "copy.db"))).returncode == 0
        live.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        with child.database.open("rb+") as file:
            file.seek(4096)
            file.write(b"\xff" * (child.database.stat().st_size - 4096))
        assert not await is_ready(live)
        answers = [await live.send("POST", "/register", json=REGISTRATION) for _ in range(3)]
        answers.append(await live.post("/introspect", app, token=issued["access_token"]))
        answers.append(await live.refresh(app, issued["refresh_token"]))
        assert all(map(is_unavailable, answers)), [answer.text for answer in answers]
        assert (await live.send("GET", "/health")).status == 200
        assert await child.stop() == 0
        refused = await command(child, "backup", str(tmp_path / "copy.db"))
        assert refused.returncode == 1
        assert "damaged" in refused.stderr
        assert (await command(child, "restore", str(tmp_path / "copy.db"))).returncode == 0
        await child.start(live.http)
        assert await live.is_active(app, issued["access_token"])
        assert (await live.refresh(app, issued["refresh_token"])).status == 200


async def test_sigterm_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    child = Child(tmp_path)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        ledger = Ledger(child.remote(http))
        chance = random.Random(1)  # noqa: S311 - no secret
        try:
            await child.start(http)
            for _ in range(2):
                since = len(ledger.apps), len(ledger.families)
                async with asyncio.TaskGroup() as load:
                    for _ in range(8):
                        load.create_task(ledger.work(random.Random(chance.random())))  # noqa: S311 - no secret
                    await asyncio.sleep(0.7)
                    ledger.over = True
                    assert await child.stop() == 0
                await child.start(http)
                await ledger.verify(chance, since)
        finally:
            await child.kill()
    assert ledger.acknowledged > 16
    assert " ERROR " not in child.log


@asynccontextmanager
async def crowd(port: int, size: int) -> AsyncIterator[None]:
    """Hold connections open that ask for nothing, as many as the server takes."""
    held = []
    try:
        for _ in range(size):
            one = socket.socket()
            one.setblocking(False)  # noqa: FBT003 - the method's own form
            held.append(one)
            with suppress(OSError):
                await asyncio.wait_for(asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port)), 5)
        await asyncio.sleep(0.5)
        yield
    finally:
        for one in held:
            one.close()


async def answers(url: str) -> bool:
    """Tell whether somebody who has not connected before gets an answer."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as http:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with http.get(f"{url}/health") as response:
                return response.status == 200
    return False


async def test_without_descriptors_who_is_connected_is_served_and_who_comes_may_come_later(tmp_path: Path) -> None:
    child = Child(tmp_path, command=("-c", FEW_DESCRIPTORS))
    async with connected(child) as live:
        app = await live.register()
        async with crowd(child.port, 100):
            assert not await answers(child.url)
            issued = await live.log_in(app)
            assert await live.is_active(app, issued["access_token"])
            unknown = await live.send("GET", "/authorize?client_id=https://client.invalid/client.json")
            assert unknown.status == 400
            assert await is_ready(live)
        assert any([await answers(child.url) for _ in range(10)])
        await live.log_in(await live.register())
    assert "Traceback" not in child.log


async def test_without_name_servers_only_strangers_are_turned_away(tmp_path: Path) -> None:
    async with connected(Child(tmp_path)) as live:
        app = await live.register()
        stranger = {"client_id": "https://client.invalid/client.json", "redirect_uri": REDIRECT_URI}
        asked = [
            asyncio.create_task(live.send("GET", "/authorize", params={**stranger, "state": str(number)}))
            for number in range(50)
        ]
        issued = await live.log_in(app)
        assert await live.is_active(app, issued["access_token"])
        for answer in await asyncio.gather(*asked):
            assert answer.status == 400
            assert "cannot be fetched" in answer.text or "not found on the public internet" in answer.text


async def test_a_clock_that_jumps_takes_nothing_away_for_good(start: Start) -> None:
    async with start(purge_interval=1, rate_limits=True) as live:
        app = await live.register()
        issued = await live.log_in(app)
        for days in (-1, 400, 0):
            live.clock.now = START + days * 86_400
            await asyncio.sleep(1.2)
            assert await live.is_active(app, issued["access_token"]) is (days <= 0)
            assert await live.is_active(app, issued["refresh_token"]) is (days <= 0)
            other = await live.register()
            assert await live.is_active(other, (await live.log_in(other))["access_token"])
        issued = (await live.refresh(app, issued["refresh_token"])).json
        assert await live.is_active(app, issued["access_token"])
