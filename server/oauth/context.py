"""What deciding about one request takes."""

from dataclasses import dataclass, field

from server.oauth.remote import Remote
from server.oauth.store import Store
from server.oauth.tokens import Entropy
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The store, the settings, the source of randomness, the request's one time in Unix seconds, and other servers."""

    store: Store
    settings: Settings
    entropy: Entropy
    now: int
    remote: Remote = field(default_factory=Remote)
