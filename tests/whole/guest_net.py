#!/usr/bin/env python3
"""The bundled guest's network card on lookaside: frames of another machine come from a capture file, whole, in fragments out of
order, and damaged; what the guest sends goes into another, which net_wire.py reads. On both flavours of its kernel.
"""
import os
import random
import re
import struct
import sys

SOURCE, BUILD = os.environ["LK_SOURCE"], os.environ["LK_BUILD"]
sys.dont_write_bytecode = True
sys.path.append(os.path.join(SOURCE, "tests/guest"))
import busybox_session  # noqa: E402
import net_wire as wire  # noqa: E402

IMAGE = os.path.join(BUILD, "guest/root-i386.ext2")
GUEST_MAC, OWN_MAC = bytes.fromhex("525400123456"), bytes.fromhex("020000000001")
GUEST, OWN = wire.address("192.168.7.2"), wire.address("192.168.7.1")
SIZES = (0, 1, 1471, 3000, 9001)
NR_DAMAGED = 300


def pattern(count):
    return bytes((i * 7 + (i >> 8)) & 0xFF for i in range(count))


def to_guest(packet):
    return wire.ethernet(GUEST_MAC, OWN_MAC, wire.ETH_IP, packet)


def arp_request():
    return wire.ethernet(wire.BROADCAST, OWN_MAC, wire.ETH_ARP, wire.arp(1, OWN_MAC, OWN, b"\0" * 6, GUEST))


def datagrams(chance):
    """Of each size one, its fragments in any order."""
    frames = []
    for size in SIZES:
        pieces = wire.fragments(OWN, GUEST, wire.UDP, wire.udp(OWN, GUEST, 4000, 7, pattern(size)), chance.randrange(65536))
        chance.shuffle(pieces)
        frames += map(to_guest, pieces)
    return frames


def damaged(chance):
    """A frame with other bytes, often with a sum of IP's that is right again, or with its end cut off."""
    pieces = wire.fragments(OWN, GUEST, wire.UDP, wire.udp(OWN, GUEST, 4000, 9, pattern(300)), 1, chance.choice((64, 1480)))
    data = bytearray(chance.choice([arp_request(), *map(to_guest, pieces),
                                    to_guest(wire.ipv4(OWN, GUEST, wire.ICMP, wire.echo(8, 1, 1, pattern(99))))]))
    for _ in range(chance.randrange(4)):
        data[chance.randrange(12, min(60, len(data)))] = chance.randrange(256)
    if data[12:14] == b"\x08\x00" and chance.random() < 0.7:
        words = (data[14] & 15) * 4
        if 20 <= words <= len(data) - 14:
            data[24:26] = b"\0\0"
            data[24:26] = wire.checksum(bytes(data[14:14 + words])).to_bytes(2, "big")
    if chance.random() < 0.2:
        del data[chance.randrange(14, len(data)):]
    return bytes(data)


def write_capture(name):
    """Milliseconds between frames; the first has time until somebody listens."""
    chance = random.Random(11)
    frames = [arp_request(), to_guest(wire.ipv4(OWN, GUEST, wire.ICMP, wire.echo(8, 5, 1, pattern(64)))), *datagrams(chance),
              *(damaged(chance) for _ in range(NR_DAMAGED)), arp_request(), *datagrams(chance)]
    with open(name, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate([b"\xff" * 60, *frames]):
            microseconds = 0 if number == 0 else 2000000 + number * 1000
            file.write(struct.pack("<IIII", microseconds // 1000000, microseconds % 1000000, len(frame), len(frame)))
            file.write(frame)


def check_sent(session, name):
    reader, seen = wire.Reader(GUEST_MAC, GUEST), []
    try:
        for frame in wire.pcap_frames(name):
            seen.append(reader.read(frame))
    except wire.Wrong as wrong:
        session.fail(f"on the wire: {wrong}")
    wanted = [("udp", (7, 4000), pattern(size)) for size in SIZES] * 2
    if [content for content in seen if content and content[0] == "udp"] != wanted:
        session.fail("on the wire: not the datagrams that came")
    for answer in (("arp", 2, OWN_MAC, OWN), ("icmp", wire.echo(0, 5, 1, pattern(64)))):
        if answer not in seen:
            session.fail(f"on the wire: no answer {answer[0]}")
    if reader.summed != len(wanted):
        session.fail("on the wire: datagrams without a checksum")


def run_on(kernel):
    write_capture("come.pcap")
    session = busybox_session.Session([os.environ["LK"], "run", "-q", "-s", "cpu.model=functional", "-o", "out", "--disk",
                                       f"{IMAGE},snapshot", "--max-insns", "20G", "--nic",
                                       "silent,send=sent.pcap,receive=come.pcap", "-a", "root=/dev/hda", kernel])
    try:
        session.read_until(busybox_session.FIRST_PROMPT, "the boot")
        session.type(b"PS1='<$?> '\r")
        session.read_until(busybox_session.PROMPT, "the prompt")
        session.run("ifconfig lo 127.0.0.1")
        session.run(f"ifconfig eth0 192.168.7.2; udp echo 7 {2 * len(SIZES)}")
        session.check_like("arp -n", r"\(192\.168\.7\.1\) at 02:00:00:00:00:01 \[ether\]  on eth0")
        session.check_like("cat /proc/net/dev", r"^ +eth0: +[1-9]")
        session.type(b"poweroff\r")
        session.read_until(re.compile(rb"leaked pages: 0"), "the end")
        session.process.wait(timeout=60)
        check_sent(session, "sent.pcap")
    except busybox_session.Failure as failure:
        session.fail(failure)
    finally:
        session.close()
    if re.search(rb"BUG|panic", session.console):
        session.fail("the kernel complains")
    if session.failures:
        print(session.console[-2000:].decode("utf-8", "replace"))
    return bool(session.failures)


def main():
    if not os.path.exists(IMAGE):
        print("no root file system for the guest: tools/root_image says why")
        sys.exit(77)
    kernels = [os.path.join(BUILD, f"guest/kernel-{name}.elf") for name in ("i386", "i386-pae")]
    sys.exit(any([run_on(kernel) for kernel in kernels]))


main()
