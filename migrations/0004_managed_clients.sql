-- A client manages its own registration with a token (RFC 7592); the digest is null for clients that
-- registered before there were such tokens, and for those that the operator created.
ALTER TABLE clients ADD COLUMN registration_digest text;

-- Who made the row: 'client', by registering itself, or 'operator'. Only the former are collected.
ALTER TABLE clients ADD COLUMN created_by text NOT NULL DEFAULT 'client';

CREATE INDEX clients_by_operator ON clients (client_id) WHERE created_by = 'operator';
