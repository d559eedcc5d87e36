"""The guests: what is booted, how, and what it must say."""
import array
import hashlib
import re
from typing import NamedTuple

ARGUMENTS = "console=ttyS0 cryptomgr.notests"
MEMTEST = "-s cpu.frequency=50MHz -s machine.ram=8MiB"  # the slow clock shortens its wait of 5 s for a key


class Guest(NamedTuple):
    """A row of the table. `kernel` is a package's kernel by a name of KERNELS."""
    name: str
    kernel: str
    options: str = ""         # of lookaside run
    arguments: str = ARGUMENTS
    ram_mib: int = 256
    models: tuple = ("functional", "inorder")
    has_counters: bool = True   # the processor's, which Linux uses only with a local APIC
    can_power_off: bool = True  # by ACPI; without it the kernel halts for good
    is_short: bool = False      # in ./dev test
    # boot, shell, prompt (and no further), restore, memtest, disk, root (on a disk), network, grub, observed (by the monitor),
    # or twice: with the same statistics
    what: str = "boot"
    has_layouts: bool = True    # the kernel carries BTF, which tells the layout of its structures


# Names: meta package, architecture. memtest86+ is a package of test_packages in ./dev.
KERNELS = {
    "686": ("linux-image-686", "i386"),
    "686-pae": ("linux-image-686-pae", "i386"),
    "amd64": ("linux-image-amd64", "amd64"),
    "cloud-amd64": ("linux-image-cloud-amd64", "amd64"),
}
PVH = "--unpack --boot pvh"
IOMMU = " -s iommu.present=true"

GUESTS = (
    Guest("memtest86+ x64, a pass", "/boot/memtest86+x64.bin", MEMTEST, models=("functional",), what="memtest"),
    Guest("memtest86+ ia32, a pass", "/boot/memtest86+ia32.bin", MEMTEST, models=("functional",), what="memtest"),
    Guest("686-pae, PVH", "686-pae", PVH, is_short=True),
    Guest("686-pae, PVH, twice", "686-pae", PVH, models=("inorder",), what="twice"),
    Guest("686-pae, a shell on COM1", "686-pae", PVH, models=("functional",), what="shell"),
    Guest("686-pae, in the monitor", "686-pae", PVH, models=("functional",), what="observed", has_layouts=False),
    Guest("686-pae, to the prompt", "686-pae", PVH, what="prompt"),
    Guest("686-pae, to the prompt, noisapnp", "686-pae", PVH, ARGUMENTS + " noisapnp", what="prompt"),
    Guest("686-pae, a checkpoint at the prompt", "686-pae", PVH, models=("functional",), what="restore"),
    Guest("686-pae, an IDE disk", "686-pae", PVH, what="disk"),
    Guest("686-pae, root on IDE", "686-pae", PVH, what="root"),
    Guest("686-pae, a network card", "686-pae", PVH, what="network"),
    Guest("686-pae, bzImage", "686-pae"),
    Guest("686-pae, 64 MiB", "686-pae", PVH, ram_mib=64),
    Guest("686-pae, 3 GiB", "686-pae", PVH, ram_mib=3072),
    Guest("686-pae, acpi=off", "686-pae", PVH, ARGUMENTS + " acpi=off", can_power_off=False),
    Guest("686-pae, no APIC", "686-pae", PVH, ARGUMENTS + " noapic nolapic", has_counters=False),
    Guest("686-pae, a P6", "686-pae", PVH + " -s cpu.isa=p6", has_counters=False),
    Guest("686-pae, self-tests", "686-pae", PVH, "console=ttyS0", models=("functional",)),
    Guest("686, unpacked", "686", "--unpack"),
    Guest("686, bzImage", "686", models=("functional",)),
    Guest("amd64, PVH", "amd64", PVH),
    Guest("amd64, to the prompt", "amd64", PVH, what="prompt"),
    Guest("amd64, root on IDE", "amd64", PVH, what="root"),
    Guest("amd64, bzImage", "amd64"),
    Guest("amd64, 64-bit entry", "amd64", "--unpack --boot linux64", models=("functional",)),
    Guest("amd64, an IDE disk behind the IOMMU", "amd64", PVH + IOMMU, ARGUMENTS + " intel_iommu=on",
          models=("functional",), what="disk"),
    Guest("amd64, a network card behind the IOMMU", "amd64", PVH + IOMMU, ARGUMENTS + " intel_iommu=on",
          models=("functional",), what="network"),
    Guest("amd64, no APIC", "amd64", PVH, ARGUMENTS + " noapic nolapic", models=("functional",), has_counters=False),
    Guest("amd64, in the monitor", "amd64", PVH, models=("functional",), what="observed"),
    Guest("cloud-amd64, PVH", "cloud-amd64", PVH),
    Guest("cloud-amd64, bzImage", "cloud-amd64"),
    Guest("cloud-amd64, bzImage, in the monitor", "cloud-amd64", models=("functional",), what="observed"),
    Guest("cloud-amd64, SeaBIOS, GRUB", "cloud-amd64", what="grub"),
    Guest("686-pae, SeaBIOS, GRUB", "686-pae", models=("functional",), what="grub"),
)

