-- The ledger: a payment is a row that is never changed and never removed, not even with its account. There
-- is at most one for a quote, whose digest is kept after the quote itself is gone, so that a confirmation
-- which comes again finds what it led to. Like most tables this one declares no foreign keys.
CREATE TABLE payments (
    confirmation_number text NOT NULL PRIMARY KEY,
    quote_digest text NOT NULL UNIQUE,
    payer text NOT NULL,
    account_id text NOT NULL,
    user_id text,
    client_id text,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    balance_before_cents bigint NOT NULL,
    balance_after_cents bigint NOT NULL CHECK (balance_after_cents = balance_before_cents - amount_cents),
    payment_method_id text NOT NULL,
    brand text NOT NULL,
    last_four text NOT NULL CHECK (length(last_four) = 4),
    paid_at bigint NOT NULL
);
CREATE INDEX payments_by_account ON payments (account_id, paid_at);

-- A payment that was offered and waits to be confirmed. The token is kept as a digest only.
CREATE TABLE payment_quotes (
    quote_digest text NOT NULL PRIMARY KEY,
    payer text NOT NULL,
    account_id text NOT NULL,
    user_id text,
    client_id text,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    balance_cents bigint NOT NULL,
    payment_method_id text NOT NULL,
    brand text NOT NULL,
    last_four text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX payment_quotes_by_payer ON payment_quotes (payer, account_id);
CREATE INDEX payment_quotes_by_expiry ON payment_quotes (expires_at);

-- Guests whose account number or phone did not go with the ZIP code. Both who tried and what was tried are
-- digests: they are counted, not read.
CREATE TABLE guest_failures (
    holder_digest text NOT NULL,
    failed_at bigint NOT NULL,
    failures integer NOT NULL,
    PRIMARY KEY (holder_digest, failed_at)
);
CREATE INDEX guest_failures_by_time ON guest_failures (failed_at);
