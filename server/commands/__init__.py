"""The operator's commands: they work on the database, beside a running server, which sees the change at once."""
