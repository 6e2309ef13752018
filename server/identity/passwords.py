"""Passwords: hashed with Argon2id (RFC 9106) off the event loop, and compared in the same time for everyone."""

import asyncio
import re
import unicodedata
from base64 import b64encode
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.oauth.errors import TemporarilyUnavailable
from server.oauth.tokens import Entropy

SHORTEST = 10
"""Characters that a password has at least."""

LONGEST = 256

STRONG = 3
"""The least of zxcvbn's scores, from 0 to 4, that will do: beyond a hundred million guesses."""

OWN = 6
"""Characters that a password has at least beside its owner's name, username and address."""

_WORD = re.compile(r"[^\W_]{3,}")
_JUDGED = 72
"""Characters that are judged; what they are followed by can only make a password better."""

AT_ONCE = 2
"""Hashes that are worked out at once: each takes 64 MiB and a core."""

PATIENCE = 5.0
"""Seconds that one waits for its turn."""


class Passwords:
    """Hashes and checks passwords; it is for one event loop."""

    def __init__(self, entropy: Entropy, hasher: PasswordHasher | None = None) -> None:
        """Hash with these parameters; by default those that RFC 9106 section 4 recommends second, with 64 MiB."""
        self._entropy = entropy
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobodys = _of_nobody(self._hasher)

    async def hash(self, password: str) -> str:
        """Hash a password under a new random salt.

        Raises:
            TemporarilyUnavailable: Too many are being worked out already.
        """
        salt = self._entropy(self._hasher.salt_len)
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, normal(password), salt=salt)

    async def check(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the one that was hashed.

        Where nothing is stored the same work is done in vain, so that time does not tell who has an account.

        Raises:
            TemporarilyUnavailable: Too many are being worked out already.
        """
        async with self._turn():
            matches = await asyncio.to_thread(self._verify, stored or self._nobodys, normal(password))
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turns.acquire()
        except TimeoutError:
            raise TemporarilyUnavailable("too many people are signing in at once") from None
        try:
            yield
        finally:
            self._turns.release()


def _of_nobody(hasher: PasswordHasher) -> str:
    """Write a hash that no password has, with the parameters of all others (PHC string format)."""
    salt, tag = (b64encode(bytes(size)).rstrip(b"=").decode() for size in (hasher.salt_len, hasher.hash_len))
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${tag}"


def normal(password: str) -> str:
    """Give the form that is hashed: the same whichever keyboard it was typed on (NIST SP 800-63B section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def problem(password: str, about: Sequence[str | None]) -> str | None:
    """Say in a sentence why a new password will not do; ``None`` if it will.

    Args:
        password: The password.
        about: What others know of its owner: name, username, address.
    """
    password = normal(password)
    if len(password) < SHORTEST:
        return f"The password is too short: it takes {SHORTEST} characters or more."
    if len(password) > LONGEST:
        return f"The password is too long: it takes {LONGEST} characters at most."
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists of words take 13 MB, and new passwords are rare

    known = {word for text in about for word in _WORD.findall((text or "").casefold())}
    if _besides(password, known) < OWN or zxcvbn(password[:_JUDGED], user_inputs=list(known))["score"] < STRONG:
        return "The password is too easy to guess: it is common, or made of what is. Four unrelated words will do."
    return None


def _besides(password: str, known: Collection[str]) -> int:
    """Count the characters of a password that do not belong to words which everyone knows of its owner."""
    rest = password.casefold()
    for word in sorted(known, key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(rest)


async def judge(password: str, about: Sequence[str | None]) -> str | None:
    """Do as `problem` does, off the event loop."""
    return await asyncio.to_thread(problem, password, about)
