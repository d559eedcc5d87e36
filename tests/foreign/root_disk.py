"""A disk with an ext4 root, made by e2fsprogs, and the kernel's modules that are needed to mount it."""
import hashlib
import os
import re
import shutil
import subprocess

import initramfs
import modules
import debian_packages

MODULES = ("ata_piix", "sd_mod", "crc32c_generic", "ext4")
DISK_MIB = 64
NUMBERS = b"".join(b"%d\n" % number for number in range(1, 600001))


def _sum(data):
    return hashlib.md5(data).hexdigest()


NUMBERS_SUM, WRITTEN_SUM = _sum(NUMBERS), _sum(4 * NUMBERS)


def make_initramfs(path, busybox, kernel_files):
    files, load = modules.for_initramfs(kernel_files, MODULES)
    initramfs.make(path, busybox, initramfs.DISK_SCRIPT.replace("@LOAD@", load), files)


def make_disk(path, busybox, programs):
    """An image with busybox, its /init, a file of numbers, and the programs ((path in it, path here))."""
    root = path + ".root"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "dev", "proc", "sys", "tmp", "mnt"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(busybox, os.path.join(root, "bin/busybox"))
    for applet in initramfs.APPLETS:
        os.symlink("busybox", os.path.join(root, "bin", applet))
    for inside, here in programs:
        shutil.copy(here, os.path.join(root, inside))
    with open(os.path.join(root, "init"), "w", encoding="ascii") as file:
        file.write(initramfs.make_script(initramfs.DISK_MORE, initramfs.DISK_POWER_OFF))
    os.chmod(os.path.join(root, "init"), 0o755)
    with open(os.path.join(root, "numbers"), "wb") as file:
        file.write(NUMBERS)
    made = subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d", root, path, f"{DISK_MIB}M"], check=False,
                          capture_output=True, text=True)
    shutil.rmtree(root)
    if made.returncode != 0:
        raise debian_packages.Unavailable(f"mke2fs: {made.stderr.strip()}")


def complaints(path, console):
    """What is wrong with what the guest read and wrote, and with the file system that it left behind."""
    found = []
    for name, wanted in (("read", NUMBERS_SUM), ("written", WRITTEN_SUM), ("again", WRITTEN_SUM)):
        if f"<{name}> {wanted} " not in console:
            found.append(f"{name}: not the sum {wanted}")
    if not re.search(r"<transfer> \S*DMA", console):
        found.append("the disk is not driven by DMA")
    if re.search(r"ata\d.*(exception Emask|failed command)|I/O error", console):
        found.append("the disk had errors")
    checked = subprocess.run(["/sbin/e2fsck", "-fn", path], check=False, capture_output=True, text=True)
    if checked.returncode != 0:
        found.append(f"e2fsck: {checked.stdout.strip().splitlines()[-1]}")
    left = subprocess.run(["/sbin/debugfs", "-R", "cat /written", path], check=False, capture_output=True)
    if _sum(left.stdout) != WRITTEN_SUM:
        found.append("what it wrote is not what the image holds")
    return found
