#!/usr/bin/env python3
"""The session of busybox_session.py on QEMU, on both flavours of the guest's kernel. Usage: busybox_on_qemu.py KERNEL (the
two-level one; the other lies beside it). Skipped where there is no QEMU, or no root file system for the guest.
"""
import os
import shutil
import sys

sys.dont_write_bytecode = True
import busybox_session  # noqa: E402  beside this file


def session_on(kernel, image):
    machine = busybox_session.Session(["qemu-system-i386", "-m", "512M", "-display", "none", "-serial", "stdio", "-monitor", "none",
                                       "-no-reboot", "-kernel", kernel, "-append", "quiet root=/dev/hda", "-drive",
                                       f"file={image},format=raw,if=ide,snapshot=on"])
    try:
        busybox_session.run_all(machine, image)
        status = busybox_session.power_off(machine)
        if status != 0:
            machine.fail(f"status {status}")
    except busybox_session.Failure as failure:
        machine.fail(failure)
    finally:
        machine.close()
    if machine.failures:
        print(f"{kernel}:\n{machine.console[-3000:].decode('utf-8', 'replace')}")
    return machine.failures


def main():
    kernel = sys.argv[1]
    image = os.path.join(os.path.dirname(kernel), "root-i386.ext2")
    if not shutil.which("qemu-system-i386"):
        print("no qemu-system-i386: skipped")
        sys.exit(77)
    if not os.path.exists(image):
        print("no root file system for the guest: tools/root_image says why")
        sys.exit(77)
    failures = session_on(kernel, image) + session_on(kernel.removesuffix(".elf") + "-pae.elf", image)
    sys.exit(bool(failures))


main()
