-- What happened to whom, from where; never a secret. Rows are numbered in the order of the writes, and
-- go in that order. There is no index but the number's, because every request that writes pays for each.

CREATE TABLE audit_log (
    id integer NOT NULL PRIMARY KEY,
    time bigint NOT NULL,
    event text NOT NULL,
    client_id text,
    user_id text,
    address text,
    grant_id text,
    detail text
);
