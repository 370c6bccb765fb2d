"""Programs that every server has from the start and the lab has not: their files are there, running one is refused.

A program that is taken out of the lab gets its name here, and one that is added loses it.
"""

from __future__ import annotations

from k8swin_lab.machines.program import NotSimulated, Process, Program

_NAMES = """
add-shell addgroup adduser agetty apt-config apt-key apt-ftparchive apt-sortpkgs badblocks blkdiscard blkid blkzone blockdev
bootctl busctl chage chattr chcon chcpu chfn chgpasswd chmem choom chpasswd chroot chrt chsh coredumpctl cpgr cppw
ctrlaltdel deb-systemd-helper debconf-set-selections debugfs delgroup deluser depmod dmesg dpkg-deb dpkg-divert
dpkg-reconfigure dpkg-statoverride dpkg-trigger dumpe2fs e2fsck e2image e2label expiry faillog fallocate fincore findfs
findmnt fsck fsfreeze fstab-decode fstrim getcap getfacl gpasswd gpgv groupadd groupdel groupmod groupmems grpck grpconv
hostid hwclock infocmp insmod invoke-rc.d ipcmk ipcrm ipcs isosize kmod last lastlog lastb ldattach ldconfig ldd
locale localectl localedef logname loginctl login logrotate logsave losetup lsattr lsblk lsipc lslocks lslogins lsmem lsns
mcookie mesg mke2fs mkfs mkfs.ext4 mknod mkswap modinfo mount mountpoint namei networkctl newgrp newusers nologin nsenter partx
passwd pidof pinky pivot_root pmap prlimit ptx pwck pwconv pwdx readprofile rename.ul renice reset resize2fs resizepart
resolvectl rtcwake runcon runuser savelog service setcap setfacl setpriv sg shadowconfig skill slabtop snice
start-stop-daemon sulogin swaplabel switch_root systemd-analyze systemd-cat systemd-cgls systemd-cgtop systemd-escape
systemd-mount systemd-notify systemd-path systemd-run systemd-sysusers systemd-tmpfiles taskset tc tempfile tload toe top
tput tset tune2fs tzselect udevadm umount unshare update-alternatives update-initramfs update-rc.d useradd userdel
usermod users vdir vigr vipw visudo vmstat w wall watch wdctl whereis who wipefs zdump zramctl
"""


def _refuse(process: Process) -> int:
    raise NotSimulated(process.argv[0].rpartition("/")[2])


PROGRAMS: dict[str, Program] = dict.fromkeys(_NAMES.split(), _refuse)
"""By name, as files of a base system."""
