"""What deciding about one request takes."""

from dataclasses import dataclass

from server.oauth.store import Store
from server.oauth.tokens import Entropy
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The store, the settings, the source of randomness, and the request's one time in Unix seconds."""

    store: Store
    settings: Settings
    entropy: Entropy
    now: int
