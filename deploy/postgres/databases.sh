#!/bin/sh
# Makes the three databases, each owned by a role of its own: no service can read another's tables.
set -eu
for name in integrations invoicing gateway; do
  eval "password=\$$(printf '%s' "$name" | tr '[:lower:]' '[:upper:]')_PASSWORD"
  psql --username postgres --set ON_ERROR_STOP=1 --set name="$name" --set password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
