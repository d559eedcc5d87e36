#!/usr/bin/env python3
"""Stops the bundled guest on QEMU while a program runs, and checks that the ELF note leads to the truth.

Usage: note_on_qemu.py KERNEL, for this and the PAE kernel beside it. Reads the machine's memory as a simulator would, with nothing but the note to go by, and
compares what it finds with what the page tables and the free lists say: every frame has the right owner.
Exit status 77 (skipped) where there is no QEMU.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

# A copy of struct lookaside_note of its own (docs/guest-note.md), so that one misreading cannot agree with itself.
FIELDS = """version table_bytes page_offset page_bytes
mem_map_addr max_pfn_addr struct_page_bytes page_owner_offset page_order_offset page_flags_offset page_refcount_offset
zones_addr nr_zones struct_zone_bytes zone_name_offset zone_start_pfn_offset zone_spanned_offset zone_present_offset
zone_managed_offset zone_free_offset zone_watermark_offset zone_free_area_offset nr_orders struct_free_area_bytes
free_area_nr_free_offset
jiffies_addr hz current_task_addr task_list_addr task_list_offset task_pid_offset task_comm_offset task_mm_offset
mm_pgd_offset
zone_pcp_count_offset page_table_levels
mm_rb_offset mm_code_offset mm_brk_offset vma_rb_offset rb_left_offset rb_right_offset
vma_start_offset vma_end_offset vma_flags_offset""".split()
RESERVED, FREE, KERNEL, SLAB, PAGE_CACHE, ANON, PAGE_TABLE, CMA, DMA = range(9)
PG_BUDDY = 2
PRESENT, LARGE, FRAME_MASK = 0x001, 0x080, 0xFFFFFF000
MEMORY_MIB = 64
TIMEOUT_S = 60

failures = []


def check(ok, what):
    if not ok:
        failures.append(what)


def read_note(path):
    """The fields of the note with owner "lookaside" and type 4C41h."""
    with open(path, "rb") as file:
        elf = file.read()
    phoff, = struct.unpack_from("<I", elf, 28)
    phentsize, phnum = struct.unpack_from("<HH", elf, 42)
    for i in range(phnum):
        kind, offset, _, _, size = struct.unpack_from("<5I", elf, phoff + i * phentsize)
        if kind != 4:
            continue
        name_bytes, desc_bytes, note_type = struct.unpack_from("<3I", elf, offset)
        name = elf[offset + 12:offset + 12 + name_bytes]
        if name == b"lookaside\0" and note_type == 0x4C41:
            desc = offset + 12 + (name_bytes + 3) // 4 * 4
            check(desc_bytes == 4 * len(FIELDS), f"the note has {desc_bytes} bytes, not {4 * len(FIELDS)}")
            return dict(zip(FIELDS, struct.unpack_from(f"<{len(FIELDS)}I", elf, desc)))
    sys.exit(f"{path}: no lookaside note")


def memory_of_running_guest(kernel):
    """Boots, waits until the spin program runs, and returns physical memory and CR3."""
    with tempfile.TemporaryDirectory() as work:
        console, qmp, dump = (os.path.join(work, name) for name in ("console", "qmp", "dump"))
        qemu = subprocess.Popen(
            ["qemu-system-i386", "-m", f"{MEMORY_MIB}M", "-display", "none", "-monitor", "none", "-no-reboot",
             "-serial", f"file:{console}", "-qmp", f"unix:{qmp},server=on,wait=off", "-kernel", kernel,
             "-append", "init=spin spin.loops=4000000000"])
        try:
            deadline = time.time() + TIMEOUT_S
            while not (os.path.exists(console) and b"spin: 4000000000 loops" in open(console, "rb").read()):
                if time.time() > deadline or qemu.poll() is not None:
                    sys.exit("the guest did not come to its program")
                time.sleep(0.1)
            # The program fills its table first; let it get to its loop.
            time.sleep(0.5)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(qmp)
                stream = connection.makefile("rw")
                stream.readline()

                def command(name, **arguments):
                    stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
                    stream.flush()
                    while True:
                        answer = json.loads(stream.readline())
                        if "return" in answer or "error" in answer:
                            return answer.get("return")

                command("qmp_capabilities")
                command("stop")
                registers = command("human-monitor-command", **{"command-line": "info registers"})
                command("pmemsave", val=0, size=MEMORY_MIB << 20, filename=dump)
            cr3 = int(registers.split("CR3=")[1][:8], 16)
            with open(dump, "rb") as file:
                return file.read(), cr3
        finally:
            qemu.kill()
            qemu.wait()


class Guest:
    def __init__(self, note, memory):
        self.note, self.memory = note, memory

    def u32(self, address):
        return struct.unpack_from("<I", self.memory, address - self.note["page_offset"])[0]

    def text(self, address):
        start = address - self.note["page_offset"]
        return self.memory[start:self.memory.index(b"\0", start)].decode()

    def pages(self):
        """(owner, order, flags) of every frame."""
        note = self.note
        base = self.u32(note["mem_map_addr"]) - note["page_offset"]
        for pfn in range(self.u32(note["max_pfn_addr"])):
            at = base + pfn * note["struct_page_bytes"]
            flags, = struct.unpack_from("<I", self.memory, at + note["page_flags_offset"])
            yield self.memory[at + note["page_owner_offset"]], self.memory[at + note["page_order_offset"]], flags

    def entries(self, table, format_letter):
        """(index, frame) of what is present in the table there and is no large page."""
        for i, entry in enumerate(struct.unpack_from(f"<{4096 // struct.calcsize(format_letter)}{format_letter}",
                                                     self.memory, table << 12)):
            if entry & PRESENT and not entry & LARGE:
                yield i, (entry & FRAME_MASK) >> 12

    def page_directories(self, cr3):
        """(linear bits 31:30 or None, frame) of each page directory."""
        if self.note["page_table_levels"] == 2:
            return [(None, cr3 >> 12)]
        top = struct.unpack_from("<4Q", self.memory, cr3 & ~0x1F)
        return [(i, (entry & FRAME_MASK) >> 12) for i, entry in enumerate(top) if entry & PRESENT]

    def mapped_frames(self, cr3):
        """(frames of user pages, frames of page tables) that CR3 leads to."""
        letter, user, tables = "I" if self.note["page_table_levels"] == 2 else "Q", set(), set()
        for quarter, directory in self.page_directories(cr3):
            tables.add(directory)
            for i, table in self.entries(directory, letter):
                tables.add(table)
                if quarter == 3 or (quarter is None and i >= 768):
                    continue
                # Bit 7 of an entry of 4 KiB is no page size.
                for pte in struct.unpack_from(f"<{4096 // struct.calcsize(letter)}{letter}", self.memory, table << 12):
                    if pte & PRESENT:
                        user.add((pte & FRAME_MASK) >> 12)
        return user, tables


def check_zones(guest, pages):
    note = guest.note
    for i in range(note["nr_zones"]):
        zone = note["zones_addr"] + i * note["struct_zone_bytes"]
        start = guest.u32(zone + note["zone_start_pfn_offset"])
        spanned = guest.u32(zone + note["zone_spanned_offset"])
        present = guest.u32(zone + note["zone_present_offset"])
        free = guest.u32(zone + note["zone_free_offset"]) + guest.u32(zone + note["zone_pcp_count_offset"])
        name = guest.text(guest.u32(zone + note["zone_name_offset"]))
        check(name == ("DMA", "Normal", "HighMem")[i], f"zone {i} is called {name}")
        mine = pages[start:start + spanned]
        check(sum(owner == FREE for owner, _, _ in mine) == free, f"{name}: owners do not add up to {free} free pages")
        check(sum(owner != RESERVED for owner, _, _ in mine) == present - (start == 0),
              f"{name}: owners do not add up to {present} present pages")
        for order in range(note["nr_orders"]):
            area = zone + note["zone_free_area_offset"] + order * note["struct_free_area_bytes"]
            nr_free = guest.u32(area + note["free_area_nr_free_offset"])
            heads = [pfn for pfn, page in enumerate(mine, start) if page[2] & PG_BUDDY and page[1] == order]
            check(len(heads) == nr_free, f"{name}, order {order}: {nr_free} free blocks, but {len(heads)} are marked")
            for head in heads:
                check(head % (1 << order) == 0, f"{name}, order {order}: block at {head:x} is not aligned")
                check(all(page[0] == FREE for page in pages[head:head + (1 << order)]),
                      f"{name}, order {order}: block at {head:x} is not all free")
        low, mid, high = (guest.u32(zone + note["zone_watermark_offset"] + 4 * n) for n in range(3))
        check(low <= mid <= high, f"{name}: watermarks {low} {mid} {high}")


def check_task(guest, pages, cr3):
    note = guest.note
    task = guest.u32(note["current_task_addr"])
    check(guest.u32(task + note["task_pid_offset"]) == 1, "the current task is not pid 1")
    check(guest.text(task + note["task_comm_offset"]) == "spin", "the current task is not spin")
    listed, nodes = guest.u32(note["task_list_addr"]), []
    while listed != note["task_list_addr"] and len(nodes) < 100:
        nodes.append(listed)
        listed = guest.u32(listed)
    check(task + note["task_list_offset"] in nodes, "the current task is not on the task list")
    tasks = [node - note["task_list_offset"] for node in nodes]
    names = {guest.u32(at + note["task_pid_offset"]): guest.text(at + note["task_comm_offset"]) for at in tasks}
    check(sorted(names)[:2] == [1, 2] and sorted(names.values()) == ["kswapd0", "kthreadd", "spin"],
          f"the task list has the tasks {names}, not spin as init, kthreadd and kswapd0")
    pgd = guest.u32(guest.u32(task + note["task_mm_offset"]) + note["mm_pgd_offset"])
    check(pgd - note["page_offset"] == cr3 & ~0x1F, "CR3 is not the current task's page directory")

    user, tables = guest.mapped_frames(cr3)
    anon = {pfn for pfn, page in enumerate(pages) if page[0] == ANON}
    owned_tables = {pfn for pfn, page in enumerate(pages) if page[0] == PAGE_TABLE}
    cached = {pfn for pfn, page in enumerate(pages) if page[0] == PAGE_CACHE}
    check(anon == user - cached, f"{len(user - cached)} frames of no file are mapped for the user, {len(anon)} are marked anonymous")
    check(user & cached, "no page of the program's file is mapped")
    # The directory that the idle task uses is in no other.
    check(tables <= owned_tables and len(owned_tables) == len(tables) + 1,
          f"{len(tables)} frames hold this task's page tables, {len(owned_tables)} are marked so")
    check(pages[task - note["page_offset"] >> 12][0] == SLAB, "the task_struct is not in a slab")
    check(all(pages[pfn][0] == RESERVED for pfn in range(0xA0, 0x100)), "the hole below 1 MiB is not reserved")
    check(pages[note["zones_addr"] - note["page_offset"] >> 12][0] == KERNEL, "the kernel's data is not the kernel's")


def check_areas(guest):
    """The areas of the running program: its tree is in order, and its text, heap and stack are there."""
    note = guest.note
    mm = guest.u32(guest.u32(note["current_task_addr"]) + note["task_mm_offset"])
    areas = []

    def go(node):
        if node and len(areas) < 100:
            go(guest.u32(node + note["rb_left_offset"]))
            area = node - note["vma_rb_offset"]
            areas.append([guest.u32(area + note[f"vma_{name}_offset"]) for name in ("start", "end", "flags")])
            go(guest.u32(node + note["rb_right_offset"]))

    go(guest.u32(mm + note["mm_rb_offset"]))
    check(all(start < end for start, end, _ in areas) and
          all(one[1] <= two[0] for one, two in zip(areas, areas[1:])), f"areas {areas}")
    code, heap = ([guest.u32(mm + note[name]), guest.u32(mm + note[name] + 4)] for name in ("mm_code_offset", "mm_brk_offset"))
    check(any(start <= code[0] < end and flags & 7 == 5 for start, end, flags in areas), f"no text at {code[0]:x} in {areas}")
    check(any(start < heap[1] <= end and flags & 7 == 3 for start, end, flags in areas), f"no heap to {heap[1]:x} in {areas}")
    check(areas[-1][1] == note["page_offset"] and areas[-1][2] & 0x103 == 0x103, f"no stack in {areas}")


def check_kernel(kernel):
    note = read_note(kernel)
    check(note["page_table_levels"] == (3 if "pae" in os.path.basename(kernel) else 2), "page_table_levels")
    check(note["version"] == 4, f"version {note['version']}")
    check(note["table_bytes"] == 4 * len(FIELDS), f"table_bytes {note['table_bytes']}")
    memory, cr3 = memory_of_running_guest(kernel)
    guest = Guest(note, memory)
    check(guest.u32(note["jiffies_addr"]) > 0, "no tick was counted")
    pages = list(guest.pages())
    check(len(pages) > (MEMORY_MIB - 1) * 256, f"only {len(pages)} struct pages")
    check_zones(guest, pages)
    check_task(guest, pages, cr3)
    check_areas(guest)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if shutil.which("qemu-system-i386") is None:
        print("no qemu-system-i386: skipped")
        sys.exit(77)
    for kernel in sys.argv[1], sys.argv[1].replace(".elf", "-pae.elf"):
        check_kernel(kernel)
    for failure in failures:
        print("FAILED:", failure)
    if not failures:
        print("every frame has its owner")
    sys.exit(1 if failures else 0)


main()
