#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# build.sh TOP-SRCDIR CLANG CPPFLAGS LIBS FUZZER...
# Builds the fuzzers with libFuzzer and sanitizers into the folder with-clang.
set -eu

top=$(cd "$1" && pwd) clang=$2 cppflags=$3 libs=$4
shift 4
sanitizers="address,undefined -fno-sanitize=nonnull-attribute"
# The macros for hash tables say "const" twice.
cflags="-std=gnu99 -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined -Wno-duplicate-decl-specifier"

echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
	"$clang" -fsanitize=fuzzer -x c -o /dev/null - || {
	echo "make fuzz needs clang with libFuzzer (Debian packages: clang, libclang-rt-dev or libclang-rt-14-dev)" >&2
	exit 1
}

# What the fuzzers run must be instrumented, too.
units=''
for room in compat policy state credentials auth; do
	for unit in "$top/src/$room"/*.c; do
		case $unit in
		*/test-credential-use.c) units="$units $unit" ;;
		*/test-* | */compat-*) ;;
		*) units="$units $unit" ;;
		esac
	done
done

mkdir -p with-clang/units
# shellcheck disable=SC2086
for unit in $units; do
	"$clang" $cflags -fsanitize=fuzzer-no-link,$sanitizers $cppflags -c "$unit" \
		-o "with-clang/units/$(basename "$unit" .c).o"
done
rm -f with-clang/units.a
ar rcs with-clang/units.a with-clang/units/*.o
for fuzzer in "$@"; do
	# shellcheck disable=SC2086
	"$clang" $cflags -fsanitize=fuzzer,$sanitizers $cppflags -o "with-clang/$fuzzer" \
		"$top/tests/fuzz/$fuzzer.c" "$top/tests/fuzz/fuzz.c" with-clang/units.a $libs
	echo "made $(pwd)/with-clang/$fuzzer"
done
