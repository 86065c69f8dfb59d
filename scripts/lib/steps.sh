# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154
# Steps of a test run: each has a log file, a line of output and a place in the
# tally. Sourced; the caller sets $label (shown before each line), $logs (folder)
# and $tally (file with one line "passed failed skipped" for each step; what has failed
# is in $tally.failures).

count() {
	echo "$1 $2 $3" >> "$tally"
}

say() {
	echo "[$label] $*"
}

# The whole log goes out in one piece, as two runs may share the output.
show_log() {
	sed "s/^/[$label]   | /" "$1"
}

# step TITLE COMMAND...: returns 0 also on failure, so that one run shows all
# failures; the outcome is in $failed.
step() {
	title=$1
	shift
	log=$logs/$(echo "$title" | tr -cs 'a-z0-9\n' '-').log
	began=$(date +%s)
	failed=0
	# Not "if (...)": there the shell would ignore set -e inside the command.
	set +e
	(
		set -e
		"$@"
	) > "$log" 2>&1 < /dev/null
	status=$?
	set -e
	took=$(($(date +%s) - began))
	if [ "$status" -eq 0 ]; then
		say "ok      $title (${took} s)$(detail "$log")"
	else
		failed=1
		say "FAILED  $title (${took} s), status $status:"
		show_log "$log"
		list_failures "$title" "$log"
	fi
	tally_step "$log" "$failed"
}

# For the end of the run: the step, and the tests of pytest that have failed in it.
list_failures() {
	{
		say "FAILED  $1"
		sed -nE "s/^(FAILED|ERROR) /[$label]   &/p" "$2"
	} >> "$tally.failures"
}

# must TITLE COMMAND...: a step without which the others make no sense.
stopped=3
must() {
	step "$@"
	if [ "$failed" -ne 0 ]; then
		say "stopped: the other steps need this one"
		exit "$stopped"
	fi
}

# ended STATUS WHAT: the tally has the reason of a run that was stopped, but not
# that of one that died.
ended() {
	case $1 in
	0 | "$stopped") ;;
	*)
		say "FAILED  $2 ended with status $1" | tee -a "$tally.failures"
		count 0 1 0
		;;
	esac
}

# The closing line of pytest, if the log has one.
pytest_line() {
	tail -n 1 "$1" | grep -E '^=*[ 0-9]+(passed|failed|skipped|error).* in [0-9.]+s' || true
}

detail() {
	line=$(pytest_line "$1")
	[ -z "$line" ] || echo ": $line"
}

# number WORD LINE: the number that stands before WORD.
number() {
	found=$(echo "$2" | sed -nE "s/.*(^|[^0-9])([0-9]+) $1.*/\\2/p")
	echo "${found:-0}"
}

# A run of pytest counts as its tests, any other step as one.
tally_step() {
	line=$(pytest_line "$1")
	if [ -z "$line" ]; then
		count $((1 - $2)) "$2" 0
		return
	fi
	bad=$(($(number failed "$line") + $(number error "$line")))
	# pytest can fail without a failing test, for example when nothing was collected
	[ "$2" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
	count "$(number passed "$line")" "$bad" "$(number skipped "$line")"
}

# The summary of all the tally files: what has failed, "N passed, N failed", and the exit
# status.
summary() {
	for file; do
		[ ! -e "$file.failures" ] || cat "$file.failures"
	done
	cat "$@" 2> /dev/null | awk '
		{ passed += $1; failed += $2; skipped += $3 }
		END {
			printf "%d passed, %d failed", passed, failed
			if (skipped > 0)
				printf ", %d skipped", skipped
			print ""
			exit (failed > 0 || passed == 0)
		}'
}
