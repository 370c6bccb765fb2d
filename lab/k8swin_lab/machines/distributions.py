"""The Linux distributions of the lab: what tells a fresh Debian 12 and a fresh Ubuntu 18.04 apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """One release of a distribution, as its installer leaves a server."""

    codename: str
    os_release: str
    sources: str  # of /etc/apt/sources.list
    key_path: str  # where the key that signs the archive is, below /
    key: str  # its number
    versions: dict[str, str]  # files of /etc that hold a version, by path below /
    kernel: str  # what `uname -r` prints
    kernel_version: str  # what `uname -v` prints
    kernel_builder: str
    cgroup: str  # "v1" or "v2"
    systemd: str
    dpkg: str
    packages: str  # "name version [architecture]", separated by | or line ends
    programs: tuple[tuple[str, str], ...] = ()  # path and version of programs beyond the usual

    @property
    def fields(self) -> dict[str, str]:
        """The fields of os-release."""
        pairs = (line.partition("=") for line in self.os_release.splitlines())
        return {key: value.strip('"') for key, _, value in pairs}

    @property
    def pretty(self) -> str:
        return self.fields["PRETTY_NAME"]


BOOKWORM = Distribution(
    codename="bookworm",
    os_release="""\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
""",
    sources="""\
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
""",
    key_path="etc/apt/trusted.gpg.d/debian-archive-bookworm-automatic.asc",
    key="0E98404D386FA1D9",
    versions={"etc/debian_version": "12.12\n"},
    kernel="6.1.0-41-amd64",
    kernel_version="#1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09)",
    kernel_builder="debian-kernel@lists.debian.org",
    cgroup="v2",
    systemd="252",
    dpkg="1.21.22",
    packages="""\
adduser 3.134 all|apt 2.6.1|base-files 12.4+deb12u12|base-passwd 3.6.1|bash 5.2.15-2+b8
bsdutils 1:2.38.1-5+deb12u3|ca-certificates 20230311+deb12u1 all|coreutils 9.1-1|cron 3.0pl1-162
curl 7.88.1-10+deb12u15|dbus 1.14.10-1~deb12u1|debian-archive-keyring 2023.3+deb12u2 all|dpkg 1.21.22
findutils 4.9.0-4|gpg 2.2.40-1.1+deb12u2|gpgv 2.2.40-1.1+deb12u2|grep 3.8-5|gzip 1.12-1
hostname 3.23+nmu1|ifupdown 0.8.41|init 1.65.2|iproute2 6.1.0-3|iputils-ping 3:20221126-1+deb12u1
kmod 30+20221128-1|libc6 2.36-9+deb12u13|libseccomp2 2.5.4-1+deb12u1|libssl3 3.0.17-1~deb12u3
linux-image-amd64 6.1.153-1|login 1:4.13+dfsg1-1+deb12u1|mount 2.38.1-5+deb12u3
openssh-server 1:9.2p1-2+deb12u7|openssl 3.0.17-1~deb12u3|passwd 1:4.13+dfsg1-1+deb12u1
procps 2:4.0.2-3|sed 4.9-1|sudo 1.9.13p3-1+deb12u2|systemd 252.39-1~deb12u1|tar 1.34+dfsg-1.2+deb12u1
tzdata 2025b-0+deb12u1 all|util-linux 2.38.1-5+deb12u3|wget 1.21.3-1+deb12u1|xz-utils 5.4.1-1
zlib1g 1:1.2.13.dfsg-1""",
)

BIONIC = Distribution(
    codename="bionic",
    os_release="""\
NAME="Ubuntu"
VERSION="18.04.6 LTS (Bionic Beaver)"
ID=ubuntu
ID_LIKE=debian
PRETTY_NAME="Ubuntu 18.04.6 LTS"
VERSION_ID="18.04"
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
PRIVACY_POLICY_URL="https://www.ubuntu.com/legal/terms-and-policies/privacy-policy"
VERSION_CODENAME=bionic
UBUNTU_CODENAME=bionic
""",
    sources="""\
