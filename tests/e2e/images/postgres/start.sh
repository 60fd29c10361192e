#!/bin/sh
# Makes the cluster if there is none, with the user and database that the environment names.
set -eu
user=${POSTGRES_USER:-postgres}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    secret=$(mktemp)
    printf '%s\n' "${POSTGRES_PASSWORD:?a database without a password is open to all}" > "$secret"
    initdb --username="$user" --pwfile="$secret" --auth-host=scram-sha-256 --encoding=UTF8 > /dev/null
    rm -f "$secret"
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses=''" start
    database=${POSTGRES_DB:-$user}
    [ "$database" = postgres ] || createdb --username="$user" "$database"
    pg_ctl --wait --mode=fast stop
fi
exec postgres -c listen_addresses='*' "$@"
