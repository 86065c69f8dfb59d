#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# doc/faq.md has each line that the code can log, and no other.
# Environment: srcdir. Without Python it is skipped.
set -eu

command -v python3 > /dev/null || exit 77
srcdir=${srcdir:-.}
exec python3 "$srcdir/build-aux/check-log-lines.py" "$srcdir/src" "$srcdir/doc/faq.md"
