"""Judging once what clients send over and over, such as the values of headers."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MOST = 256
"""Texts that are remembered; with one more, all are judged anew."""
LONGEST = 256
"""Characters of a text that is remembered."""


class Verdicts(dict[str, T]):
    """What a function makes of texts, which is the same for every client that sends them."""

    def __init__(self, judge: Callable[[str], T]) -> None:
        """Remember nothing yet.

        Args:
            judge: Depends on nothing but the text, and gives what nobody can change.
        """
        super().__init__()
        self._judge = judge

    def __missing__(self, text: str) -> T:
        verdict = self._judge(text)
        if len(text) <= LONGEST:
            if len(self) >= MOST:
                self.clear()
            self[text] = verdict
        return verdict