# What Linux says when it finds something that should not be.
STRANGE = re.compile(r"Call Trace|BUG:|WARNING: CPU|Oops|unchecked MSR|ACPI Error|ACPI BIOS Error|Kernel panic|soft lockup|"
                     r"rcu: INFO|clocksource: .*unstable|do_IRQ: .* No irq handler|spurious 8259A")
ANSWER = re.compile(r"<(\w+)> (.*?) ?\.$", re.M)


# With a disk: what is done with it. The host lets its file be written up to a half of it. sd_mod finds the checksums
# that it wants by name, so that no module says that it depends on them.
DISK_BYTES = 16 << 20
DISK_MODULES = ("crct10dif_generic", "crc64_rocksoft_generic", "ata_piix", "sd_mod")
DISK_WRITES = "seq 1 200000"
DISK_WRITES_AT = 3 << 20
DISK_SCRIPT = f"""
sleep 1
answer disk 'md5sum /dev/sda'
{DISK_WRITES} | dd of=/dev/sda bs=64k seek={DISK_WRITES_AT >> 16} conv=fsync 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
answer written 'md5sum /dev/sda'
answer full 'dd if=/dev/zero of=/dev/sda bs=64k seek={DISK_BYTES * 3 // 4 >> 16} count=1 conv=fsync 2>&1 | grep -c "put/output error"'
answer interrupts 'grep ata_piix /proc/interrupts | head -n 1'
echo 3 >/proc/sys/vm/drop_caches
answer still 'md5sum /dev/sda'
"""
DISK_FILE_LIMIT_BYTES = DISK_BYTES // 2


