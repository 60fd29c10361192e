"""Which jobs are done: marks on the proxy's volume, beside the routes, as scripts keep them.

/slipway/done/<container id>    what `slipway.jobs` notes when it has seen the container succeed
"""

READ_MARK = """[ ! -f "done/$1" ] || cat "done/$1"
"""
"""Arguments: a container's id. Prints nothing where there is no mark."""

WRITE_MARK = """[ -f lease ] || exit 9
read -r token rest < lease
[ "$token" = "$1" ] || exit 9
id=$2; mark=$3; shift 3
mkdir -p done
echo "$mark" > mark.new
sync mark.new || true
mv -T mark.new "done/$id"
for old in done/*; do
  known=
  for name in "$id" "$@"; do [ "$old" != "done/$name" ] || known=1; done
  [ -n "$known" ] || rm -f "$old"
done
"""
"""Arguments: token, a container's id, its mark, then the ids of containers whose marks are kept.

The mark is on the disk when it gets its name: after a loss of power there is the whole of it, or
none, and without one the job runs again. Exit code 9: the lease is another's.
"""
