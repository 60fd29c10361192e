"""What is run in the ingress container, as shell scripts; see `slipway.proxy` for the files.

Each is run by `LOCKED`, but for `IN_FLIGHT`.
"""

from slipway.proxy import ADMIN, ROOT

LOCKED = f"""set -eu
mkdir -p {ROOT}/releases
cd {ROOT}
exec flock {ROOT}/lock sh -euc "$0" sh "$@"
"""
"""Runs the script in $0 with the volume locked, so that reading and writing are one step.

The scripts stop at the first command that fails. One that stands before `&&` would not stop them:
on a full disk, a switch that did nothing would count as done.
"""

ACQUIRE = """now=$(date +%s)
if [ -f lease ]; then
  token= expires= holder=
  # A machine that lost power may have left an empty file: that is no lease.
  read -r token expires holder < lease || true
  [ -n "$expires" ] || expires=0
  if [ "$token" != "$1" ] && [ "$token" != "$4" ] && [ "$now" -lt "$expires" ]; then
    echo "$token $((expires - now)) $holder"; exit 9
  fi
fi
echo "$1 $((now + $2)) $3" > lease.new
mv -T lease.new lease
"""
"""Arguments: token, seconds, holder, token that may be taken over. Exit code 9: held by another."""

RENEW = """[ -f lease ] || exit 9
read -r token expires holder < lease
[ "$token" = "$1" ] || exit 9
echo "$1 $(($(date +%s) + $2)) $holder" > lease.new
mv -T lease.new lease
"""
"""Arguments: token, seconds."""

RELEASE = """[ -f lease ] || exit 0
read -r token rest < lease
[ "$token" != "$1" ] || rm -f lease
"""
"""Arguments: token."""

OBSERVE = """readlink live || true
if [ -d live/ ]; then cd live/ && for f in *; do echo "$f $(cat "$f")"; done; fi
"""
"""Prints the name of the live route, then service and upstream, a line each."""

OPEN_CANDIDATES = """[ -f lease ] || exit 9
read -r token rest < lease
[ "$token" = "$1" ] || exit 9
key=$2; shift 2
rm -rf candidate.new
mkdir candidate.new
while [ $# -gt 1 ]; do echo "$2" > "candidate.new/$1"; shift 2; done
printf %s "$key" > candidate.new/.key
rm -rf candidate
mv -T candidate.new candidate
"""
"""Arguments: token, key, then service and upstream in pairs."""

CLOSE_CANDIDATE = """[ -f lease ] && [ -d candidate ] || exit 0
read -r token rest < lease
[ "$token" = "$1" ] || exit 0
printf %s "$2" > key.new
mv -T key.new candidate/.key
"""
"""Arguments: token, a key that nobody is told.

A missing key file would be an error in Caddy's log at every request.
"""

CHECK = """[ -f lease ] || exit 9
read -r token rest < lease
[ "$token" = "$1" ] || exit 9
[ $# -lt 2 ] || [ "$(readlink live || true)" = "$2" ] || exit 8
"""
"""Arguments: token, and the route that must be live if it matters. Exit codes as of SWITCH."""

SWITCH = """[ -f lease ] || exit 9
read -r token rest < lease
[ "$token" = "$1" ] || exit 9
[ "$(readlink live || true)" = "$2" ] || exit 8
previous=$2; target=$3; shift 3
if [ -z "$target" ]; then rm -f live; exit 0; fi
if [ $# -gt 0 ]; then
  rm -rf new
  mkdir new
  while [ $# -gt 1 ]; do echo "$2" > "new/$1"; shift 2; done
  sync new/* new || true
  rm -rf "$target"
  mv -T new "$target"
fi
ln -sfn "$target" live.new
mv -T live.new live
for old in releases/*; do
  [ "$old" = "$target" ] || [ "$old" = "$previous" ] || rm -rf "$old"
done
"""
"""Arguments: token, route seen at the start, new route, then service and upstream in pairs.

Without pairs the new route's folder must be there; an empty new route takes the live one away.
Exit code 8: the route is no longer the one that was seen. 9: the lease is another's.

What is renamed is on the disk by then, or a machine that loses power could come back with a route
to empty files. A proxy image without `sync` goes without.
"""

IN_FLIGHT = f"""url=http://{ADMIN}/reverse_proxy/upstreams
if command -v curl > /dev/null; then exec curl -fsS "$url"; fi
exec wget -qO- "$url"
"""
"""Prints Caddy's list of upstreams with the number of requests that each has in flight."""