def disk_before():
    """An image: every dword is another one."""
    return array.array("I", range(DISK_BYTES // 4)).tobytes()


def disk_after():
    """What it is after DISK_SCRIPT."""
    data = b"".join(b"%d\n" % number for number in range(1, 200001))
    before = disk_before()
    return before[:DISK_WRITES_AT] + data + before[DISK_WRITES_AT + len(data):]


def disk_complaints(console):
    """What is wrong with what a guest said that ran DISK_SCRIPT."""
    answers = dict(ANSWER.findall(console))
    sums = {name: hashlib.md5(data).hexdigest() for name, data in
            (("disk", disk_before()), ("written", disk_after()), ("still", disk_after()))}
    found = [f"{name}: {answers.get(name)}; should be {wanted}" for name, wanted in sums.items()
             if answers.get(name, "").split()[:1] != [wanted]]
    if answers.get("full") != "1":
        found.append(f"full: {answers.get('full')}; should be an error")
    if "{ DRDY DF ERR }" not in console:
        found.append("no device fault was seen")
    if not re.search(r"14: +[1-9]\d\d", answers.get("interrupts", "")):
        found.append(f"interrupts: {answers.get('interrupts')}; should be hundreds")
    return found


# With a network card, whose cable leads to a host that answers.
NETWORK_MODULES = ("e1000",)
NETWORK_PINGS, NETWORK_PING_BYTES = 3, 1400
NETWORK_SCRIPT = f"""
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
sleep 1
answer link 'cat /sys/class/net/eth0/speed'
answer ping 'ping -c {NETWORK_PINGS} -s {NETWORK_PING_BYTES} -W 1 10.0.2.2 | grep received'
answer neighbour 'ip neigh show dev eth0'
answer interrupts 'grep eth0 /proc/interrupts'
"""


def network_complaints(console, stats, sent):
    """What is wrong with what a guest said and did that ran NETWORK_SCRIPT; `sent` are the frames that it sent."""
    answers = dict(ANSWER.findall(console))
    wanted = {"link": "1000", "neighbour": "10.0.2.2 lladdr 52:55:0a:00:02:02 ",
              "ping": f"{NETWORK_PINGS} packets transmitted, {NETWORK_PINGS} packets received, 0% packet loss"}
    found = [f"{name}: {answers.get(name)}; should be {text}" for name, text in wanted.items()
             if not (answers.get(name, "") + " ").startswith(text)]
    if not re.search(r": +[1-9]", answers.get("interrupts", "")):
        found.append(f"interrupts: {answers.get('interrupts')}; should be some")
    pings = [frame for frame in sent if frame[12:14] == b"\x08\0" and frame[23] == 1]
    if [len(frame) for frame in pings] != [14 + 20 + 8 + NETWORK_PING_BYTES] * NETWORK_PINGS:
        found.append(f"echo requests of {[len(frame) for frame in pings]} bytes were sent")
    counts = {name: stats.get(f"nic.{name}") for name in ("frames_sent", "failures", "unknown_accesses")}
    if counts != {"frames_sent": len(sent), "failures": 0, "unknown_accesses": 0}:
        found.append(f"counted: {counts}")
    return found


def iommu_complaints(console, stats, least_bytes):
    """What is wrong with what a guest said and did that uses the IOMMU for a device that moves so much."""
    found = [f"it says: {line.strip()}" for line in console.splitlines() if "DMAR: [DMA" in line or "DMAR: ERROR" in line]
    if "DMAR: Intel(R) Virtualization Technology for Directed I/O" not in console:
        found.append("it does not use the IOMMU")
    bursts = stats.get("iommu.requests", 0)
    if bursts * 64 < least_bytes or stats.get("iommu.faults") != 0:
        found.append(f"iommu: {bursts} requests, {stats.get('iommu.faults')} faults")
    return found


def numbers_sum():
    """What `seq 1 20000 | md5sum` gives."""
    return hashlib.md5(b"".join(b"%d\n" % number for number in range(1, 20001))).hexdigest()


def counted(answer):
    """Instructions and cycles that tests/foreign/pmu.c read from the counters; None when there were none."""
    found = re.match(r"instructions (\d+) cycles (\d+)$", answer)
    return (int(found[1]), int(found[2])) if found else None


def agree(answer, region):
    """Whether they are what lookaside counted: between its two marks are a few instructions more than between the reads."""
    pair = counted(answer)
    return pair is not None and 0 <= region["cpu0.instructions"] - pair[0] <= 20 and \
        0 <= region["cpu0.cycles"] - pair[1] <= 400


def strange_lines(console):
    """What a guest said that it should not have to say."""
    return [f"it says: {line.strip()}" for line in console.splitlines() if STRANGE.search(line)][:3]


def complaints(guest, release, console, region):
    """What is wrong with what a guest that was booted said; `region` is what was counted in its region of interest."""
    found = strange_lines(console)
    answers = {}
    for name, text in ANSWER.findall(console):
        answers.setdefault(name, []).append(text)

    def want(name, is_right, what):
        got = answers.get(name, ["nothing"])
        if name not in answers or not is_right(got):
            found.append(f"{name}: {', '.join(got)}; should be {what}")

    want("kernel", lambda got: got[0] == release, release)
    low, high = guest.ram_mib * 1024 * 0.5, guest.ram_mib * 1024
    want("memory", lambda got: low < int(got[0].split()[1]) < high, f"{low:.0f} to {high} kB")
    want("sum", lambda got: got[0].split()[0] == numbers_sum(), numbers_sum())
    want("packed", lambda got: got[0].split()[0] == numbers_sum(), numbers_sum())
    want("processes", lambda got: got[0] == "50", "50")
    want("uptime", lambda got: len(got) == 2 and 0.985 < float(got[1].split()[0]) - float(got[0].split()[0]) < 1.2,
         "two, a second apart")
    want("year", lambda got: got[0] == "2026", "2026, as configured")
    want("pci", lambda got: int(got[0]) >= 2, "2 devices or more")
    want("serial", lambda got: got[0] == "1", "1 line")
    if guest.has_counters:
        want("counters", lambda got: region is not None and agree(got[0], region),
             f"lookaside's {region['cpu0.instructions']} and {region['cpu0.cycles']}" if region else "in a region of interest")
    want("faults", lambda got: int(got[0].split()[1]) > 1000, "more than 1000")
    want("done", lambda got: True, "said")
    return found
