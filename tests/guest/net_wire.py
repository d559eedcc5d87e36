"""The other machine on the wire of a guest's network card, written from the RFCs: reads and makes frames of Ethernet, ARP (826),
IPv4 (791), ICMP (792) and UDP (768), and says what is wrong with those that it reads.
"""
import struct

BROADCAST = b"\xff" * 6
ETH_IP, ETH_ARP = 0x0800, 0x0806
ICMP, UDP = 1, 17


class Wrong(Exception):
    """A frame that no right implementation sends."""


def internet_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data):
    return 0xFFFF - internet_sum(data)


def address(text):
    return bytes(int(part) for part in text.split("."))


def ethernet(destination, source, kind, payload):
    frame = destination + source + struct.pack("!H", kind) + payload
    return frame + b"\0" * max(60 - len(frame), 0)


def arp(operation, mac, ip, target_mac, target_ip):
    return struct.pack("!HHBBH", 1, ETH_IP, 6, 4, operation) + mac + ip + target_mac + target_ip


def ipv4(source, destination, protocol, payload, ident=0, offset=0, more=False):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, offset // 8 | (0x2000 if more else 0), 64, protocol, 0)
    head += source + destination
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def fragments(source, destination, protocol, payload, ident, most=1480):
    return [ipv4(source, destination, protocol, payload[at:at + most], ident, at, at + most < len(payload))
            for at in range(0, len(payload), most)]


def udp(source, destination, source_port, destination_port, payload):
    head = struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0)
    pseudo = source + destination + struct.pack("!BBH", 0, UDP, 8 + len(payload))
    return head[:6] + struct.pack("!H", checksum(pseudo + head + payload) or 0xFFFF) + payload


def echo(kind, ident, sequence, payload):
    head = struct.pack("!BBHHH", kind, 0, 0, ident, sequence)
    return head[:2] + struct.pack("!H", checksum(head + payload)) + head[4:] + payload


class Reader:
    """Takes frames of one sender and gives what was in them; raises Wrong."""

    def __init__(self, mac, ip):
        self.mac, self.ip = mac, ip
        self.pieces = {}  # of packets that are not whole yet: by addresses, number, protocol
        self.summed = 0   # datagrams whose checksum was there, and right

    def read(self, frame):
        """("arp", operation, target mac, target ip), ("icmp", message), ("udp", ports, payload), or None: not whole yet."""
        if len(frame) < 60:
            raise Wrong(f"a frame of {len(frame)} bytes")
        if frame[6:12] != self.mac:
            raise Wrong(f"from {frame[6:12].hex()}")
        kind = struct.unpack("!H", frame[12:14])[0]
        if kind == ETH_ARP:
            return self.read_arp(frame)
        if kind != ETH_IP:
            raise Wrong(f"type {kind:#06x}")
        return self.read_ip(frame[14:])

    def read_arp(self, frame):
        hardware, protocol, hardware_bytes, protocol_bytes, operation = struct.unpack("!HHBBH", frame[14:22])
        if (hardware, protocol, hardware_bytes, protocol_bytes) != (1, ETH_IP, 6, 4) or operation not in (1, 2):
            raise Wrong(f"ARP: {frame[14:42].hex()}")
        if frame[22:28] != self.mac or frame[28:32] != self.ip:
            raise Wrong(f"ARP: sender {frame[22:32].hex()}")
        if (operation == 1) != (frame[0:6] == BROADCAST):
            raise Wrong("ARP: requests go to all, replies to one")
        return "arp", operation, frame[32:38], frame[38:42]

    def read_ip(self, packet):
        total, ident, flags = struct.unpack("!HHH", packet[2:8])
        if packet[0] != 0x45 or total > len(packet) or internet_sum(packet[:20]) != 0xFFFF:
            raise Wrong(f"IP: header {packet[:20].hex()}")
        source, destination, protocol, payload = packet[12:16], packet[16:20], packet[9], packet[20:total]
        if source != self.ip:
            raise Wrong(f"IP: from {source.hex()}")
        offset, more = (flags & 0x1FFF) * 8, flags & 0x2000
        if offset or more:
            payload = self.put_together((source, destination, ident, protocol), offset, more, payload)
            if payload is None:
                return None
        if protocol == ICMP:
            if internet_sum(payload) != 0xFFFF:
                raise Wrong("ICMP: checksum")
            return "icmp", payload
        if protocol != UDP:
            raise Wrong(f"IP: protocol {protocol}")
        return self.read_udp(source, destination, payload)

    def put_together(self, key, offset, more, payload):
        pieces = self.pieces.setdefault(key, [])
        if more and len(payload) % 8:
            raise Wrong(f"IP: a fragment of {len(payload)} bytes")
        pieces.append((offset, payload, not more))
        pieces.sort()
        whole = b""
        for at, piece, _ in pieces:
            if at != len(whole):
                return None
            whole += piece
        if not pieces[-1][2]:
            return None
        del self.pieces[key]
        return whole

    def read_udp(self, source, destination, datagram):
        source_port, destination_port, length, check = struct.unpack("!HHHH", datagram[:8])
        if length != len(datagram):
            raise Wrong(f"UDP: length {length}, not {len(datagram)}")
        pseudo = source + destination + struct.pack("!BBH", 0, UDP, length)
        if check:
            self.summed += 1
            if internet_sum(pseudo + datagram) != 0xFFFF:
                raise Wrong(f"UDP: checksum {check:#06x} of {length} bytes")
        return "udp", (source_port, destination_port), datagram[8:]


def pcap_frames(name):
    """The frames of a pcap file, whole; its times may be of micro- or nanoseconds."""
    with open(name, "rb") as file:
        data = file.read()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}.get(data[:4])
    if order is None or struct.unpack(order + "I", data[20:24])[0] != 1:
        raise Wrong(f"pcap: {data[:24].hex()}")
    frames, at = [], 24
    while at < len(data):
        captured, length = struct.unpack(order + "II", data[at + 8:at + 16])
        if captured != length or at + 16 + captured > len(data):
            raise Wrong(f"pcap: record of {captured} of {length} bytes")
        frames.append(data[at + 16:at + 16 + captured])
        at += 16 + captured
    return frames
