#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# lint.sh SRCDIR CPPCHECK CLANG-TIDY CPPFLAGS FILE...
# Fails when one of the two checkers finds something in the .c files among FILE.
set -eu

srcdir=$1 cppcheck=$2 clang_tidy=$3 cppflags=$4
shift 4

# The unit tests are for clang-tidy only: they use macros of test-common.h that
# take an operator as an argument, which cppcheck cannot know.
units='' tests=''
for f in "$@"; do
	case $f in
	test-*.c) tests="$tests $srcdir/$f" ;;
	*.c) units="$units $srcdir/$f" ;;
	esac
done
[ -n "$units$tests" ] || exit 0

for tool in "$cppcheck" "$clang_tidy"; do
	command -v "$tool" > /dev/null || {
		echo "make lint needs $tool (Debian packages: cppcheck, clang-tidy)" >&2
		exit 1
	}
done

# cppcheck sees our own headers only: those of Dovecot would make it guess at every #ifdef.
own=''
for flag in $cppflags; do
	case $flag in
	-I*/src/*) own="$own $flag" ;;
	esac
done

echo "lint: $srcdir"
[ -z "$units" ] || "$cppcheck" --quiet --error-exitcode=1 --inline-suppr --std=c99 \
	--enable=warning,performance,portability \
	--suppress=normalCheckLevelMaxBranches -DATTR_UNUSED= '-DT_BEGIN={' '-DT_END=}' $own $units
"$clang_tidy" --quiet --warnings-as-errors='*' $units $tests -- -std=gnu99 $cppflags
