"""What can go wrong between this server and its provider: what the person is told, the client, and the log."""

from collections.abc import Mapping
from typing import ClassVar

from server.identity import Waiting
from server.oauth.errors import AccessDenied, OAuthError, ServerError, TemporarilyUnavailable

OPERATOR = "If it stays so, tell whoever runs this server; its log says what is wrong."


class UpstreamError(Exception):
    """A sign-in that cannot be finished. ``{provider}`` and ``{who}`` in its texts are to be filled in."""

    title: ClassVar[str]
    message: ClassVar[str]
    advice: ClassVar[str]
    status: ClassVar[int] = 500
    error: ClassVar[type[OAuthError]] = ServerError
    description: ClassVar[str]
    """For the client's developer, in printable ASCII."""

    def __init__(self, detail: str, who: str = "") -> None:
        """Say exactly what happened, for the log alone and never a secret; and who signed in, for themselves."""
        super().__init__(detail)
        self.detail = detail
        self.who = who
        self.waiting: Waiting | None = None
        """The authorization request that the sign-in was for, if it still waits in this browser."""


class Unreachable(UpstreamError):
    """The provider is down, too slow, or answers with a failure of its own."""

    title = "{provider} cannot be reached"
    message = "This server asked {provider} who you are, and got no answer in time. Nobody was signed in."
    advice = f"Wait half a minute and try again. {OPERATOR}"
    status = 503
    error = TemporarilyUnavailable
    description = "the identity provider cannot be reached; try again later"


class Misconfigured(UpstreamError):
    """The provider does not know this server as its settings say: a wrong secret, client id or issuer."""

    title = "Sign-in is not set up rightly here"
    message = "{provider} did not accept this server as it is set up. It is not your doing, and nobody was signed in."
    advice = "Tell whoever runs this server: its log says which setting to look at."
    description = "the server is not set up rightly at its identity provider"


class Refused(UpstreamError):
    """The provider does not take its own code back."""

    title = "This sign-in could not be finished"
    message = "{provider} does not stand by its answer: that is good for a short time, and once. Nobody was signed in."
    advice = f"Try again. {OPERATOR}"
    description = "the identity provider did not accept its own code"


class Untrusted(UpstreamError):
    """What the provider says of the user cannot be believed."""

    title = "The answer of {provider} cannot be trusted"
    message = "It breaks a rule that keeps others from signing in as you, so nobody was signed in."
    advice = f"Try again, from the beginning. {OPERATOR}"
    description = "the identity provider's answer did not pass verification"


class ClockOff(UpstreamError):
    """The provider's times and ours do not agree."""

    title = "Two clocks do not agree"
    message = "By this server's clock, the answer of {provider} is from another time, so nobody was signed in."
    advice = "Try again in a minute. If it stays so, tell whoever runs this server to set its clock."
    description = "the identity provider's answer is not valid at this time; a clock is wrong"


class Denied(UpstreamError):
    """The person did not sign in, or the provider did not let them."""

    title = "You were not signed in"
    message = "{provider} says that you did not sign in, or that you may not use this server."
    advice = "Try again, with another account if you have one; or ask whoever manages your account at {provider}."
    status = 403
    error = AccessDenied
    description = "the user did not sign in at the identity provider, or was refused there"


class NotAllowed(UpstreamError):
    """The person is who they are, but not among those who may sign in here."""

    title = "This account may not sign in here"
    message = "You signed in at {provider} as {who}, but this server lets in only certain people. Nothing was allowed."
    advice = "Try again with another account, or ask whoever runs this server to let yours in."
    status = 403
    error = AccessDenied
    description = "this user may not sign in here"


class Disabled(UpstreamError):
    """The person's account here has been disabled by the operator."""

    title = "Your account here is disabled"
    message = "You signed in at {provider} as {who}, but that account has been disabled here. Nothing was allowed."
    advice = "Ask whoever runs this server."
    status = 403
    error = AccessDenied
    description = "this user's account is disabled"


class StateError(UpstreamError):
    """An answer of the provider that nobody waits for: this browser did not begin it, or it came before.

    The client is told nothing, since this may be somebody else's browser.
    """

    status = 400
    description = "the sign-in was not begun in this browser"


class Unknown(StateError):
    """There is no such sign-in, or it is over."""

    title = "This sign-in is over"
    message = "A sign-in waits ten minutes for {provider} and no longer, and this one is not waiting."
    advice = "Go back to the app that sent you here and connect it again."


class Replayed(StateError):
    """The answer came before."""

    title = "This sign-in was finished before"
    message = "The answer of {provider} counts once. You may have reloaded the page, or gone back to it."
    advice = "If the app is not connected, go back to it and connect it again."


class CookieLost(StateError):
    """The answer is right, but another browser began the sign-in, or this one lost its cookie."""

    title = "This sign-in belongs to another browser"
    message = "It was started in another browser, or this one did not keep its cookie. Nobody was signed in."
    advice = "Allow cookies for this site, then go back to the app that sent you here and connect it again."


KINDS: Mapping[str, type[UpstreamError]] = {
    kind.__name__: kind
    for kind in (Unreachable, Misconfigured, Refused, Untrusted, ClockOff, Denied, NotAllowed, Disabled)
}
"""Those that a client is told of, by name."""
