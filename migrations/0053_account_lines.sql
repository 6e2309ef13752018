-- By what a guest can name an account. An account that was made before has none of these until its user
-- looks at it next.
ALTER TABLE accounts ADD COLUMN account_number text;
ALTER TABLE accounts ADD COLUMN phone text;
ALTER TABLE accounts ADD COLUMN zip_code text;
CREATE INDEX accounts_by_number ON accounts (account_number);
CREATE INDEX accounts_by_phone ON accounts (phone);

-- Whether the customer lets guests pay by this method.
ALTER TABLE payment_methods ADD COLUMN open_to_guests integer NOT NULL DEFAULT 0;

-- What an account has: a plan, and on it a device, or none.
CREATE TABLE account_lines (
    line_id text NOT NULL PRIMARY KEY,
    account_id text NOT NULL,
    position integer NOT NULL,
    plan_id text NOT NULL,
    device text,
    device_since text
);
CREATE INDEX account_lines_by_account ON account_lines (account_id, position);
