"""The authorization server as the SDK's provider: each method calls the domain, in the SDK's words.

What the SDK's handlers check is checked again by the domain wherever it decides something, so that
there is one set of rules, and one winner of each race.
"""

from mcp.server.auth import provider as sdk
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl

from server.clock import Clock
from server.oauth import authorize, bearer, clients, documents, grants, presented, revocation, scopes, tokens
from server.oauth.audit import Kind
from server.oauth.context import Context
from server.oauth.errors import InvalidClient, InvalidGrant, InvalidToken, OAuthError, PageError, RedirectError
from server.oauth.model import Client, Held
from server.oauth.parameters import Parameters
from server.oauth.provider import words
from server.oauth.statistics import statistics
from server.oauth.store import Store, StoreUnavailable
from server.oauth.tokens import Entropy
from server.settings import Settings

BEGIN = "/oauth/authorize/begin"
"""Where the pages open a request that was kept for whichever browser comes first."""


class OAuthProvider(sdk.OAuthAuthorizationServerProvider[sdk.AuthorizationCode, sdk.RefreshToken, sdk.AccessToken]):
    """Durable clients, codes and tokens for a server made with the SDK; `server.library` opens one.

    Nothing is approved here: `authorize` leads to the consent page, which the aiohttp application
    serves from the same database. Any method raises `StoreUnavailable` when the database cannot
    answer just now and the SDK has no code for that; nothing was changed then.
    """

    def __init__(self, store: Store, settings: Settings, *, pages: str, clock: Clock, entropy: Entropy) -> None:
        """Serve from a store.

        Args:
            store: Where everything is kept.
            settings: Those of the SDK's server: its origin, issuer, scopes and lifetimes.
            pages: The origin at which a browser reaches the consent page.
            clock: Gives the time in Unix seconds.
            entropy: Gives random bytes.
        """
        self._store = store
        self._settings = settings
        self._pages = pages.removesuffix("/")
        self._clock = clock
        self._entropy = entropy

    async def get_client(self, client_id: str) -> words.StoredClient | None:
        """Give a client, or ``None``; one whose id is a URL is not served here, whatever the database holds of it.

        Its secret is known by digest only and so never given: the SDK refuses a client that must show one.
        """
        client = await self._find(client_id)
        return None if client is None else words.stored_client(client)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Register a public client (RFC 7591 section 3.2.1), without a token to manage itself: nothing here takes one.

        The SDK answers with the very object that it handed over, so that what holds is written into it: an id
        and redirect URIs of the domain's making, and no secret, since the SDK could check it only in plain text.

        Args:
            client_info: What the client asked for; changed to what it got.

        Raises:
            RegistrationError: It cannot be had, or ``OAUTH_DCR`` is not ``open``.
        """
        if self._settings.oauth_dcr != "open":
            raise sdk.RegistrationError("invalid_client_metadata", "clients cannot register themselves here")
        ctx, asked = self._context(), client_info.model_dump(mode="json", exclude_none=True)
        try:
            client = clients.describe(clients.new_id(ctx.entropy), asked, clients.NO_SECRET, ctx.settings, ctx.now)
        except OAuthError as error:
            raise words.registration_error(error) from error
        event = ctx.event(Kind.CLIENT_REGISTERED, client_id=client.client_id, detail=client.client_name)
        await ctx.store.add_client(client, event)
        told = words.stored_client(client)
        for name in OAuthClientInformationFull.model_fields:
            setattr(client_info, name, getattr(told, name))

    async def authorize(self, client: OAuthClientInformationFull, params: sdk.AuthorizationParams) -> str:
        """Check and keep an authorization request, and give the address at which its user's browser opens it.

        Raises:
            AuthorizeError: Something is wrong with it, or the database cannot answer just now.
        """
        if not params.redirect_uri_provided_explicitly:  # the SDK would hold the exchange to having none either
            raise sdk.AuthorizeError("invalid_request", "redirect_uri is missing")
        known = await self._find(client.client_id)
        if known is None:
            raise sdk.AuthorizeError("invalid_request", "this client is not registered here; register it again")
        redirect_uri = words.as_registered(known.redirect_uris, params.redirect_uri)
        asked = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": redirect_uri or str(params.redirect_uri),
            "state": params.state,
            "scope": scopes.join(params.scopes or ()),
            "code_challenge": params.code_challenge,
            "code_challenge_method": "S256",
            "resource": params.resource,
        }
        pairs = [(name, value) for name, value in asked.items() if value is not None]
        try:
            handle = await authorize.begin(Parameters(pairs), None, self._context())
        except RedirectError as error:
            raise words.authorize_error(error.error) from error
        except PageError as error:
            raise sdk.AuthorizeError("invalid_request", str(error)) from error
        except StoreUnavailable as error:
            raise sdk.AuthorizeError("temporarily_unavailable", "the database cannot answer just now") from error
        return f"{self._pages}{BEGIN}?request={handle}"

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> sdk.AuthorizationCode | None:
        """Give a code that can be exchanged, or ``None``; a replay ends what came of it (RFC 6749 section 4.1.2)."""
        try:
            known, held = await self._known(client, authorization_code)
            stored = await grants.unused_code(held, known, self._context())
        except (InvalidClient, InvalidGrant):
            return None
        return sdk.AuthorizationCode(
            code=authorization_code,
            scopes=list(stored.scopes),
            expires_at=stored.expires_at,
            client_id=stored.client_id,
            code_challenge=stored.code_challenge,
            redirect_uri=AnyUrl(stored.redirect_uri),
            redirect_uri_provided_explicitly=True,
            resource=stored.audience,
            subject=stored.user_id,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: sdk.AuthorizationCode
    ) -> OAuthToken:
        """Use up a code, whose redirect URI and verifier the SDK has checked; of several at once, one gets tokens.

        Raises:
            TokenError: It was used meanwhile, which ends what came of it, or is over.
        """
        ctx = self._context()
        try:
            known, held = await self._known(client, authorization_code.code)
            stored = await grants.unused_code(held, known, ctx)
            answer = await grants.redeem(stored, known, ctx)
        except OAuthError as error:
            raise words.token_error(error) from error
        return OAuthToken.model_validate(answer)

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> sdk.RefreshToken | None:
        """Give a client's refresh token, one that is used up too: it is the exchange that decides, and sees reuse."""
        if not tokens.is_well_formed(tokens.REFRESH, refresh_token):
            return None
        held = await self._store.get_refresh_token(tokens.digest(refresh_token), self._clock())
        if held is None or held.token.client_id != client.client_id:
            return None
        return sdk.RefreshToken(
            token=refresh_token,
            client_id=held.token.client_id,
            scopes=words.all_held(held.grant.scopes, self._settings),
            # The SDK would turn away an expired token before its reuse is seen.
            expires_at=held.token.expires_at if held.token.used_at is None else None,
            resource=held.grant.audience,
            subject=held.grant.user_id,
        )

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: sdk.RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        """Rotate a refresh token, with the grace and the detection of reuse that `grants` has.

        Args:
            client: Whose it is.
            refresh_token: As it was loaded.
            scopes: What is asked for; the SDK gives all that was loaded where nothing is, which is the grant's own.

        Raises:
            TokenError: It is over, reused, or more is asked for than was granted.
        """
        scope = "" if scopes == refresh_token.scopes else " ".join(scopes)
        asked = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.token), ("scope", scope)]
        try:
            known, held = await self._known(client, refresh_token.token)
            answer = await grants.token(Parameters(asked), known, held, self._context())
        except OAuthError as error:
            raise words.token_error(error) from error
        return OAuthToken.model_validate(answer)

    async def load_access_token(self, token: str) -> sdk.AccessToken | None:
        """Give an access token if it, its grant, its client and its user are live and it is for this resource."""
        try:
            caller = await bearer.verify(self._store, token, self._settings.resource, self._clock())
        except InvalidToken:
            return None
        access = words.access_token(caller, self._settings.issuer)
        return access.model_copy(update={"scopes": words.all_held(access.scopes, self._settings)})

    async def revoke_token(self, token: sdk.AccessToken | sdk.RefreshToken) -> None:
        """End one access token, or the whole family of a refresh token (RFC 7009 section 2.1)."""
        ctx = self._context()
        client, held = await presented.look_up(token.client_id, token.token, ctx)
        if client is not None:
            await revocation.revoke(held, client, ctx)

    async def get_stats(self) -> dict[str, object]:
        """Describe the server and count its live clients, codes and tokens, as ``/oauth/stats`` does."""
        return await statistics(self._context())

    def _context(self) -> Context:
        return Context(self._store, self._settings, self._entropy, self._clock())

    async def _find(self, client_id: str) -> Client | None:
        return None if documents.is_url(client_id) else await self._store.get_client(client_id)

    async def _known(self, client: OAuthClientInformationFull, secret: str) -> tuple[Client, Held | None]:
        """Find a client, and the code or token that it presents."""
        known, held = await presented.look_up(client.client_id, secret, self._context())
        if known is None or known.document is not None:
            raise InvalidClient("this client is not registered here; register it again")
        return known, held
