#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# doveconf loads the settings module with no other library of Dovecot than
# libdovecot: a symbol from elsewhere would make our settings unknown, and
# Dovecot does not start with unknown settings.
# Environment: SETTINGS_MODULE, DOVECOT_LIBDIR.
set -eu
LC_ALL=C
export LC_ALL

module=$(dirname "$SETTINGS_MODULE")/.libs/$(basename "$SETTINGS_MODULE" .la).so
needed=$(nm -D --undefined-only "$module" |
	sed -n -e '/@/d' -e 's/.* U //p' | sort)
known=$(nm -D --defined-only "$DOVECOT_LIBDIR/libdovecot.so" | sed 's/.* //; s/@.*//' | sort)

rc=0
for symbol in $needed; do
	if ! printf '%s\n' "$known" | grep -qx "$symbol"; then
		echo "$module needs $symbol, which libdovecot does not have"
		rc=1
	fi
done
exit $rc
