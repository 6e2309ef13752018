"""Who signs in. Each provider answers with a `server.oauth.model.User`."""
