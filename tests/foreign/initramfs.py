"""An initramfs of Debian's busybox and a script: a cpio archive in the form that Linux unpacks ("newc")."""
import os
import stat

APPLETS = ("cat date dd df dmesg echo free grep gzip gunzip head insmod ip ls md5sum mkdir mknod mount ping poweroff ps seq sh sleep switch_root sync "
           "tail test top true umount uname wc").split()

# What every guest does. The lines are read by guests.py; each answer stands between its name and a dot.
SCRIPT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
answer() { echo "<$1> $(eval "$2" 2>&1 | tail -n 1) ."; }
answer kernel 'uname -r'
answer memory 'grep MemTotal: /proc/meminfo'
answer sum 'seq 1 20000 | md5sum'
answer packed 'seq 1 20000 | gzip | gunzip | md5sum'
answer processes 'i=0; while [ $i -lt 50 ]; do /bin/true || break; i=$((i + 1)); done; echo $i'
answer uptime 'cat /proc/uptime'
sleep 1
answer uptime 'cat /proc/uptime'
answer year 'date +%Y'
answer pci 'ls /sys/bus/pci/devices | wc -l'
answer serial 'grep -c ttyS0 /proc/interrupts'
answer counters pmu
answer faults 'grep pgfault /proc/vmstat'
@MORE@
echo "<done> ."
@LAST@
"""
# What stands between a kernel and its prompt at the least.
PROMPT_SCRIPT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
@LAST@
"""
# For a kernel whose root is on a disk: its drivers are loaded, and the disk's own /init goes on.
DISK_SCRIPT = """#!/bin/sh
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
@LOAD@
i=0
while [ ! -b /dev/sda ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
mount -t ext4 /dev/sda /mnt || echo "BUG: no root"
exec switch_root /mnt /init
"""
# What the disk's script does besides: reads a file of 4 MiB that the host wrote, and leaves one that the host reads.
DISK_MORE = """answer root 'grep " / " /proc/mounts'
answer transfer 'cat /sys/class/ata_device/dev1.0/xfer_mode'
answer read 'md5sum /numbers'
answer written 'for i in 1 2 3 4; do cat /numbers; done >/written && sync && md5sum /written'
echo 3 >/proc/sys/vm/drop_caches
answer again 'md5sum /written'"""
DISK_POWER_OFF = "mount -o remount,ro / && poweroff -f"
POWER_OFF = "poweroff -f"
TYPED = f"echo '{POWER_OFF}' | sh -i 2>&1"
SHELL = "exec sh -i </dev/console >/dev/console 2>&1"


def _entry(number, name, mode, data=b""):
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def make_script(more="", last=POWER_OFF, script=SCRIPT):
    return script.replace("@MORE@", more).replace("@LAST@", last)


def make(path, busybox, script, files=()):
    """Writes the archive with that /init; `files` are (path in it, path here) to be added."""
    entries = [(name, stat.S_IFDIR | 0o755, b"") for name in ("bin", "dev", "mnt", "proc", "sys", "lib", "tmp")]
    with open(busybox, "rb") as file:
        entries.append(("bin/busybox", stat.S_IFREG | 0o755, file.read()))
    entries += [(f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox") for applet in APPLETS]
    entries.append(("init", stat.S_IFREG | 0o755, script.encode()))
    for inside, here in files:
        with open(here, "rb") as file:
            entries.append((inside, stat.S_IFREG | 0o755, file.read()))
    with open(path + ".new", "wb") as archive:
        for number, (name, mode, data) in enumerate(entries, 1):
            archive.write(_entry(number, name, mode, data))
        archive.write(_entry(0, "TRAILER!!!", 0))
    os.rename(path + ".new", path)
