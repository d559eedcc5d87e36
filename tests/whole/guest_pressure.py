#!/usr/bin/env python3
"""Memory pressure in the bundled guest (guest/labs/pressure.c, guest/user/squeeze.c): more memory in use than there is, a swap
disk, writers of files, fork and exit, blocks of the CMA region and copies of the DMA engine meanwhile. Nothing may be lost:
the programs check what they read, and here the disk is read without lookaside: e2fsck has nothing to say, and every page of
the files is the one that was written last.

usage: guest_pressure.py [--long]    long: a billion instructions on each machine, instead of some tens of millions
With --long each run's figures are printed.
"""
import array
import os
import re
import struct
import subprocess
import sys

LK, BUILD, SOURCE = os.environ["LK"], os.environ["LK_BUILD"], os.environ["LK_SOURCE"]
PAGE_BYTES, PAGE_WORDS, MASK = 4096, 1024, 0xFFFFFFFF
DISK_MIB, SWAP_MIB = 32, 48
# What each word of a page adds to the first (guest/user/squeeze.c).
OFFSETS = [0, 0] + [i * i + 2 * i - 3 for i in range(2, PAGE_WORDS)]
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
    return {name: int(value) for name, value in re.findall(r"^(cpu0\.instructions|cpu0\.cycles)\s+(\d+)", text, re.M)}


def run(what, kernel, options, arguments, is_long):
    disk, swap, folder = f"{what}.ext2", f"{what}.swap", f"{what}.d"
    make_disk(disk)
    make_swap(swap)
    words = f"quiet lab=pressure cma=4M squeeze.disk=/dev/hda squeeze.swap=/dev/hdb {arguments}"
    done = subprocess.run([LK, "run", "-q", *options, "--disk", disk, "--disk", swap, "-o", folder, "-a", words,
                           os.path.join(BUILD, f"guest/kernel-{kernel}.elf")], check=False, capture_output=True, text=True)
    said = done.stdout.replace("\r", "").splitlines()
    if done.returncode != 0 or "lab pressure: passed" not in said:
        return fail(f"{what}: status {done.returncode}: " + "\n".join(said[-40:]) + done.stderr[-400:])
    vmstat = dict(line.split() for line in said if re.match(r"  \w+ \d+$", line))
    for row in ("pswpin", "pswpout", "pgmajfault"):
        if int(vmstat.get(row, 0)) < 100:
            fail(f"{what}: {row} is {vmstat.get(row)}: memory was not short")
    files = [line for line in said if line.startswith("file ")]
    if len(files) != 2:
        fail(f"{what}: the files: {files}")
    for line in files:
        check_file(what, disk, line)
    checked = subprocess.run(["/sbin/e2fsck", "-fn", disk], check=False, capture_output=True, text=True)
    if checked.returncode != 0:
        fail(f"{what}: e2fsck: {checked.stdout}")
    counts = counts_of(folder)
    if is_long and counts["cpu0.instructions"] < 1000000000:
        fail(f"{what}: {counts['cpu0.instructions']} instructions")
    if is_long:
        kept = [f"{row} {vmstat[row]}" for row in ("pswpout", "pswpin", "pgmajfault", "pgpgout") if row in vmstat]
        print(f"{what}: {counts}; {', '.join(kept)}", flush=True)
    for name in (disk, swap):
        os.remove(name)


def main():
    is_long = "--long" in sys.argv[1:]
    load = "squeeze.keepers=4 squeeze.keeper_pages=2000 squeeze.writers=2 squeeze.file_pages=1200"
    steps = 12000 if is_long else 500
    for kernel in ("i386", "i386-pae"):
        for coherence in ("snoop", "none"):
            run(f"{kernel}-{coherence}", kernel, ["-s", "machine.ram=32MiB", "-s", f"dma.coherence={coherence}"],
                f"{load} squeeze.steps={steps}", is_long)
    sys.exit(bool(failures))


main()
