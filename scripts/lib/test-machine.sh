#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# test-machine.sh SOURCE WORKDIR
# Builds and tests a clean copy of the sources on this machine, be it the host or
# a chroot. Leaves logs and a tally in WORKDIR.
# To be run in a mount namespace of its own.
# shellcheck disable=SC1091,SC2034,SC2154,SC2317
set -eu

source=$1
work=$2
logs=$work/log
tally=$work/tally
mkdir -p "$logs"

# so that the last lines of pytest say why a test has failed
COLUMNS=300
export COLUMNS

. "$source/scripts/lib/packages.sh"
. "$source/scripts/lib/steps.sh"
label=$(release)

test_packages="curl dovecot-imapd dovecot-lmtpd dovecot-pgsql dovecot-pop3d dpkg-repack faketime fetchmail getmail6
	git groff-base iproute2 lintian locales mpop netcat-openbsd postfix postgresql procps prometheus python3
	python3-jsonschema python3-pytest python3-pytest-xdist redis-server strace valgrind"
# on Debian 12 only
lint_packages="clang-tidy cppcheck"
fuzz_packages="clang libclang-rt-dev"

install_packages() {
	packages=$test_packages
	[ "$label" != bookworm ] || packages="$packages $lint_packages $fuzz_packages"
	apt update
	install_build_packages "$source"
	# tests bring all of its configuration
	echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
	# a machine that has another mail server keeps it, and cannot run these tests
	# shellcheck disable=SC2086
	without_services apt install --no-remove $packages
}

# Tests start what they need themselves: nothing may run because it is installed.
# What runs on this machine goes on, and what its admin says about services stays.
without_services() {
	cluster=/etc/postgresql-common/createcluster.conf
	if [ ! -e "$cluster" ]; then
		mkdir -p "${cluster%/*}"
		echo "create_main_cluster = false" > "$cluster"
	fi
	policy=/usr/sbin/policy-rc.d
	if [ -e "$policy" ]; then
		"$@"
		return
	fi
	trap 'rm -f "$policy"; exit 143' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' > "$policy"
	chmod 755 "$policy"
	status=0
	"$@" || status=$?
	rm "$policy"
	trap - INT TERM HUP
	return "$status"
}

# Of each process whose clock is faked a file stays there, named by its process id: the
# other machine has the same ids.
own_shared_memory() {
	mount -t tmpfs -o mode=1777 none /dev/shm
}

# build NAME CONFIGURE-OPTION...: in a folder of its own, outside the sources.
build() {
	mkdir "$work/$1"
	cd "$work/$1"
	shift
	"$source/configure" "$@"
	make V=0 -j2
}

check() {
	cd "$work/$1"
	make V=0 -j2 check VERBOSE=1
}

# In place, as the README and Debian build it; all others are built outside the sources.
build_it() {
	cp -a "$source" "$work/werror"
	cd "$work/werror"
	./configure --enable-werror
	make V=0 -j2
}

unit_tests() {
	check werror
}

sanitizers() {
	build sanitizers --enable-werror --enable-sanitizers
	check sanitizers
}

simulation() {
	make -C "$work/werror" -s simulation SIMULATION_FLAGS="--users 1000,10000 --rounds 4"
}

fuzzing() {
	make -C "$work/werror" -s fuzz FUZZ_SECONDS=30
}

lint() {
	make -C "$work/werror" lint
}

# Valgrind has just looked at the same tests.
distcheck() {
	NOVALGRIND=1 make -C "$work/werror" V=0 -j2 distcheck
}

# From the tarball that was made, so that a file that it lacks is found here.
# Its unit tests have just run in distcheck.
package() {
	make -C "$work/werror" dist
	version=$(cd "$source" && dpkg-parsechangelog -S Version)
	upstream=${version%-*}
	mkdir "$work/package"
	cd "$work/package"
	cp "$work/werror/dovecot-pop3-policy-$upstream.tar.gz" \
		"dovecot-pop3-policy_$upstream.orig.tar.gz"
	tar -xf "dovecot-pop3-policy_$upstream.orig.tar.gz"
	cp -R "$source/debian" "dovecot-pop3-policy-$upstream/"
	cd "dovecot-pop3-policy-$upstream"
	DEB_BUILD_OPTIONS="nocheck parallel=2" dpkg-buildpackage -us -uc
}

