"""``OAUTH_PROVIDER=demo``: nobody signs in, and whoever approves is the user ``demo``."""

from server.oauth.model import User

USER = User(user_id="demo", issuer="demo", subject="demo", name="demo")
