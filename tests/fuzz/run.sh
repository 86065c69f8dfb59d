#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# run.sh SRCDIR SECONDS FUZZER...
# Runs the fuzzers in with-clang, as many at once as there are processors, each for so many
# seconds, on its corpus and on what earlier runs have found (with-clang/found). Goes on after
# one that has found something wrong, whose input it names, and fails at the end.
set -u

src=$(cd "$1" && pwd) seconds=$2
shift 2
cd with-clang || exit 2
# On a disk they would mostly wait.
[ ! -d /dev/shm ] || export TMPDIR="${TMPDIR:-/dev/shm}"

run() {
	corpus=$src/corpus/${1#fuzz-}
	mkdir -p "found/$1" || return
	if [ "$1" = pop3 ]; then
		PYTHONDONTWRITEBYTECODE=1 python3 "$src/pop3/fuzz.py" --plugin lib20_pop3_policy_plugin.so \
			--seconds "$seconds" --found "found/$1" "$corpus" "found/$1"
	else
		"./$1" -max_total_time="$seconds" -timeout=60 -print_final_stats=1 -artifact_prefix="wrong-$1-" \
			"found/$1" "$corpus"
	fi
}

look() {
	if run "$1" > "$1.log" 2>&1; then
		echo "$1: $(grep -E 'DONE|places reached' "$1.log")"
	else
		echo "$1" >> failed
		tail -n 60 "$1.log"
		echo "$1: failed, see $(pwd)/$1.log"
	fi
}

rm -f failed
at_once=$(nproc) begun=0
for fuzzer in "$@"; do
	look "$fuzzer" &
	begun=$((begun + 1))
	# all take the same time
	[ $((begun % at_once)) -ne 0 ] || wait
done
wait
[ ! -e failed ]