deb http://archive.ubuntu.com/ubuntu bionic main restricted
deb http://archive.ubuntu.com/ubuntu bionic-updates main restricted
deb http://archive.ubuntu.com/ubuntu bionic universe
deb http://archive.ubuntu.com/ubuntu bionic-updates universe
deb http://security.ubuntu.com/ubuntu bionic-security main restricted
deb http://security.ubuntu.com/ubuntu bionic-security universe
""",
    key_path="etc/apt/trusted.gpg.d/ubuntu-keyring-2012-archive.asc",
    key="3B4FE6ACC0B21F32",
    versions={
        "etc/debian_version": "buster/sid\n",
        "etc/lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=18.04\nDISTRIB_CODENAME=bionic\n"
        'DISTRIB_DESCRIPTION="Ubuntu 18.04.6 LTS"\n',
    },
    kernel="4.15.0-213-generic",
    kernel_version="#224-Ubuntu SMP Mon Jun 19 13:30:12 UTC 2023",
    kernel_builder="buildd@lcy02-amd64-079",
    cgroup="v1",
    systemd="237",
    dpkg="1.19.0.5",
    packages="""\
adduser 3.116ubuntu1 all|apt 1.6.17|base-files 10.1ubuntu2.12|base-passwd 3.5.44|bash 4.4.18-2ubuntu1.3
bsdutils 1:2.31.1-0.4ubuntu3.7|ca-certificates 20230311ubuntu0.18.04.1 all|coreutils 8.28-1ubuntu1
cron 3.0pl1-128.1ubuntu1.2|curl 7.58.0-2ubuntu3.24|dbus 1.12.2-1ubuntu1.4|dpkg 1.19.0.5ubuntu2.4
ebtables 2.0.10.4-3.5ubuntu2.18.04.3|ethtool 1:4.15-0ubuntu1|findutils 4.6.0+git+20170828-2
gpg 2.2.4-1ubuntu1.6|gpgv 2.2.4-1ubuntu1.6|grep 3.1-2build1|gzip 1.6-5ubuntu1.2|hostname 3.20
init 1.51|iproute2 4.15.0-2ubuntu1.3|iptables 1.6.1-2ubuntu2.1|iputils-ping 3:20161105-1ubuntu3
kmod 24-1ubuntu3.5|libc6 2.27-3ubuntu1.6|libltdl7 2.4.6-2|libseccomp2 2.5.1-1ubuntu1~18.04.2
libssl1.1 1.1.1-1ubuntu2.1~18.04.23|linux-image-generic 4.15.0.212.196|login 1:4.5-1ubuntu2.5
lsb-release 9.20170808ubuntu1 all|mount 2.31.1-0.4ubuntu3.7|openssh-server 1:7.6p1-4ubuntu0.7
openssl 1.1.1-1ubuntu2.1~18.04.22|passwd 1:4.5-1ubuntu2.5|procps 2:3.3.12-3ubuntu1.2|sed 4.4-2
sudo 1.8.21p2-3ubuntu1.6|systemd 237-3ubuntu10.57|tar 1.29b-2ubuntu0.4|tzdata 2022g-0ubuntu0.18.04 all
ubuntu-keyring 2018.09.18.1~18.04.2 all|util-linux 2.31.1-0.4ubuntu3.7|wget 1.19.4-1ubuntu2.2
xz-utils 5.2.2-1.3ubuntu0.1|zlib1g 1:1.2.11.dfsg-0ubuntu2.2""",
    programs=(
        ("usr/sbin/ebtables", "2.0.10"),
        ("usr/sbin/ethtool", "4.15"),
        ("usr/sbin/iptables", "1.6.1"),
        ("usr/sbin/ip6tables", "1.6.1"),
        ("usr/sbin/iptables-save", "1.6.1"),
        ("usr/sbin/ip6tables-save", "1.6.1"),
        ("usr/sbin/iptables-restore", "1.6.1"),
        ("usr/sbin/ip6tables-restore", "1.6.1"),
        ("usr/bin/lsb_release", "9"),
        ("usr/bin/wget", "1.19.4"),
    ),
)

DISTRIBUTIONS = {one.codename: one for one in (BOOKWORM, BIONIC)}
