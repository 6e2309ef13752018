-- Sessions of the MCP revisions that begin with a handshake, so that they go on after a restart: who opened
-- it, and what was settled then. last_event is the highest number that the session has given to anything,
-- so that none is given twice; count and bytes are of its events, and rather too high than too low.
CREATE TABLE mcp_sessions (
    session_digest text NOT NULL PRIMARY KEY,
    client_id text,
    user_id text,
    protocol_version text NOT NULL,
    client_params text NOT NULL,
    created_at bigint NOT NULL,
    used_at bigint NOT NULL,
    last_event bigint NOT NULL,
    event_count bigint NOT NULL,
    event_bytes bigint NOT NULL
);
CREATE INDEX mcp_sessions_by_use ON mcp_sessions (used_at);

-- What was sent on the event streams of a session, for clients that come back for the rest. A stream begins
-- with an event without a message, numbered as the stream is; stream 0 is what still waits for one. An
-- answer to a POST owes its requests, by their ids, and ends with a final event.
CREATE TABLE mcp_events (
    session_digest text NOT NULL,
    event bigint NOT NULL,
    stream bigint NOT NULL,
    message text,
    owed text,
    final integer NOT NULL CHECK (final IN (0, 1)),
    size bigint NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (session_digest, event)
);
CREATE INDEX mcp_events_by_age ON mcp_events (created_at, size);
