#!/usr/bin/env python3
"""A disk of which parts fail, under the bundled guest (guest/user/glibc/baddisk.c): errors reach who reads and who wrote,
once, and the kernel goes on. On lookaside, the image becomes shorter while it is used, or may not be written; on QEMU,
blkdebug refuses some sectors. What could be written is on the disk afterwards, and e2fsck finds a file system.

usage: failing_disk.py. Status 77: no root file system (tools/root_image). Without QEMU, that part is left out.
"""
import os
import shutil
import subprocess
import sys
import threading

LK, BUILD = os.environ["LK"], os.environ["LK_BUILD"]
ROOT = os.path.join(BUILD, "guest", "root-i386.ext2")
PAGE_BYTES, NR_PAGES, NEW = 4096, 64, 100
SECTORS_PER_PAGE = PAGE_BYTES // 512
FIRST_BAD, LAST_BAD = 40, 42
MOST_SECONDS = 100  # for one machine, which takes two
failures = []


def complain(text):
    print(f"FAILED: {text}", flush=True)
    failures.append(text)


def page(value):
    return bytes([value & 0xFF]) * PAGE_BYTES


def make_disk(name):
    """The image, and the first block of its file, whose blocks lie one behind the other."""
    os.makedirs("files", exist_ok=True)
    with open("files/data", "wb") as file:
        file.write(b"".join(page(i) for i in range(NR_PAGES)))
    if os.path.exists(name):
        os.remove(name)
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", "-d", "files", name, "8m"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    blocks = [int(subprocess.run(["/sbin/debugfs", "-R", f"bmap data {i}", name], check=True, capture_output=True).stdout)
              for i in (FIRST_BAD, LAST_BAD, NR_PAGES - 1)]
    assert blocks[0] + LAST_BAD - FIRST_BAD == blocks[1] and blocks[2] - blocks[0] == NR_PAGES - 1 - FIRST_BAD
    return blocks[0]


def arguments(mode, first, last):
    return f"root=/dev/hda ro init=/usr/local/bin/baddisk mode={mode} from={first} to={last}"


def run(what, command, when_ready=None):
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        text = ""
        timer = threading.Timer(MOST_SECONDS, process.kill)
        timer.start()
        for line in process.stdout:
            text += line.decode("ascii", "replace").replace("\r", "")
            if when_ready and "baddisk: ready" in text:
                when_ready()
                when_ready = None
                process.stdin.write(b"\n")
                process.stdin.flush()
        timer.cancel()
    if "baddisk: done" not in text or "FAILED" in text or "leaked pages: 0" not in text:
        complain(f"{what}: {text[-2000:]}")


def check_written(what, name):
    """Every page but the bad ones has its new content, and those the old."""
    data = subprocess.run(["/sbin/debugfs", "-R", "cat /data", name], check=True, capture_output=True).stdout
    for i in range(NR_PAGES):
        is_bad = FIRST_BAD <= i <= LAST_BAD
        if data[i * PAGE_BYTES:(i + 1) * PAGE_BYTES] != page(i if is_bad else i + NEW):
            complain(f"{what}: page {i} has not what it ought to have")
    if subprocess.run(["/sbin/e2fsck", "-fn", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        complain(f"{what}: e2fsck")


def on_lookaside(kernel):
    command = [LK, "run", "-q", kernel, "--disk", f"{ROOT},snapshot", "-o", "out", "--disk"]
    block = make_disk("short.img")
    run("an image that has become shorter", [*command, "short.img", "-a", arguments("read", FIRST_BAD, NR_PAGES - 1)],
        lambda: os.truncate("short.img", block * PAGE_BYTES))
    make_disk("readonly.img")
    run("an image that is not written", [*command, "readonly.img,ro", "-a", arguments("write", 0, NR_PAGES - 1)])


def on_qemu(kernel):
    if shutil.which("qemu-system-i386") is None:
        return
    for mode in ("read", "write"):
        block = make_disk("bad.img")
        with open("blkdebug", "w", encoding="ascii") as file:
            for number in range(FIRST_BAD, LAST_BAD + 1):
                file.write('[inject-error]\nevent = "none"\nerrno = "5"\nonce = "off"\n'
                           f'iotype = "{mode}"\nsector = "{(block + number - FIRST_BAD) * SECTORS_PER_PAGE}"\n\n')
        run(f"QEMU, sectors that one cannot {mode}",
            ["qemu-system-i386", "-m", "64M", "-display", "none", "-monitor", "none", "-no-reboot", "-serial", "stdio",
             "-kernel", kernel, "-append", arguments(mode, FIRST_BAD, LAST_BAD),
             "-drive", f"file={ROOT},format=raw,if=ide,index=0,snapshot=on",
             "-drive", "file=blkdebug:blkdebug:bad.img,format=raw,if=ide,index=1,rerror=report,werror=report"],
            lambda: None)
        if mode == "write":
            check_written("QEMU", "bad.img")


def main():
    if not os.path.exists(ROOT):
        print("no root file system: skipped")
        sys.exit(77)
    for name in ("i386", "i386-pae"):
        on_lookaside(os.path.join(BUILD, "guest", f"kernel-{name}.elf"))
    on_qemu(os.path.join(BUILD, "guest", "kernel-i386.elf"))
    if not failures:
        print("errors of disks reach the programs, and nothing else is lost")
    sys.exit(1 if failures else 0)


main()
