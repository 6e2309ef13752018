"""Clients with documents, their keys and their assertions as they are kept, and when they go."""

import asyncio
from dataclasses import replace

from server.oauth.model import Document, KeySet
from server.storage.database import Database
from server.storage.purge import purge
from tests.storage import make
from tests.storage.conftest import Shell
from tests.storage.make import DAY, HOUR, NOW, digest

URL = "https://client.example/oauth/client.json"
DOCUMENT = Document(("private_key_jwt", "none"), NOW, NOW + 300)
CLIENT = replace(make.client(URL), secret_digest=None, document=DOCUMENT)
KEYS = KeySet("https://client.example/jwks.json", {"keys": [{"kid": "ü"}]}, NOW, NOW + 300)


async def test_a_described_client_comes_back_as_it_was_kept(database: Database, shell: Shell) -> None:
    await database.keep_described_client(CLIENT, NOW)

    assert await database.get_client(URL) == CLIENT
    assert shell("SELECT document_auth_methods, document_expires_at FROM clients") == [
        ("private_key_jwt none", NOW + 300)
    ]


async def test_what_changed_is_kept_and_what_is_ours_stays(database: Database) -> None:
    await database.keep_described_client(CLIENT, NOW)
    await make.logged_in(database)
    later = replace(
        CLIENT,
        client_name="Renamed",
        redirect_uris=("https://client.example/moved",),
        token_endpoint_auth_method="none",
        metadata={"jwks_uri": KEYS.jwks_uri},
        created_at=NOW + DAY,
        document=Document(("none",), NOW + DAY, NOW + 2 * DAY),
    )
    await database.keep_described_client(later, NOW + DAY)

    assert await database.get_client(URL) == replace(later, created_at=NOW)
    assert await database.get_access_token(digest("access"), NOW) is not None, "another client's token"


async def test_grants_outlive_a_changed_document_but_not_a_deleted_row(database: Database, shell: Shell) -> None:
    await make.logged_in(database)
    shell("UPDATE clients SET client_id = ?", URL)
    shell("UPDATE grants SET client_id = ?", URL)
    shell("INSERT INTO consents VALUES ('user', ?, 'https://client.example', 'read', 'f', 1, 2)", URL)
    await database.keep_described_client(CLIENT, NOW)
    assert await database.get_access_token(digest("access"), NOW) is not None
    assert shell("SELECT count(*) FROM consents") == [(1,)]

    shell("DELETE FROM clients")
    await database.keep_described_client(CLIENT, NOW + 1)
    assert await database.get_access_token(digest("access"), NOW + 1) is None
    assert shell("SELECT revoked_at, revoked_reason FROM grants") == [(NOW + 1, "client_deleted")]
    assert shell("SELECT count(*) FROM consents") == [(0,)]


async def test_keys_come_back_and_are_replaced(database: Database) -> None:
    assert await database.get_key_set(KEYS.jwks_uri) is None
    await database.keep_key_set(KEYS)
    assert await database.get_key_set(KEYS.jwks_uri) == KEYS

    newer = KeySet(KEYS.jwks_uri, {"keys": []}, NOW + 1, NOW + 2)
    await database.keep_key_set(newer)
    assert await database.get_key_set(KEYS.jwks_uri) == newer


async def test_an_assertion_has_one_winner(database: Database) -> None:
    won = await asyncio.gather(*(database.use_assertion(URL, "jti", NOW + HOUR) for _ in range(20)))

    assert sorted(won) == [False] * 19 + [True]
    assert await database.use_assertion("another", "jti", NOW + HOUR)
    assert await database.use_assertion(URL, "another", NOW + HOUR)


async def test_assertions_go_when_they_expire_and_keys_when_they_are_of_no_more_use(database: Database) -> None:
    for number in range(250):
        await database.use_assertion(URL, str(number), NOW + HOUR)
    await database.keep_key_set(KEYS)

    assert not any((await purge(database.driver, NOW + HOUR - 1)).values())
    assert (await purge(database.driver, NOW + HOUR))["client_assertions"] == 250
    assert (await purge(database.driver, NOW + 300 + DAY - 1))["key_sets"] == 0
    assert (await purge(database.driver, NOW + 300 + DAY))["key_sets"] == 1


async def test_a_described_client_that_nobody_uses_goes_like_any_other(database: Database) -> None:
    await database.keep_described_client(CLIENT, NOW)

    assert (await purge(database.driver, NOW + 30 * DAY - 1))["clients"] == 0
    assert (await purge(database.driver, NOW + 30 * DAY))["clients"] == 1
