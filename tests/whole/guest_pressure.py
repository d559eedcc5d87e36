#!/usr/bin/env python3
"""Memory pressure in the bundled guest (guest/labs/pressure.c, guest/user/squeeze.c): more memory in use than there is, a swap
disk, writers of files, fork and exit, blocks of the CMA region and copies of the DMA engine meanwhile. Nothing may be lost:
the programs check what they read, and here the disk is read without lookaside: e2fsck has nothing to say, and every page of
the files is the one that was written last. QEMU runs the same (in the long form). Where the disks refuse requests, programs
are told, the kernel lives, and what it has of other pages is right.

usage: guest_pressure.py [--long]    long: a billion instructions on each machine, instead of some tens of millions
With --long each run's figures are printed.
"""
import array
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys

LK, BUILD, SOURCE = os.environ["LK"], os.environ["LK_BUILD"], os.environ["LK_SOURCE"]
PAGE_BYTES, PAGE_WORDS, MASK = 4096, 1024, 0xFFFFFFFF
DISK_MIB, SWAP_MIB = 32, 48
# What each word of a page adds to the first (guest/user/squeeze.c).
OFFSETS = [0, 0] + [i * i + 2 * i - 3 for i in range(2, PAGE_WORDS)]
LOAD = "squeeze.keepers=4 squeeze.keeper_pages=2100 squeeze.writers=2 squeeze.file_pages=800"
SHORT_STEPS, LONG_STEPS = 100, 900
failures = []


def fail(text):
    print(f"FAILED: {text}", flush=True)
    failures.append(text)


def make_disk(name):
    with open(name, "wb") as file:
        file.truncate(DISK_MIB << 20)
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", name], check=True, stdout=subprocess.DEVNULL)


