#!/bin/sh
# Makes the cluster and the database that the environment names, once, then becomes the server.
set -eu
# The first process of a container ignores signals unless it says what to do. Between two steps it
# may go at any time: the next start takes up what is missing.
trap 'exit 143' TERM
trap 'exit 130' INT

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
made=$PGDATA/made

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    secret=$(mktemp)
    printf '%s\n' "${POSTGRES_PASSWORD:?a database without a password is open to all}" > "$secret"
    initdb --username="$user" --pwfile="$secret" --auth-host=scram-sha-256 --encoding=UTF8 > /dev/null
    rm -f "$secret"
fi
if [ ! -e "$made" ]; then
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses=''" start
    if ! psql --username="$user" --dbname="$database" --command='' 2> /dev/null; then
        createdb --username="$user" --maintenance-db=postgres "$database"
    fi
    pg_ctl --wait --mode=fast stop
    touch "$made"
fi
# Like the official image: the command may begin with the program's name, or hold options only.
[ "${1:-}" != postgres ] || shift
exec postgres -c listen_addresses='*' "$@"
