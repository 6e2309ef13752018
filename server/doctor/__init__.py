"""``doctor``: looks at a server from outside as its clients would, and at one's own from inside."""
