"""A disk as a PC boots it: GRUB in its first sectors, and a partition with a kernel, an initramfs and its menu."""
import os
import shutil
import struct
import subprocess

import debian_packages

GRUB = "/usr/lib/grub/i386-pc"
MODULES = "biosdisk part_msdos ext2 linux serial terminal normal boot echo configfile".split()
SECTOR_BYTES, FIRST_SECTOR, LINUX_PARTITION, ACTIVE = 512, 2048, 0x83, 0x80
MENU = """serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
echo menu-read
linux /vmlinuz {arguments}
initrd /initrd
boot
"""


def _run(command):
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise debian_packages.Unavailable(f"{command[0]}: {done.stderr.strip()}")


def _size_mib(*files):
    return sum(os.path.getsize(file) for file in files) // (1 << 20) + 8


def make(path, kernel, initramfs, arguments):
    """Writes the image; raises debian_packages.Unavailable where GRUB's tools are not installed."""
    if not os.path.exists(f"{GRUB}/boot.img"):
        raise debian_packages.Unavailable("grub-pc-bin is not installed")
    root, menu, core, partition = (f"{path}.{part}" for part in ("root", "cfg", "core", "partition"))
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    shutil.copy(kernel, f"{root}/vmlinuz")
    shutil.copy(initramfs, f"{root}/initrd")
    with open(f"{root}/grub.cfg", "w", encoding="ascii") as file:
        file.write(MENU.format(arguments=arguments))
    with open(menu, "w", encoding="ascii") as file:
        file.write("set root=(hd0,msdos1)\nconfigfile /grub.cfg\n")
    _run(["grub-mkimage", "-O", "i386-pc", "-p", "(hd0,msdos1)/", "-c", menu, "-o", core, *MODULES])
    size_mib = _size_mib(kernel, initramfs)
    _run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-d", root, partition, f"{size_mib}M"])
    with open(f"{GRUB}/boot.img", "rb") as file:
        boot = file.read(446)  # where the table of partitions begins
    entry = struct.pack("<B3sB3sII", ACTIVE, b"\xfe\xff\xff", LINUX_PARTITION, b"\xfe\xff\xff", FIRST_SECTOR,
                        size_mib * (1 << 20) // SECTOR_BYTES)
    with open(path, "wb") as image:
        image.write(boot + entry.ljust(64, b"\0") + b"\x55\xaa")
        with open(core, "rb") as file:
            image.write(file.read())
        image.seek(FIRST_SECTOR * SECTOR_BYTES)
        with open(partition, "rb") as file:
            shutil.copyfileobj(file, image)
    shutil.rmtree(root)
    for file in (menu, core, partition):
        os.remove(file)
