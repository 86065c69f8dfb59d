# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""A chroot with packages of Debian for each server that is compared: two of them cannot be in one system."""

import os
import platform
import shutil
import subprocess

PROXY = ("Acquire::http", "Acquire::https", "Acquire::Check", "Acquire::Retries", "Acquire::Force")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C",
               "DEBIAN_FRONTEND": "noninteractive"}


def release():
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def run_in(root, *command, text=None, user=None):
    """What it prints."""
    as_user = ["--userspec", user] if user else []
    return subprocess.run(["chroot", *as_user, root, *command], env=ENVIRONMENT, input=text or "", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def ids(root, user, group):
    """By numbers, as they are others than those of this system."""
    return int(run_in(root, "id", "-u", user)), int(run_in(root, "getent", "group", group).split(":")[2])


def mirror(label):
    """Where this system has its packages from."""
    names = subprocess.run(["apt-get", "indextargets", "--format", "$(LABEL)|$(CODENAME)|$(REPO_URI)",
                            "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    wanted = release() if label == "Debian" else release() + "-security"
    found = [line.split("|")[2] for line in names.splitlines() if line.split("|")[:2] == [label, wanted]]
    return found[0] if found else None


def write(path, text):
    with open(path, "w", encoding="ascii") as out:
        out.write(text)


def make_base(base):
    subprocess.run(["debootstrap", "--variant=minbase", release(), base, mirror("Debian")],
                   stdout=subprocess.DEVNULL, check=True)
    write(f"{base}/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
    os.chmod(f"{base}/usr/sbin/policy-rc.d", 0o755)
    write(f"{base}/etc/dpkg/dpkg.cfg.d/unsafe-io", "force-unsafe-io\n")
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", f"{base}/etc/{name}")
    config = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    write(f"{base}/etc/apt/apt.conf.d/90host",
          "".join(line + "\n" for line in config.splitlines() if line.startswith(PROXY)))
    security = mirror("Debian-Security")
    if security is not None:
        write(f"{base}/etc/apt/sources.list.d/security.list", f"deb {security} {release()}-security main\n")
    run_in(base, "apt-get", "-q", "update")


def make(folder, name, packages):
    """The path of the chroot. It is not made again if it is there."""
    base, root = os.path.join(folder, "base"), os.path.join(folder, name)
    if not os.path.exists(base):
        make_base(base + ".new")
        os.rename(base + ".new", base)
    if not os.path.exists(root):
        subprocess.run(["cp", "-a", base, root + ".new"], check=True)
        run_in(root + ".new", "apt-get", "-q", "-y", "--no-install-recommends", "install", *packages)
        os.rename(root + ".new", root)
    return root


def version(root, package):
    return run_in(root, "dpkg-query", "-W", "-f", "${Version}", package)


def with_run(root, script):
    """A command that runs the shell SCRIPT beside the chroot $1, whose /run is in memory as on a real system, and gone
    with the server."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
            'mount -t tmpfs -o mode=755 tmpfs "$1/run"\n' + script, "sh", root]