check_package() {
	cd "$work/package"
	# The Standards-Version is that of Debian 12, as one source is for both.
	lintian --allow-root --info --display-info --pedantic --suppress-tags out-of-date-standards-version \
		--fail-on error,warning,info,pedantic ./*.changes
}

reproducible() {
	"$source/tests/package/reproducible" "$work"/package/*.dsc "$work/reproducible"
}

# in_testbed TEST: one of tests/package, in a throw-away copy of this machine.
in_testbed() {
	"$source/tests/package/testbed" "$source" "$work/package" "/testbed/source/tests/package/$1"
}

autopkgtest() {
	"$source/tests/package/autopkgtest" "$source" "$work/package"
}

install_it() {
	install_our_packages "$work/package"
}

# In two processes, as a test waits for others half of its time.
integration() {
	cd "$source/tests/integration"
	PYTHONDONTWRITEBYTECODE=1 python3 -m pytest -q -p no:cacheprovider -n 2 --dist loadfile --durations=10 .
}

# A share of them; doc/testing.md says how to try all.
faults() {
	cd "$source/tests/fault"
	PYTHONDONTWRITEBYTECODE=1 python3 -m pytest -q -p no:cacheprovider --durations=5 .
}

# A part of the integration tests once more: sessions and doveadm with the sanitizers, and
# fewer under valgrind, which takes much longer.
under_sanitizers() {
	cd "$source/tests/integration"
	PYTHONDONTWRITEBYTECODE=1 python3 -m pytest -q -p no:cacheprovider -n 2 --dist loadfile --under=sanitizers \
		--build="$work/sanitizers" test_poll.py test_state_damage.py test_login_delay_damage.py \
		test_credentials_beside.py test_broken_message.py test_view.py
}

under_valgrind() {
	cd "$source/tests/integration"
	PYTHONDONTWRITEBYTECODE=1 python3 -m pytest -q -p no:cacheprovider -n 2 --dist loadfile --under=valgrind --one-each \
		test_poll.py test_quota_session.py test_uidl_returned.py
}

coverage() {
	make -C "$work/werror" -s -j2 coverage
}

model() {
	cd "$source/tests/model"
	PYTHONDONTWRITEBYTECODE=1 python3 -m pytest -q -p no:cacheprovider .
}

benchmark() {
	"$source/tests/bench/run"
}

soak() {
	"$source/tests/soak/run" --seed 2
}

must "install packages" install_packages
must "shared memory" own_shared_memory
must "autoreconf" autoreconf -i "$source"
must "build" build_it
step "unit tests" unit_tests
step "simulation" simulation
[ "$failed" -ne 0 ] || show_log "$log"
step "unit tests with sanitizers" sanitizers
step "distcheck" distcheck
must "package" package
step "lintian" check_package
step "package: built again" reproducible
step "package: installed, removed, purged" in_testbed install
step "package: upgraded" in_testbed upgrade
step "package: Dovecot is updated" in_testbed dovecot-update
step "package: modules of another ABI" in_testbed other-abi
step "package: autopkgtest" autopkgtest
step "demo" in_testbed demo
must "install the package" install_it
step "benchmark" benchmark
[ "$failed" -ne 0 ] || show_log "$log"
step "integration tests" integration
step "faults of each call" faults
step "soak" soak
[ "$failed" -ne 0 ] || show_log "$log"
step "integration tests with sanitizers" under_sanitizers
step "integration tests under valgrind" under_valgrind
step "random histories" model
# At the end: the run in the chroot has ended by then, and left its processors to these.
if [ "$label" = bookworm ]; then
	step "lint" lint
	step "fuzzing" fuzzing
	[ "$failed" -ne 0 ] || show_log "$log"
	step "coverage" coverage
fi
