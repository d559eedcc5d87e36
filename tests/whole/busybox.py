#!/usr/bin/env python3
"""Debian's busybox, procps and glibc on the bundled guest: a session at its shell (tests/guest/busybox_session.py), then power
off. What the session leaves on the disk is read by e2fsprogs. Skipped where there is no root file system for the guest.
"""
import os
import re
import shutil
import subprocess
import sys

SOURCE, BUILD = os.environ["LK_SOURCE"], os.environ["LK_BUILD"]
sys.dont_write_bytecode = True
sys.path.append(os.path.join(SOURCE, "tests/guest"))
import busybox_session  # noqa: E402

IMAGE = os.path.join(BUILD, "guest/root-i386.ext2")


def main():
    if not os.path.exists(IMAGE):
        print("no root file system for the guest: tools/root_image says why")
        sys.exit(77)
    shutil.copy(IMAGE, "root.ext2")
    session = busybox_session.Session([os.environ["LK"], "run", "-q", "-s", "cpu.model=functional", "-o", "out", "--disk",
                                       "root.ext2", "--max-insns", "40G", "-a", "quiet root=/dev/hda", "demo"])
    try:
        busybox_session.run_all(session, IMAGE)
        session.run("echo stays >/root/left; seq 1 100000 >/root/numbers; rm /etc/hostname")
        status = busybox_session.power_off(session)
        if status != 0:
            session.fail(f"status {status}")
    except busybox_session.Failure as failure:
        session.fail(failure)
    finally:
        session.close()
    if re.search(rb"BUG|panic|leaked pages: [^0]", session.console):
        session.fail("the kernel complains")
    checked = subprocess.run(["/sbin/e2fsck", "-fn", "root.ext2"], check=False, capture_output=True, text=True)
    if checked.returncode != 0:
        session.fail(f"e2fsck: {checked.stdout}")
    if busybox_session.debugfs("root.ext2", "cat /root/left") != b"stays\n":
        session.fail("/root/left is not on the disk")
    numbers = "".join(f"{number}\n" for number in range(1, 100001)).encode()
    if busybox_session.debugfs("root.ext2", "cat /root/numbers") != numbers:
        session.fail("/root/numbers is not on the disk as it was written")
    if "hostname" in busybox_session.names_in("root.ext2", "/etc"):
        session.fail("/etc/hostname is still on the disk")
    if session.failures:
        print(session.console[-3000:].decode("utf-8", "replace"))
    sys.exit(bool(session.failures))


main()
