#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# The version is in configure.ac. What begins with it elsewhere must agree, and
# nothing else in the sources may have it, where it would be forgotten.
# Environment: srcdir, VERSION (of configure.ac), NAME (of the project).
set -eu
LC_ALL=C
export LC_ALL

cd "${srcdir:-.}"
rc=0
# agree FILE VERSION
agree() {
	if [ "$2" != "$VERSION" ]; then
		echo "$1 begins with version \"$2\", configure.ac is $VERSION"
		rc=1
	fi
}

agree NEWS.md "$(sed -n 's/^## //p' NEWS.md | head -n 1)"
# The tarball has no packaging of Debian.
[ ! -d debian ] ||
	agree debian/changelog "$(sed -n "1s/^$NAME (\\(.*\\)-[^-]*).*/\\1/p" debian/changelog)"
pattern="(^|[^0-9.])$(echo "$VERSION" | sed 's/\./[.]/g')([^0-9]|\$)"
if grep -rEnI --exclude='Makefile*' --exclude='*.log' "$pattern" README.md conf.d doc src systemd; then
	echo "the version stands in the lines above, too"
	rc=1
fi
exit $rc
