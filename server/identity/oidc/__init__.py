"""Signing in at another provider by OpenID Connect. Pure but for the client that it is handed."""
