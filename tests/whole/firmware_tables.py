"""Reads a machine's memory as a kernel does and checks the firmware's tables: every pointer, length and checksum, and that
they describe what the machine has. A parser of its own; the numbers are those of ACPI 6.4 chapter 5 and MP 1.4 chapter 4.

usage: firmware_tables.py LOW_64K RAM_TOP_128K TOP_ADDRESS HAS_APIC HAS_IOMMU FOLDER
LOW_64K holds F0000h-FFFFFh; each ACPI table is written to FOLDER/NAME.aml, for iasl."""
import os
import struct
import sys

low = open(sys.argv[1], "rb").read()
top = open(sys.argv[2], "rb").read()
top_at = int(sys.argv[3], 0)
has_apic, has_iommu = sys.argv[4] == "1", sys.argv[5] == "1"


def memory(at, size):
    for base, data in ((0xF0000, low), (top_at, top)):
        if base <= at and at + size <= base + len(data):
            return data[at - base:at - base + size]
    raise SystemExit(f"{size} bytes at {at:#x}: outside of what firmware reserves")


def must(condition, what):
    if not condition:
        raise SystemExit("wrong: " + what)


def find(signature):
    places = [at for at in range(0, len(low), 16) if low[at:at + len(signature)] == signature]
    return [0xF0000 + at for at in places]


def table(at):
    signature, length, revision = struct.unpack("<4sIB", memory(at, 9))
    body = memory(at, length)
    must(sum(body) % 256 == 0, f"checksum of {signature}")
    with open(os.path.join(sys.argv[6], signature.decode() + ".aml"), "wb") as file:
        file.write(body)
    return signature.decode(), revision, body


# RSDP
(rsdp_at,) = find(b"RSD PTR ")
rsdp = memory(rsdp_at, 36)
must(sum(rsdp[:20]) % 256 == 0 and sum(rsdp) % 256 == 0, "checksums of the RSDP")
revision, rsdt_at, length, xsdt_at = struct.unpack("<15xBIIQ4x", rsdp)
must((revision, length) == (2, 36), "revision and length of the RSDP")

# RSDT and XSDT list the same
_, _, rsdt = table(rsdt_at)
_, _, xsdt = table(xsdt_at)
must(rsdt[:4] == b"RSDT" and xsdt[:4] == b"XSDT", "signatures of RSDT and XSDT")
listed = [entry for (entry,) in struct.iter_unpack("<Q", xsdt[36:])]
must(listed == [entry for (entry,) in struct.iter_unpack("<I", rsdt[36:])], "RSDT and XSDT differ")
tables = {}
for at in listed:
    name, revision, body = table(at)
    must(name not in tables, f"{name} twice")
    tables[name] = (revision, body)
expected = {"FACP"} | ({"APIC"} if has_apic else set()) | ({"DMAR"} if has_iommu else set())
must(set(tables) == expected, f"tables: {sorted(tables)}")

# FADT
revision, fadt = tables["FACP"]
must((revision, len(fadt)) == (3, 244), "FADT of ACPI 2.0")
facs_at, dsdt_at = struct.unpack_from("<II", fadt, 36)
must(struct.unpack_from("<QQ", fadt, 132) == (facs_at, dsdt_at), "X_FIRMWARE_CTRL, X_DSDT")
must(struct.unpack_from("<HI", fadt, 46) == (9, 0), "SCI_INT, SMI_CMD")
must(struct.unpack_from("<IIIII", fadt, 56) == (0x600, 0, 0x604, 0, 0), "PM1a event and control")
must(struct.unpack_from("<I", fadt, 76) == (0x608,), "PM timer")
must(fadt[88:92] == bytes((4, 2, 0, 4)), "lengths of the PM blocks")
must(fadt[108] == 0x32, "century")
flags, = struct.unpack_from("<I", fadt, 112)
must(flags & (1 << 10 | 1 << 8 | 1 << 2 | 1) == 1 << 10 | 1 << 2 | 1, "FADT flags")


def address(offset):
    return struct.unpack_from("<BBBBQ", fadt, offset)


