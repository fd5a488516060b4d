-- migrate:up
-- A sign-in that is under way at the provider; used up when the browser comes back.
CREATE TABLE oidc_sign_ins (
    state_hash bytea PRIMARY KEY,
    nonce text NOT NULL,
    code_verifier text NOT NULL,
    return_to text NOT NULL,
    -- Of the invitation that is accepted this way.
    invitation_token_hash bytea,
    expires_at timestamptz NOT NULL
);

-- Who somebody is at a provider: its name for them never changes, an e-mail address may.
CREATE TABLE user_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX user_identities_user ON user_identities (user_id);

-- migrate:down
