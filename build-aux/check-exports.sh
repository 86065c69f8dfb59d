#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# Compares what the built modules export with the list in exported-symbols.
# Environment: srcdir, MODULES (the modules that this build must have).
set -eu
LC_ALL=C
export LC_ALL

list=${srcdir:-.}/build-aux/exported-symbols
rc=0
for la in $MODULES; do
	module=$(basename "$la" .la).so
	file=$(dirname "$la")/.libs/$module
	allowed=$(sed -n "s/^$module //p" "$list" | sort)
	exported=$(nm -D --defined-only "$file" | sed 's/.* //' | sort)
	if [ -z "$exported" ] || [ "$exported" != "$allowed" ]; then
		echo "$file exports:" $exported
		echo "it should export:" $allowed
		rc=1
	fi
done
exit $rc
