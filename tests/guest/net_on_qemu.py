#!/usr/bin/env python3
"""The bundled guest's e1000 driver and network layers on QEMU, against the host and against net_wire.py.

usage: net_on_qemu.py KERNEL (the two-level one; the other lies beside it)

On one flavour the wire is QEMU's own network: the host sends datagrams to the guest and gets them back, the guest sends to the
host, by copies and by sendfile, with the card's offloads and without; what QEMU has dumped of the wire is read by net_wire.py.
On the other the wire ends here: this program is the other machine, answers ARP, pings, sends datagrams in fragments and out of
order, and thousands of damaged frames, after which the guest must still answer. Skipped (77) without QEMU or a root file system.
"""
import os
import random
import re
import select
import shutil
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import busybox_session  # noqa: E402  beside this file
import net_wire as wire  # noqa: E402  beside this file

GUEST_MAC = bytes.fromhex("525400123456")
OWN_MAC = bytes.fromhex("020000000001")
SLIRP_GUEST, SLIRP_HOST = "10.0.2.15", "10.0.2.2"
GUEST, OWN = wire.address("192.168.7.2"), wire.address("192.168.7.1")
NR_DAMAGED = 4000


def pattern(count):
    return bytes((i * 7 + (i >> 8)) & 0xFF for i in range(count))


def boot(kernel, image, options):
    machine = busybox_session.Session(["qemu-system-i386", "-m", "256M", "-display", "none", "-serial", "stdio", "-monitor",
                                       "none", "-no-reboot", "-kernel", kernel, "-append", "root=/dev/hda", "-drive",
                                       f"file={image},format=raw,if=ide,snapshot=on", "-device", "e1000,netdev=n", *options])
    machine.read_until(busybox_session.FIRST_PROMPT, "the boot")
    machine.type(b"PS1='<$?> '\r")
    machine.read_until(busybox_session.PROMPT, "the prompt")
    return machine


def shut_down(machine):
    machine.type(b"poweroff\r")
    rest = machine.process.communicate(timeout=60)[0].decode("utf-8", "replace")
    if "leaked pages: 0" not in rest or "still there" in rest:
        machine.fail(f"the end: {rest[-300:]}")


def receive(machine, host, bytes_wanted, what):
    host.settimeout(20)
    try:
        got = host.recv(70000)
    except socket.timeout:
        machine.fail(f"{what}: nothing comes")
        return
    if got != bytes_wanted:
        machine.fail(f"{what}: {len(got)} other bytes")


def from_host(machine, port):
    """Datagrams to the guest's port 7 come back. QEMU sends them on to the guest when that has got its link."""
    host = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sizes = (1, 1472, 1473, 6000)
    machine.run(f"ping -c 1 {SLIRP_HOST} >/dev/null; udp echo 7 {len(sizes)} & sleep 1")
    for size in sizes:
        host.sendto(pattern(size), ("127.0.0.1", port))
        receive(machine, host, pattern(size), f"{size} bytes from the host and back")
    machine.run("wait", status=None)


def to_host(machine, image):
    host = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    host.bind(("127.0.0.1", 0))
    to = f"{SLIRP_HOST} {host.getsockname()[1]}"
    busybox = busybox_session.debugfs(image, "cat /bin/busybox")
    sent = []
    for sg, tx in (("on", "on"), ("off", "on"), ("on", "off"), ("off", "off")):
        machine.run(f"udp offload eth0 sg {sg} && udp offload eth0 tx {tx}")
        for size in (0, 5, 1472, 8000):
            machine.run(f"udp send {to} {size} 1")
            receive(machine, host, pattern(size), f"{size} bytes to the host, sg {sg}, tx {tx}")
            sent.append(pattern(size))
        for offset, size in ((4000, 1400), (100, 8192), (4096, 20000)):
            machine.run(f"udp sendfile {to} /bin/busybox {offset} {size}")
            receive(machine, host, busybox[offset:offset + size], f"{size} bytes of a file, sg {sg}, tx {tx}")
            sent.append(busybox[offset:offset + size])
    return host.getsockname()[1], sent


