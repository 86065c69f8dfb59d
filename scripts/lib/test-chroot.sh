#!/bin/sh
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
#
# test-chroot.sh SUITE MIRROR SOURCE WORKDIR
# Makes a chroot of SUITE in WORKDIR and runs test-machine.sh there. To be run in
# mount and process namespaces of its own: what it mounts and starts ends with it.
# shellcheck disable=SC1091,SC2034,SC2154,SC2317
set -eu

label=$1
mirror=$2
source=$3
work=$4
root=$work/root
logs=$work/log
tally=$work/tally
mkdir -p "$logs"

. "$source/scripts/lib/steps.sh"

# Proxies and the like that this machine needs to reach the mirror.
apt_settings() {
	apt-config dump |
		grep -E '^Acquire::(http|https|ftp)::|^Acquire::(Check|Retries|Force|Max)' || true
}

# Only the base: debootstrap cannot order the configuration of many packages.
bootstrap() {
	extra=
	case $mirror in
	https:*) extra=--include=ca-certificates ;;
	esac
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	if [ -n "${proxy:-}" ]; then
		http_proxy=$proxy
		export http_proxy
	fi
	# shellcheck disable=SC2086
	debootstrap --variant=minbase $extra "$label" "$root" "$mirror"
}

prepare() {
	mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	cp /etc/resolv.conf /etc/hosts "$root/etc/"
	apt_settings > "$root/etc/apt/apt.conf.d/90host"
	# A thrown-away system need not survive a power cut.
	echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	cp -R "$source" "$root/srv/source"
}

must "debootstrap" bootstrap
must "prepare the chroot" prepare
mkdir "$root/srv/result"
status=0
chroot "$root" env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 \
	sh /srv/source/scripts/lib/test-machine.sh /srv/source /srv/result || status=$?
cat "$root/srv/result/tally" >> "$tally"
[ ! -e "$root/srv/result/tally.failures" ] || cat "$root/srv/result/tally.failures" >> "$tally.failures"
ended "$status" "the run in the chroot"
