-- name: begin_oidc
INSERT INTO oidc_sign_ins (state_hash, nonce, code_verifier, return_to, invitation_token_hash, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6));

-- name: end_oidc
-- Once only.
DELETE FROM oidc_sign_ins WHERE state_hash = $1 AND expires_at > now()
RETURNING nonce, code_verifier, return_to, invitation_token_hash;

-- name: forget_oidc
DELETE FROM oidc_sign_ins WHERE expires_at < now();

-- name: find_identity
SELECT users.id AS user_id, users.email
FROM user_identities JOIN users ON users.id = user_identities.user_id
WHERE user_identities.issuer = $1 AND user_identities.subject = $2;

-- name: link_identity
INSERT INTO user_identities (issuer, subject, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: drop_password
UPDATE users SET password_hash = NULL WHERE id = $1;

-- name: workspace_of_user
-- The one that the person opened last, or joined first.
SELECT workspace_id FROM memberships WHERE user_id = $1
ORDER BY opened_at DESC NULLS LAST, created_at, workspace_id
LIMIT 1;