def check_dump(machine, name, port, sent):
    """All that the guest has sent is right, and what it sent to that port is all there, in order."""
    reader, seen = wire.Reader(GUEST_MAC, wire.address(SLIRP_GUEST)), []
    kinds = set()
    try:
        for frame in wire.pcap_frames(name):
            if frame[6:12] != GUEST_MAC:
                continue
            # QEMU dumps what the card was given, before it is padded.
            content = reader.read(frame.ljust(60, b"\0"))
            kinds.add(content[0] if content else "fragment")
            if content and content[0] == "udp" and content[1][1] == port:
                seen.append(content[2])
    except wire.Wrong as wrong:
        machine.fail(f"on the wire: {wrong}")
    if kinds != {"arp", "icmp", "udp", "fragment"}:
        machine.fail(f"on the wire: only {sorted(kinds)}")
    if seen != sent:
        machine.fail(f"on the wire: {len(seen)} datagrams, {len(sent)} were sent, or others")
    if reader.summed < len(seen):
        machine.fail("on the wire: datagrams without checksum")


def host_test(kernel, image):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
        chosen.close()
        dump = os.path.join(folder, "wire.pcap")
        machine = boot(kernel, image, ["-netdev", f"user,id=n,hostfwd=udp:127.0.0.1:{port}-{SLIRP_GUEST}:7",
                                       "-object", f"filter-dump,id=d,netdev=n,file={dump}"])
        try:
            machine.check_like(f"ifconfig eth0 {SLIRP_GUEST} up && ifconfig eth0", r"HWaddr 52:54:00:12:34:56")
            machine.run(f"ifconfig eth0 netmask 255.255.255.0 && route add default gw {SLIRP_HOST}")
            machine.check_like("route -n", r"^0\.0\.0\.0 +10\.0\.2\.2 +0\.0\.0\.0 +UG ")
            from_host(machine, port)
            machine.check_like("arp -n", r"\(10\.0\.2\.2\) at 52:55:0a:00:02:02 \[ether\]  on eth0")
            port, sent = to_host(machine, image)
            shut_down(machine)
            check_dump(machine, dump, port, sent)
        except busybox_session.Failure as failure:
            machine.fail(failure)
        finally:
            machine.close()
    return machine.failures


