"""Capture files, by a reader and writer that knows nothing of lookaside's.

usage: nic_pcap.py make FILE MAGIC ORDER      three frames to 52:54:00:12:34:56, the second 1 ms and the third 3 ms after the first
       nic_pcap.py show FILE                  length and CRC-32 of each frame
       nic_pcap.py answers FILE               the same of what answers to these are, padded as Ethernet wants it
       nic_pcap.py times FILE                 whether its frames are those three's distances apart, but for 100 microseconds
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


def read(name):
    with open(name, "rb") as file:
        data = file.read()
    magic, major, minor, zone, _, snap, link = struct.unpack_from("<IHHiIII", data)
    assert (magic, major, minor, zone, snap, link) == (0xA1B23C4D, 2, 4, 0, 65535, 1), data[:24].hex()
    at = 24
    while at < len(data):
        seconds, part, kept, whole = struct.unpack_from("<IIII", data, at)
        assert kept == whole and part < 10**9 and at + 16 + kept <= len(data)
        yield seconds * 10**9 + part, data[at + 16:at + 16 + kept]
        at += 16 + kept


def show(name):
    for _, frame in read(name):
        print(len(frame), f"{zlib.crc32(frame):08x}")


def answers(name):
    for _, frame in read(name):
        answer = (frame[6:12] + frame[:6] + frame[12:]).ljust(60, b"\0")
        print(len(answer), f"{zlib.crc32(answer):08x}")


def times(name):
    found = [when for when, _ in read(name)]
    for when, (after, _) in zip(found, frames(), strict=True):
        assert abs(when - found[0] - after) < 100_000, (when - found[0], after)
    print("good")


if __name__ == "__main__":
    {"make": make, "show": show, "answers": answers, "times": times}[sys.argv[1]](*sys.argv[2:])
