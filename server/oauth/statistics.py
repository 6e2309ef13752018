"""What ``/oauth/stats`` says."""

from dataclasses import asdict

from server.oauth.context import Context


async def statistics(ctx: Context) -> dict[str, object]:
    """Describe the server and count its live rows."""
    settings = ctx.settings
    return {
        "oauth_enabled": True,
        "issuer_url": settings.issuer,
        "valid_scopes": list(settings.oauth_valid_scopes),
        "default_scopes": list(settings.oauth_default_scopes),
        **asdict(await ctx.store.count_live(ctx.now)),
        "provider": settings.oauth_provider,
    }