class OtherMachine:
    """The wire's other end: frames as datagrams of the host's."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.reader = wire.Reader(GUEST_MAC, GUEST)
        self.queue = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.peer = chosen.getsockname()

    def netdev(self):
        own = self.socket.getsockname()
        return f"socket,id=n,udp={own[0]}:{own[1]},localaddr={self.peer[0]}:{self.peer[1]}"

    def send(self, packet, kind=wire.ETH_IP, destination=GUEST_MAC):
        self.socket.sendto(wire.ethernet(destination, OWN_MAC, kind, packet), self.peer)

    def receive(self, seconds):
        """What the guest sent next but ARP requests, which are answered if they are for this machine. None: nothing came."""
        until = time.time() + seconds
        while True:
            ready = select.select([self.socket], [], [], max(until - time.time(), 0))[0]
            if not ready:
                return None
            content = self.reader.read(self.socket.recv(70000).ljust(60, b"\0"))
            if content and content[:2] == ("arp", 1):
                if content[3] == OWN:
                    self.send(wire.arp(2, OWN_MAC, OWN, GUEST_MAC, GUEST), wire.ETH_ARP)
            elif content:
                return content

    def answer_to(self, packets, wanted, tries=20):
        """Sends packets until this comes back."""
        for _ in range(tries):
            for packet in packets:
                self.send(packet)
            until = time.time() + 1
            while time.time() < until:
                if self.receive(max(until - time.time(), 0)) == wanted:
                    return True
        return False


def ping(other, sequence):
    request = wire.echo(8, 77, sequence, pattern(100))
    return other.answer_to([wire.ipv4(OWN, GUEST, wire.ICMP, request)], ("icmp", wire.echo(0, 77, sequence, pattern(100))))


def datagrams(machine, other):
    for size, order in ((0, 0), (1, 0), (1471, 0), (3000, 1), (9001, -1), (20000, 2), (60000, 3)):
        datagram = wire.udp(OWN, GUEST, 4000, 7, pattern(size))
        pieces = wire.fragments(OWN, GUEST, wire.UDP, datagram, size)
        if order > 1:
            random.Random(order).shuffle(pieces)
        elif order:
            pieces = pieces[::order]
        for piece in pieces:
            other.send(piece)
        if other.receive(20) != ("udp", (7, 4000), pattern(size)):
            machine.fail(f"a datagram of {size} bytes does not come back")


def damaged(frame, chance):
    """Bits and whole fields changed, ends cut off, other lengths; often with checksums that are right again."""
    data = bytearray(frame)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(12, min(len(data), 60))
        data[at] = chance.choice((0, 0xFF, data[at] ^ 1 << chance.randrange(8), chance.randrange(256)))
    if data[12:14] == b"\x08\x00" and chance.random() < 0.7:
        words = min((data[14] & 15) * 4, len(data) - 14)
        if words >= 20:
            data[24:26] = b"\0\0"
            data[24:26] = wire.checksum(bytes(data[14:14 + words])).to_bytes(2, "big")
    if chance.random() < 0.3:
        del data[chance.randrange(14, len(data)):]
    return bytes(data)


def right_frames(chance):
    quoted = wire.ipv4(GUEST, OWN, wire.UDP, wire.udp(GUEST, OWN, 7, 4000, b"x" * 20))[:28]
    datagram = wire.udp(OWN, GUEST, 4000, chance.choice((7, 9)), pattern(chance.randrange(3000)))
    packets = [wire.ipv4(OWN, GUEST, wire.ICMP, wire.echo(8, 1, 1, pattern(chance.randrange(200)))),
               wire.ipv4(OWN, GUEST, wire.ICMP, wire.echo(3, 0, 0, quoted)),
               *wire.fragments(OWN, GUEST, wire.UDP, datagram, chance.randrange(65536), chance.choice((64, 512, 1480)))]
    return [wire.ethernet(GUEST_MAC, OWN_MAC, wire.ETH_IP, packet) for packet in packets] + [
        wire.ethernet(chance.choice((GUEST_MAC, wire.BROADCAST)), OWN_MAC, wire.ETH_ARP,
                      wire.arp(chance.choice((1, 2)), OWN_MAC, OWN, GUEST_MAC, GUEST))]


def damage(machine, other):
    """Answers to damaged frames may be anything that is right; the guest lives on."""
    chance, nr_sent = random.Random(7), 0
    while nr_sent < NR_DAMAGED:
        for frame in right_frames(chance):
            other.socket.sendto(damaged(frame, chance), other.peer)
            nr_sent += 1
        if nr_sent % 50 < 10:
            time.sleep(0.005)  # the wire is the host's socket, which drops what is too much
        while select.select([other.socket], [], [], 0)[0]:
            other.socket.recv(70000)
    # What is known of addresses may have been overwritten: as any ARP says.
    other.send(wire.arp(1, OWN_MAC, OWN, b"\0" * 6, GUEST), wire.ETH_ARP, wire.BROADCAST)
    other.reader.pieces.clear()
    if not ping(other, 3):
        machine.fail("after damaged frames: no answer")
    said = machine.run("cat /proc/net/snmp")
    counts = dict(zip(said[0].split(), said[1].split()))
    if int(counts["InHdrErrors"]) < NR_DAMAGED / 50 or int(counts["InReceives"]) < NR_DAMAGED / 4:
        machine.fail(f"after damaged frames: {counts}")


def wire_test(kernel, image):
    other = OtherMachine()
    machine = boot(kernel, image, ["-netdev", other.netdev()])
    try:
        machine.run("ifconfig lo 127.0.0.1; ifconfig eth0 192.168.7.2 netmask 255.255.255.0 && udp echo 7 100000 >/dev/null &")
        if not ping(other, 1):
            machine.fail("no answer to a ping")
        datagrams(machine, other)
        refused = wire.udp(OWN, GUEST, 4000, 9, b"nobody")
        packet = wire.ipv4(OWN, GUEST, wire.UDP, refused, 5)
        other.send(packet)
        told = other.receive(20)
        if not told or told[0] != "icmp" or told[1][:2] != b"\3\3" or told[1][8:] != packet[:28]:
            machine.fail(f"a port that nobody has: {told}")
        other.send(wire.arp(1, OWN_MAC, OWN, b"\0" * 6, GUEST), wire.ETH_ARP, wire.BROADCAST)
        if other.receive(20) != ("arp", 2, OWN_MAC, OWN):
            machine.fail("an ARP request has no answer")
        damage(machine, other)
        datagrams(machine, other)
        shut_down(machine)
    except (busybox_session.Failure, wire.Wrong) as failure:
        machine.fail(failure)
    finally:
        machine.close()
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
    failures = host_test(kernel, image) + wire_test(re.sub(r"\.elf$", "-pae.elf", kernel), image)
    sys.exit(bool(failures))


main()
