# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
# shellcheck shell=sh
# Debian packages: installing them, and building ours. Sourced by the scripts.

DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND

release() {
	# shellcheck source=/dev/null
	. /etc/os-release
	echo "${VERSION_CODENAME:-unknown}"
}

need_debian_as_root() {
	if ! command -v apt-get > /dev/null || ! command -v dpkg > /dev/null; then
		echo "$0 needs Debian 12 or 13" >&2
		exit 2
	fi
	if [ "$(id -u)" -ne 0 ]; then
		echo "$0 installs packages: run it as root" >&2
		exit 2
	fi
}

# Another apt may be at work, for example unattended-upgrades.
apt() {
	apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
		-o APT::Install-Recommends=false -y "$@"
}

# install_build_packages SOURCE: what debian/control asks for.
install_build_packages() {
	apt install build-essential
	apt build-dep "$1"
}

# copy_sources CHECKOUT COPY: what is under version control or could be, so that
# a build inside the checkout does not reach the copy.
copy_sources() {
	mkdir -p "$2"
	if [ ! -e "$1/.git" ]; then
		(cd "$1" && tar -cf - .) | tar -xf - -C "$2" --no-same-owner
		return
	fi
	git -c safe.directory='*' -C "$1" ls-files -z --cached --others --exclude-standard |
		(cd "$1" && tar --null --ignore-failed-read -T - -cf - 2> /dev/null) |
		tar -xf - -C "$2" --no-same-owner
}

# install_our_packages FOLDER: those that were built there, also over equal versions.
install_our_packages() {
	apt install --reinstall --allow-downgrades "$1"/dovecot-auth-json_*.deb "$1"/dovecot-pop3-policy_*.deb
}
