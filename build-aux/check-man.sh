#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# Formats the manual pages; a warning is an error.
# Environment: srcdir, MANUAL_PAGES (in it). Without groff it is skipped.
set -eu

command -v groff > /dev/null || exit 77
rc=0
for page in $MANUAL_PAGES; do
	warnings=$(groff -man -ww -Kutf8 -Tutf8 -z "${srcdir:-.}/$page" 2>&1) || rc=1
	if [ -n "$warnings" ]; then
		echo "$warnings"
		rc=1
	fi
done
exit $rc
