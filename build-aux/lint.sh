#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# lint.sh SRCDIR CPPCHECK CLANG-TIDY CC CPPFLAGS FILE...
# Fails when one of the checkers finds something in the .c files among FILE: cppcheck,
# clang-tidy and, where CC is gcc, its -fanalyzer.
set -eu

srcdir=$1 cppcheck=$2 clang_tidy=$3 cc=$4 cppflags=$5
shift 5

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

# What it must know of Dovecot's macros, or it leaves out the file: how they end, and what they
# set. "information" is what tells of a file that is left out.
macros=$(mktemp)
trap 'rm -f "$macros"' EXIT
cat > "$macros" << 'EOF'
#define ATTR_UNUSED
#define ATTR_FORMAT(format, first)
#define DOVECOT_PREREQ(major, minor, micro) 0
#define T_BEGIN do
#define T_END while (0)
#define T_END_PASS_STR_IF(condition, text) while (0)
#define ARRAY(type) struct { type *elements; }
#define ARRAY_TYPE(name) struct array_of_##name
#define ARRAY_DEFINE_TYPE(name, type) ARRAY_TYPE(name) { type *elements; }
#define array_foreach(array, element) \
	for ((element) = array_front(array); (element) != array_end(array); (element)++)
#define array_foreach_modifiable(array, element) array_foreach(array, element)
#define HASH_TABLE(key, value) struct { key _key; value _value; }
#define HASH_TABLE_TYPE(name) struct hash_of_##name
#define HASH_TABLE_DEFINE_TYPE(name, key, value) \
	HASH_TABLE_TYPE(name) { key _key; value _value; }
#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define I_MIN(a, b) ((a) < (b) ? (a) : (b))
#define I_MAX(a, b) ((a) > (b) ? (a) : (b))
#define i_zero(pointer) memset((pointer), 0, sizeof(*(pointer)))
#define i_assert(condition) do { if (!(condition)) abort(); } while (0)
#define i_unreached() abort()
#define MODULE_CONTEXT_DEFINE_INIT(name, registry) int name
#define DOVEADM_CMD_PARAMS_START .parameters = {
#define DOVEADM_CMD_MAIL_COMMON { 0 },
#define DOVEADM_CMD_PARAM(letter, name, type, flags) { letter, name },
#define DOVEADM_CMD_PARAMS_END { 0 } },
EOF

echo "lint: $srcdir"
[ -z "$units" ] || "$cppcheck" --quiet --error-exitcode=1 --inline-suppr --std=c99 \
	--enable=warning,performance,portability,information \
	--suppress=normalCheckLevelMaxBranches --suppress=unmatchedSuppression \
	--suppress=missingInclude --suppress=missingIncludeSystem \
	--include="$macros" $own $units
# shellcheck disable=SC2086
printf '%s\n' $units $tests | xargs -P "$(nproc)" -I '{}' \
	"$clang_tidy" --quiet --warnings-as-errors='*' '{}' -- -std=gnu99 $cppflags

# It follows what it compiles, so it needs the optimizer to see through small functions.
if [ -n "$units" ] && "$cc" -fanalyzer -x c -c -o /dev/null /dev/null 2> /dev/null; then
	# shellcheck disable=SC2086
	printf '%s\n' $units | xargs -P "$(nproc)" -I '{}' \
		"$cc" -std=gnu99 $cppflags -O2 -fanalyzer -Werror -c -o /dev/null '{}'
fi
