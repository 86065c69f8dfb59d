#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# build.sh TOP-SRCDIR CLANG CPPFLAGS LIBS DOVECOT-LINE FUZZER...
# Builds the fuzzers with libFuzzer and sanitizers into the folder with-clang, and
# for the fuzzer of sessions a plugin that counts where it was.
set -eu

top=$(cd "$1" && pwd) clang=$2 cppflags=$3 libs=$4 line=$5
shift 5
undefined="undefined -fno-sanitize=nonnull-attribute"
# The macros for hash tables say "const" twice.
cflags="-std=gnu99 -g -O1 -fno-omit-frame-pointer -Wno-duplicate-decl-specifier"
asan="-fsanitize=address,$undefined -fno-sanitize-recover=undefined"
# pop3 itself is not built with sanitizers: what is undefined ends it by itself.
traps="-fPIC -ffunction-sections -fsanitize=$undefined -fsanitize-trap=undefined
	-fsanitize-coverage=inline-8bit-counters"

echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
	"$clang" -fsanitize=fuzzer -x c -o /dev/null - || {
	echo "make fuzz needs clang with libFuzzer (Debian packages: clang, libclang-rt-dev or libclang-rt-14-dev)" >&2
	exit 1
}

# units ROOM...: the sources of these rooms, without those of tests and other lines.
units() {
	for room in "$@"; do
		for unit in "$top/src/$room"/*.c; do
			case $unit in
			*/test-* | *-2.[0-9].c | */compat-passdb.c | */compat-password.c | */compat-dict.c) ;;
			*/*passdb-* | */auth-json-settings-* | */*settings-module.c) ;;
			*/pop3-policy-settings-info.c) [ "$line" = 2.3 ] || echo "$unit" ;;
			*) echo "$unit" ;;
			esac
		done
	done
}

# compile FOLDER FLAGS < units
compile() {
	mkdir -p "$1"
	# shellcheck disable=SC2016
	xargs -n 1 -P "$(nproc)" sh -c '"$1" $2 $3 -c "$5" -o "$4/$(basename "$5" .c).o"' \
		compile "$clang" "$cflags $2" "$cppflags" "$1"
}

# What the fuzzers run must be instrumented, too, and what they share with unit
# tests; the dict is that of the tests.
{
	units policy state credentials auth dict | grep -v -e /dict-kv.c -e /dict-clock.c
	for unit in compat/compat compat/compat-user-vars credentials/test-credential-use state/test-home dict/test-kv \
		settings/pop3-policy-settings-check settings/pop3-policy-setting-names maildrop/search-query \
		doveadm/uidl-list-file; do
		echo "$top/src/$unit.c"
	done
} | compile with-clang/units "-fsanitize=fuzzer-no-link $asan"
rm -f with-clang/units.a
ar rcs with-clang/units.a with-clang/units/*.o
for fuzzer in "$@"; do
	# shellcheck disable=SC2086
	"$clang" $cflags -fsanitize=fuzzer $asan $cppflags -o "with-clang/$fuzzer" \
		"$top/tests/fuzz/$fuzzer.c" "$top/tests/fuzz/fuzz.c" "$top/tests/fuzz/fuzz-home.c" \
		with-clang/units.a $libs
	echo "made $(pwd)/with-clang/$fuzzer"
done

{
	units compat policy state settings maildrop fast-polls retention plugin
	echo "$top/src/settings/pop3-policy-settings-$line.c"
} | compile with-clang/plugin "$traps"
"$clang" -O1 -fPIC -c "$top/tests/fuzz/pop3/coverage.c" -o with-clang/plugin/coverage.o
# shellcheck disable=SC2086
"$clang" -shared -Wl,--gc-sections -o with-clang/lib20_pop3_policy_plugin.so with-clang/plugin/*.o $libs
echo "made $(pwd)/with-clang/lib20_pop3_policy_plugin.so"