def make_swap(name):
    """mkswap(8)'s header: version 1, the last page, no bad ones."""
    with open(name, "wb") as file:
        file.truncate(SWAP_MIB << 20)
        file.seek(1024)
        file.write(struct.pack("<III", 1, (SWAP_MIB << 20) // PAGE_BYTES - 1, 0))
        file.seek(PAGE_BYTES - 10)
        file.write(b"SWAPSPACE2")


def page_of(seed, page, generation):
    first = (seed * 2654435761 & MASK) ^ (page * 40503 + generation * 2246822519 & MASK)
    words = array.array("I", ((first + offset) & MASK for offset in OFFSETS))
    words[1] = generation
    return words.tobytes()


def check_file(what, disk, line):
    """A file's pages are those of the generations that they name, and these are the last ones."""
    name, seed, pages, wanted = re.match(r"file (\w+): seed (\d+), (\d+) pages, sum of generations (\d+)$", line).groups()
    data = subprocess.run(["/sbin/debugfs", "-R", f"cat /{name}", disk], check=True, capture_output=True).stdout
    if len(data) != int(pages) * PAGE_BYTES:
        return fail(f"{what}: {name} has {len(data)} bytes, not {pages} pages")
    total = 0
    for page in range(int(pages)):
        there = data[page * PAGE_BYTES:(page + 1) * PAGE_BYTES]
        generation = struct.unpack_from("<I", there, 4)[0]
        if there != page_of(int(seed), page, generation):
            return fail(f"{what}: {name}, page {page}: not what was written")
        total += generation * (page + 1)
    if total & MASK != int(wanted):
        fail(f"{what}: {name} has older pages: a sum of {total & MASK}, not {wanted}")


def counts_of(folder):
    text = open(os.path.join(folder, "stats.txt"), encoding="ascii").read()
    return {name: int(value) for name, value in re.findall(r"^cpu0\.(instructions|cycles)\s+(\d+)", text, re.M)}


class Trial:
    """A machine with a disk and a swap disk, and what its console said."""

    def __init__(self, what, arguments):
        self.what, self.disk, self.swap, self.folder = what, f"{what}.ext2", f"{what}.swap", f"{what}.d"
        self.words = f"quiet lab=pressure cma=4M squeeze.disk=/dev/hda squeeze.swap=/dev/hdb {LOAD} {arguments}"
        self.said, self.vmstat = [], {}
        make_disk(self.disk)
        make_swap(self.swap)

    def on_lookaside(self, kernel, options, limit_bytes=None):
        """limit_bytes: what the disks refuse to write behind; when the programs run, they no longer have it to read either."""
        def set_limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        command = [LK, "run", "-q", *options, "-s", "machine.ram=32MiB", "--disk", self.disk, "--disk", self.swap, "-o", self.folder,
                   "-a", self.words, os.path.join(BUILD, f"guest/kernel-{kernel}.elf")]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              preexec_fn=set_limit if limit_bytes else None) as process:
            for line in process.stdout:
                self.said.append(line.rstrip("\r\n"))
                if limit_bytes and line.startswith("squeeze: "):
                    os.truncate(self.swap, limit_bytes)
            self.said += process.stderr.read().splitlines()
            return self.finish(process.wait() == 0)

    def on_qemu(self, kernel):
        drives = [word for name in (self.disk, self.swap) for word in ("-drive", f"file={name},format=raw,if=ide")]
        command = ["timeout", "200", "qemu-system-i386", "-m", "32M", "-display", "none", "-monitor", "none", "-no-reboot", "-serial",
                   "stdio", *drives, "-kernel", os.path.join(BUILD, f"guest/kernel-{kernel}.elf"), "-append", self.words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True)
        self.said = done.stdout.replace("\r", "").splitlines()
        return self.finish(done.returncode == 0)

    def finish(self, has_ended_well):
        if not has_ended_well or "lab pressure: passed" not in self.said:
            fail(f"{self.what}: " + "\n".join(self.said[-40:]))
            return False
        self.vmstat = {line.split()[0]: int(line.split()[1]) for line in self.said if re.match(r"  \w+ \d+$", line)}
        for row in ("pswpin", "pswpout", "pgmajfault"):
            if self.vmstat.get(row, 0) < 100:
                fail(f"{self.what}: {row} is {self.vmstat.get(row)}: memory was not short")
        checked = subprocess.run(["/sbin/e2fsck", "-fn", self.disk], check=False, capture_output=True, text=True)
        if checked.returncode != 0:
            fail(f"{self.what}: e2fsck: {checked.stdout}")
        return True

    def check_files(self):
        files = [line for line in self.said if line.startswith("file ")]
        if len(files) != 2:
            fail(f"{self.what}: the files: {files}")
        for line in files:
            check_file(self.what, self.disk, line)

    def figures(self):
        rows = [f"{row} {self.vmstat[row]}" for row in ("pswpout", "pswpin", "pgmajfault", "pgpgout") if row in self.vmstat]
        blocks = [line for line in self.said if line.startswith("contiguous blocks: ")]
        print(f"{self.what}: {counts_of(self.folder)}; {', '.join(rows)}; {'; '.join(blocks)}", flush=True)

    def remove(self):
        for name in (self.disk, self.swap):
            os.remove(name)


def nothing_is_lost(kernel, coherence, is_long):
    trial = Trial(f"{kernel}-{coherence}", f"squeeze.steps={LONG_STEPS if is_long else SHORT_STEPS}")
    if trial.on_lookaside(kernel, ["-s", f"dma.coherence={coherence}"]):
        trial.check_files()
    if is_long:
        trial.figures()
        if counts_of(trial.folder)["instructions"] < 1000000000:
            fail(f"{trial.what}: {counts_of(trial.folder)}")
    trial.remove()


def qemu_agrees(kernel):
    if not shutil.which("qemu-system-i386"):
        return
    trial = Trial(f"{kernel}-qemu", f"squeeze.steps={SHORT_STEPS}")
    if trial.on_qemu(kernel):
        trial.check_files()
    trial.remove()


def errors_arrive(kernel):
    trial = Trial(f"{kernel}-faults", f"squeeze.faults=1 squeeze.steps={SHORT_STEPS}")
    trial.on_lookaside(kernel, ["-s", "cpu.model=functional"], limit_bytes=8 << 20)
    trial.remove()


def main():
    is_long = "--long" in sys.argv[1:]
    machines = [("i386", "snoop"), ("i386-pae", "none"), ("i386", "none"), ("i386-pae", "snoop")]
    for kernel, coherence in machines if is_long else machines[:2]:
        nothing_is_lost(kernel, coherence, is_long)
    for kernel in ("i386", "i386-pae") if is_long else ():
        qemu_agrees(kernel)
    for kernel in ("i386", "i386-pae") if is_long else ("i386",):
        errors_arrive(kernel)
    sys.exit(bool(failures))


main()