must(address(116) == (1, 8, 0, 1, 0xCF9) and fadt[128] == 6, "reset register")
must(address(148)[0::4] == (1, 0x600) and address(172)[0::4] == (1, 0x604) and address(208)[0::4] == (1, 0x608),
     "the extended addresses say the same")
facs = memory(facs_at, 64)
must(facs[:8] == b"FACS" + struct.pack("<I", 64) and facs_at % 64 == 0, "FACS")
name, _, dsdt = table(dsdt_at)
must(name == "DSDT", "DSDT")
for part in (b"_S5_", b"CPU0", b"PCI0", b"_PRT", b"_CRS", b"_PIC"):
    must(part in dsdt, f"DSDT without {part}")

# DMAR (VT-d rev. 3.3, chapter 8): one unit, for all of the PCI segment
if has_iommu:
    _, dmar = tables["DMAR"]
    must(dmar[36:48] == bytes((38, 0)) + bytes(10), "DMAR's host address width and flags")
    must(dmar[48:] == struct.pack("<HHBBHQ", 0, 16, 1, 0, 0, 0xFED90000), "DMAR's remapping unit")

# MADT and MP table agree on who there is
pointers = find(b"_MP_")
if not has_apic:
    must(not pointers, "an MP table without APICs")
    raise SystemExit(0)
_, madt = tables["APIC"]
must(struct.unpack_from("<II", madt, 36) == (0xFEE00000, 1), "MADT's local APIC address, PCAT_COMPAT")
entries, at = [], 44
while at < len(madt):
    entries.append((madt[at], madt[at + 2:at + madt[at + 1]]))
    at += madt[at + 1]
must(at == len(madt), "MADT's last entry")
must([body for kind, body in entries if kind == 0] == [struct.pack("<BBI", 0, 0, 1)], "one processor, enabled")
must([body for kind, body in entries if kind == 1] == [struct.pack("<BBII", 1, 0, 0xFEC00000, 0)], "one I/O APIC")
overrides = {body[1]: struct.unpack("<IH", body[2:]) for kind, body in entries if kind == 2}
must(overrides == {0: (2, 0), 9: (9, 0xD)}, f"overrides {overrides}")
must([body for kind, body in entries if kind == 4] == [b"\xff\0\0\1"], "NMI at LINT1")

(mp_at,) = pointers
floating = memory(mp_at, 16)
must(sum(floating) % 256 == 0 and floating[8:10] == b"\1\4" and floating[11:] == bytes(5), "MP floating pointer")
(config_at,) = struct.unpack_from("<I", floating, 4)
length, = struct.unpack_from("<H", memory(config_at, 6), 4)
config = memory(config_at, length)
must(config[:4] == b"PCMP" and sum(config) % 256 == 0, "MP configuration")
count, lapic = struct.unpack_from("<HI", config, 34)
must(lapic == 0xFEE00000, "MP's local APIC address")
at, seen = 44, {}
for _ in range(count):
    size = 20 if config[at] == 0 else 8
    seen.setdefault(config[at], []).append(config[at + 1:at + size])
    at += size
must(at == length, "MP entries")
must(len(seen[0]) == 1 and seen[0][0][0:3] == b"\0\x14\3", "MP's processor")
must(seen[1] == [b"\0PCI   ", b"\1ISA   "], "MP's buses")
must(seen[2] == [b"\1\x11\1" + struct.pack("<I", 0xFEC00000)], "MP's I/O APIC")
pins = {}
for kind, flags, bus, source, apic, pin in (struct.unpack("<BHBBBB", entry) for entry in seen[3]):
    must(apic == 1, "an interrupt of another I/O APIC")
    pins[(bus, source, kind)] = (pin, flags)
for irq in (0, 1, *range(3, 16)):
    must(pins.pop((1, irq, 0)) == (2 if irq == 0 else irq, 0xD if irq == 9 else 0), f"ISA IRQ {irq}")
must(pins.pop((1, 0, 3)) == (0, 0), "the 8259s at pin 0")
for device in range(1, 32):
    for intx in range(4):
        must(pins.pop((0, device * 4 + intx, 0)) == (16 + (device - 1 + intx) % 4, 0xF), f"device {device}, INT{intx}")
must(not pins, f"more interrupts: {pins}")
must(sorted(entry[0] for entry in seen[4]) == [1, 3], "local interrupts")
