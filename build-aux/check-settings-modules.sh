#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# doveconf loads the settings modules with no other library of Dovecot than
# libdovecot: a symbol from elsewhere would make our settings unknown, and
# Dovecot does not start with unknown settings.
# Environment: SETTINGS_MODULES, DOVECOT_LIBDIR.
set -eu
LC_ALL=C
export LC_ALL

known=$(nm -D --defined-only "$DOVECOT_LIBDIR/libdovecot.so" | sed 's/.* //; s/@.*//' | sort)
rc=0
for la in $SETTINGS_MODULES; do
	module=$(dirname "$la")/.libs/$(basename "$la" .la).so
	needed=$(nm -D --undefined-only "$module" | sed -n -e '/@/d' -e 's/.* U //p' | sort)
	for symbol in $needed; do
		if ! printf '%s\n' "$known" | grep -qx "$symbol"; then
			echo "$module needs $symbol, which libdovecot does not have"
			rc=1
		fi
	done
done
exit $rc
