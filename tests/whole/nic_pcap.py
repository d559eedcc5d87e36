#!/usr/bin/env python3
"""Capture files, by a reader and writer that knows nothing of lookaside's.

usage: nic_pcap.py make FILE MAGIC ORDER      three frames to 52:54:00:12:34:56, the second 1 ms and the third 3 ms after the first
       nic_pcap.py show FILE                  time (in nanoseconds, since the first), length and CRC-32 of each frame
"""
import struct
import sys
import zlib

STATION = bytes.fromhex("525400123456")


def frames():
    for length, after in ((60, 0), (14, 1_000_000), (1514, 3_000_000)):
        body = STATION + bytes.fromhex("5255 0a00 0202 88b5") + bytes(i * 3 & 0xFF for i in range(length - 14))
        yield after, body


def make(name, magic, order):
    unit = 1 if magic == "ns" else 1000
    number = 0xA1B23C4D if magic == "ns" else 0xA1B2C3D4
    with open(name, "wb") as file:
        file.write(struct.pack(order + "IHHiIII", number, 2, 4, 0, 0, 65535, 1))
        for after, body in frames():
            at = 1_600_000_000_999_500_000 + after
            file.write(struct.pack(order + "IIII", at // 10**9, at % 10**9 // unit, len(body), len(body)) + body)


def show(name):
    with open(name, "rb") as file:
        data = file.read()
    magic, major, minor, zone, _, snap, link = struct.unpack_from("<IHHiIII", data)
    assert (magic, major, minor, zone, snap, link) == (0xA1B23C4D, 2, 4, 0, 65535, 1), data[:24].hex()
    at, first = 24, None
    while at < len(data):
        seconds, part, kept, whole = struct.unpack_from("<IIII", data, at)
        assert kept == whole and part < 10**9 and at + 16 + kept <= len(data)
        when = seconds * 10**9 + part
        first = when if first is None else first
        print(when - first, kept, f"{zlib.crc32(data[at + 16:at + 16 + kept]):08x}")
        at += 16 + kept


{"make": make, "show": show}[sys.argv[1]](*sys.argv[2:])
