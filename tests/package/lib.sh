# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
# shellcheck shell=sh
# What the tests of packages share. Sourced by them, in a testbed.

packages=/testbed/packages
# shellcheck disable=SC2034
modules=/usr/lib/dovecot/modules
conf=/etc/dovecot/conf.d

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

heading() {
	echo
	echo "== $*"
}

is_23() {
	case $(dovecot --version) in
	2.3.*) return 0 ;;
	esac
	return 1
}

# ours NAME...: their files.
ours() {
	for name in "$@"; do
		echo "$packages/${name}"_[0-9]*.deb
	done
}

# install_debs FILE...: what they depend on must be there.
install_debs() {
	apt-get -y -o Dpkg::Use-Pty=0 --no-install-recommends --allow-downgrades \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$@"
}

# How often somebody wanted Dovecot restarted, since it was last asked.
restarts() {
	grep -Ec 'dovecot.*(start|reload)' /testbed/services || true
	: > /testbed/services
}

valid_configuration() {
	doveconf -n > /testbed/doveconf 2>&1 || {
		cat /testbed/doveconf
		fail "the configuration is not valid $*"
	}
}

restart_dovecot() {
	doveadm stop 2> /dev/null || true
	dovecot
}

# until_true COMMAND...: within two minutes.
until_true() {
	end=$(($(date +%s) + 120))
	until "$@"; do
		[ "$(date +%s)" -lt $end ] || fail "never true: $*"
		sleep 0.2
	done
}

# As systemctl does it.
timer=/etc/systemd/system/timers.target.wants/pop3-policy-retention.timer
enable_timer() {
	unit=$(dpkg -L dovecot-pop3-policy | grep '/pop3-policy-retention.timer$')
	mkdir -p "$(dirname $timer)"
	ln -s "$unit" $timer
}

# What was written, removed or added here, with what dpkg and the logs of
# installations are about left out. Folders of the machine count by what is in them.
snapshot() {
	cd /testbed/changes
	find . \( -path ./testbed -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/log \
		-o -path ./var/cache \) -prune -o -printf '%y %m %u %g %p %l\n' | sort > /testbed/list
	while read -r type mode owner group path target; do
		[ "$type" = d ] && [ -d "/testbed/machine/$path" ] ||
			echo "$type $mode $owner $group $path $target"
	done < /testbed/list
	find etc -type f -exec sha256sum {} + | sort -k 2
	cd /
}
