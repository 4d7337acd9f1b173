# What the scenarios share; sourced, never run:  . "$(dirname "$0")/../lib.sh"
#
#   $COMITY  the program    $T  a folder of the scenario's own, removed at its end
#   ok WORDS                one claim holds
#   no WORDS                it does not: ends the scenario
#   ends STATUS WORDS COMMAND...   with this exit status, these words (grep) in $T/out or $T/err
#   home NAME [options]     comity init $T/NAME with party NAME; one slot a second
#   serve NAME              starts its node, waits until it is ready; its number is in $PID, its words in $T/NAME.log
#   stop [SIGNAL]           ends the node $PID; its exit status is in $STATUS
#   member FILE NAME...     prints one member of a JSON file
#   sanitized               whether the build carries a sanitizer
set -eu
COMITY=${1:-${COMITY:?which program? give its path}}
T=$(mktemp -d)
PIDS=
unset COMITY_HOME || true
claims=0

finish() {
	status=$?
	trap - EXIT
	for p in $PIDS; do kill -9 "$p" 2>/dev/null || true; done
	wait || true
	rm -rf "$T"
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

ok() { claims=$((claims + 1)); echo "ok $claims - $1"; }
no() {
	echo "not ok - $1" >&2
	for f in "$T"/*.log; do [ -s "$f" ] && { echo "--- $f" >&2; tail -n 5 "$f" >&2; }; done
	exit 1
}
skip() { echo "skipped: $1"; exit 77; }
ends() {
	want=$1; words=$2; shift 2; got=0
	"$@" >"$T/out" 2>"$T/err" </dev/null || got=$?
	[ $got = "$want" ] || { cat "$T/err" >&2; no "exit status $got instead of $want: $*"; }
	cat "$T/out" "$T/err" | grep -q -e "$words" || { cat "$T/err" >&2; no "not a word of \"$words\": $*"; }
}
home() {
	party=$1; shift
	"$COMITY" init "$T/$party" --party "$party" --name "Party $party" --exercise --fictional --set slot_ms=1000 "$@" >/dev/null
}
serve() {
	: >"$T/$1.log"
	"$COMITY" serve --home "$T/$1" >>"$T/$1.log" 2>&1 </dev/null &
	PID=$!
	PIDS="$PIDS $PID"
	until grep -q 'event=ready' "$T/$1.log"; do
		kill -0 "$PID" 2>/dev/null || no "the node of $1 did not start"
		sleep 0.05
	done
}
stop() {
	STATUS=0
	kill "-${1:-TERM}" "$PID"
	wait "$PID" || STATUS=$?
	rest=
	for p in $PIDS; do [ "$p" = "$PID" ] || rest="$rest $p"; done
	PIDS=$rest
}
member() { python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for name in sys.argv[2:]: v = v[name]
print(v)' "$@"; }
sanitized() { [ "${COMITY_SANITIZE:-none}" != none ]; }
