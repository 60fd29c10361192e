"""The ingress as data: Caddy's configuration, and where its routes are kept.

Caddy's configuration never changes with a release: a reload of it loses requests and cuts
WebSockets. The upstream is read from a file at each request, and the switch is an atomic rename
on a volume:

    /slipway/live            -> releases/<route>, one folder for all services
    /slipway/live/<service>  container:port that gets the public traffic
    /slipway/candidate/<service>, /slipway/candidate/key
                             container:port that gets the requests with the right key; between
                             two gates nobody knows the key
    /slipway/lease           who is at the gate

`caddy_config` and the scripts below are values; `slipway.ingress` carries them out.
"""

from typing import Any

from slipway.canonical import SHORT, digest

ROOT = "/slipway"
CONFIG_FILE = "/etc/caddy/slipway.json"
PUBLIC_PORT = 8080
"""The port on which Caddy listens inside its container."""
KEY_HEADER = "X-Slipway-Candidate"
KEY_PREFIX = "gate-"
ADMIN = "127.0.0.1:2019"


def caddy_config(service: str) -> dict[str, Any]:
    """Caddy's configuration for a stack whose public traffic goes to `service`.

    See https://caddyserver.com/docs/json/.
    """
    # The prefix: a key file that is missing for an instant must not match an empty header.
    key = f"{KEY_PREFIX}{{file.{ROOT}/candidate/key}}"
    candidate = {
        "match": [{"header": {KEY_HEADER: [key]}}],
        "handle": [_proxy_to("candidate", service, {KEY_HEADER: [key]})],
        "terminal": True,
    }
    # A connection that could not be made is tried again, and the file read again: a request that
    # looked the old container up just before it stopped goes to the new one. The candidate gets
    # no second try, so that its failures are seen at once.
    retry = {"load_balancing": {"try_duration": "2s", "try_interval": "100ms"}}
    public = {"handle": [_proxy_to("live", service, {}) | retry]}
    server = {
        "listen": [f":{PUBLIC_PORT}"],
        "routes": [candidate, public],
        "automatic_https": {"disable": True},
        "errors": {"routes": [{"handle": [_error_page()]}]},
    }
    return {
        "admin": {"listen": ADMIN},
        "logging": {"logs": {"default": {"level": "WARN"}}},
        "apps": {"http": {"grace_period": "30s", "servers": {"public": server}}},
    }


def settings_id(service: str, image: str, port: int, bind: str) -> str:
    """A name for all that an ingress container is made from, to see whether one has it."""
    settings = {"config": caddy_config(service), "image": image, "port": port, "bind": bind}
    return digest(settings)[:SHORT]


def _proxy_to(folder: str, service: str, echo: dict[str, list[str]]) -> dict[str, Any]:
    """A proxy to the upstream in a file.

    `echo` is set on answers: it proves to the gate that the candidate gave them, and not another
    stack, another machine or a cache on the way.
    """
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{{file.{ROOT}/{folder}/{service}}}"}],
        # The key never reaches an application, not even a wrong one.
        "headers": {
            "request": {"delete": [KEY_HEADER]},
            "response": {"set": echo} if echo else {"delete": [KEY_HEADER]},
        },
    }


def _error_page() -> dict[str, Any]:
    return {
        "handler": "static_response",
        "status_code": "{http.error.status_code}",
        "body": "The application does not answer ({http.error.status_code}).\n",
        "headers": {"Content-Type": ["text/plain; charset=utf-8"], "Server": ["slipway"]},
    }


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

OPEN_CANDIDATE = """[ -f lease ] || exit 9
read -r token rest < lease
[ "$token" = "$1" ] || exit 9
rm -rf candidate.new
mkdir candidate.new
echo "$3" > "candidate.new/$2"
printf %s "$4" > candidate.new/key
rm -rf candidate
mv -T candidate.new candidate
"""
"""Arguments: token, service, upstream, key."""

CLOSE_CANDIDATE = """[ -f lease ] && [ -d candidate ] || exit 0
read -r token rest < lease
[ "$token" = "$1" ] || exit 0
printf %s "$2" > key.new
mv -T key.new candidate/key
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
