"""The signing keys: sealed, shared by every process, rotated, and gone when their tokens have ended."""

import asyncio
import os

import jwt
import pytest

from server.oauth import signing
from server.oauth.context import Context
from server.sealing import Sealer, SecretError
from tests.support import START

TOKEN_LIFE = 3_600


def signer(secret: bytes = b"s" * 32) -> signing.Signer:
    return signing.Signer(Sealer(secret, os.urandom))


def verifies(token: str, key: signing.SigningKey) -> bool:
    try:
        return bool(jwt.decode(token, jwt.PyJWK(key.public_jwk), ["RS256"]))
    except jwt.InvalidSignatureError:
        return False


async def test_processes_that_start_at_once_agree_on_one_key(ctx: Context) -> None:
    one, two, three = await asyncio.gather(*(signing.current(ctx.store, signer(), START) for _ in range(3)))
    assert one == two == three
    assert len(await ctx.store.list_signing_keys(START)) == 1


async def test_what_one_process_signs_another_verifies_with_what_is_published(ctx: Context) -> None:
    key = await signing.current(ctx.store, signer(), START)
    token = signer().sign({"sub": "ada"}, key)
    (published,) = await ctx.store.list_signing_keys(START)
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": published.kid, "typ": "JWT"}
    assert verifies(token, published)


async def test_a_rotated_key_signs_no_more_but_verifies_until_its_tokens_have_ended(ctx: Context) -> None:
    old = await signing.current(ctx.store, signer(), START)
    new = await signing.rotate(ctx.store, signer(), START + 10, TOKEN_LIFE)
    assert (await signing.current(ctx.store, signer(), START + 10)).kid == new.kid != old.kid
    ends = START + 10 + TOKEN_LIFE + signing.LEEWAY
    assert [key.kid for key in await ctx.store.list_signing_keys(ends - 1)] == [new.kid, old.kid]
    assert [key.kid for key in await ctx.store.list_signing_keys(ends)] == [new.kid]


async def test_a_second_rotation_leaves_the_end_of_the_first_key_alone(ctx: Context) -> None:
    first = await signing.current(ctx.store, signer(), START)
    await signing.rotate(ctx.store, signer(), START, 10 * TOKEN_LIFE)
    await signing.rotate(ctx.store, signer(), START + 1, 1)
    kids = [key.kid for key in await ctx.store.list_signing_keys(START + 10 * TOKEN_LIFE)]
    assert first.kid in kids
    assert len(kids) == 2


async def test_a_key_that_leaked_can_be_withdrawn_at_once(ctx: Context) -> None:
    await signing.current(ctx.store, signer(), START)
    new = await signing.rotate(ctx.store, signer(), START, TOKEN_LIFE)
    await ctx.store.withdraw_retired_keys(START)
    assert [key.kid for key in await ctx.store.list_signing_keys(START)] == [new.kid]


async def test_another_secret_opens_nothing_and_is_told_what_to_do(ctx: Context) -> None:
    await signing.current(ctx.store, signer(), START)
    other = signer(b"x" * 32)
    with pytest.raises(SecretError, match="keys rotate"):
        await signing.current(ctx.store, other, START)
    new = await signing.rotate(ctx.store, other, START, TOKEN_LIFE)
    assert await signing.current(ctx.store, other, START) == new


async def test_the_private_half_is_nowhere_in_the_clear(ctx: Context) -> None:
    key = await signing.current(ctx.store, signer(), START)
    private = signer().open(key).private_numbers()
    assert "sealed" not in repr(key)
    for number in (private.d, private.p, private.q):
        raw = number.to_bytes((number.bit_length() + 7) // 8)
        assert raw.hex() not in repr(key) + key.sealed_private_key
        assert jwt.utils.base64url_encode(raw).decode() not in str(key.public_jwk) + key.sealed_private_key
