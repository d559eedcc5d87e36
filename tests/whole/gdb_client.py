"""A client of the remote serial protocol that is not gdb: sends packets by hand, also malformed ones, to a run of the
bundled guest that waits, and checks what comes back. usage: gdb_client.py PORT KERNEL|crash|steps
steps: of ends.elf, run with -a spin_ticks"""
import random
import re
import socket
import struct
import subprocess
import sys

failures = 0


def check(is_good, what):
    global failures
    if not is_good:
        print(f"FAILED: {what}")
        failures += 1


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def send(self, data):
        self.socket.sendall(data)

    def byte(self):
        if not self.received:
            self.received = self.socket.recv(65536)
            if not self.received:
                raise EOFError("hung up")
        first, self.received = self.received[:1], self.received[1:]
        return first

    def packet(self):
        """The next packet, unescaped; its checksum is checked."""
        byte = self.byte()
        while byte != b"$":
            assert byte in (b"+", b"-"), byte
            byte = self.byte()
        raw = b""
        while (byte := self.byte()) != b"#":
            raw += byte
        check(int(self.byte() + self.byte(), 16) == sum(raw) % 256, "a reply's checksum is wrong")
        return re.sub(rb"}(.)", lambda found: bytes([found[1][0] ^ 0x20]), raw, flags=re.S)

    def ask(self, body, acknowledge=True):
        if isinstance(body, str):
            body = body.encode()
        self.send(b"$" + body + b"#%02x" % (sum(body) % 256))
        answer = self.packet()
        if acknowledge:
            self.send(b"+")
        return answer

    def monitor(self, line):
        answer, text = self.ask("qRcmd," + line.encode().hex()), b""
        while answer[:1] == b"O" and answer != b"OK":
            text += bytes.fromhex(answer[1:].decode())
            answer = self.packet()
        check(answer == b"OK", f"monitor {line}: {answer}")
        return text.decode()


def number(answer):
    return int.from_bytes(bytes.fromhex(answer.decode()), "little")


def symbols_of(kernel):
    listing = subprocess.run(["nm", kernel], check=True, capture_output=True, text=True).stdout
    return {name: int(address, 16) for address, _, name in (line.split() for line in listing.splitlines())}


def registers_of(description):
    return re.findall(r'<reg name="(\w+)" bitsize="(\d+)"', description)


def read_description(client):
    text, answer = b"", b"m"
    while answer[:1] == b"m":
        answer = client.ask(f"qXfer:features:read:target.xml:{len(text):x},123")
        text += answer[1:]
    return text.decode()


def talk(client, kernel):
    symbols = symbols_of(kernel)
    check(b"PacketSize=4000" in client.ask("qSupported:swbreak+;hwbreak+"), "qSupported")
    description = read_description(client)
    registers = registers_of(description)
    names = [name for name, _ in registers]
    check(description.rstrip().endswith("</target>") and "<architecture>i386<" in description, "the description")
    check(names[:10] == "eax ecx edx ebx esp ebp esi edi eip eflags".split(), "the core's registers")
    everything = client.ask("g")
    check(len(everything) == sum(int(bits) // 4 for _, bits in registers), "g has all registers that are described")
    one_by_one = b"".join(client.ask(f"p{i:x}") for i in range(len(registers)))
    check(everything == one_by_one, "g and p say the same")
    check(client.ask(b"G" + everything) == b"OK" and client.ask("g") == everything, "G with what g said")

    def register(name):
        return number(client.ask(f"p{names.index(name):x}"))

    for name, value in (("eax", 0x12345678), ("st3", 0x3FFF8000000000000000), ("xmm7", 1 << 127 | 5), ("mxcsr", 0x1FA0)):
        i = names.index(name)
        size = int(registers[i][1]) // 8
        old = client.ask(f"p{i:x}")
        check(client.ask(f"P{i:x}=" + value.to_bytes(size, "little").hex()) == b"OK", f"write {name}")
        check(register(name) == value, f"{name} is what was written")
        client.ask(f"P{i:x}=".encode() + old)
    check(client.ask("g") == everything, "all registers are what they were")
    check(client.ask(f"P{names.index('cycles'):x}=" + "01" * 8) == b"E22", "the clock cannot be set")
    check(client.ask(f"P{names.index('mxcsr'):x}=ffffffff") == b"E22", "reserved bits of MXCSR")

    # Points count from before paging on, and through changes of CR3.
    start = symbols["start_kernel"]
    check(client.ask(f"m{start:x},4") == b"E14", "the kernel is not mapped yet")
    check(client.ask(f"Z1,{start:x},1") == b"OK", "Z1")
    check(client.ask("vCont;c") == b"T05thread:1;hwbreak:;" and register("eip") == start, "the breakpoint")
    with open(kernel, "rb") as file:
        image = file.read()
    offset, base = next((struct.unpack_from("<I", image, at + 4)[0], struct.unpack_from("<I", image, at + 8)[0])
                        for at in range(struct.unpack_from("<I", image, 28)[0], len(image), 32)
                        if struct.unpack_from("<I", image, at)[0] == 1
                        and struct.unpack_from("<I", image, at + 8)[0] <= start
                        < struct.unpack_from("<I", image, at + 8)[0] + struct.unpack_from("<I", image, at + 16)[0])
    code = image[offset + start - base:][:64]
    check(client.ask(f"m{start:x},40").decode() == code.hex(), "memory under a breakpoint is what the file has")
    check(client.ask("Qqemu.PhyMemMode:1") == b"OK" and client.ask("qqemu.PhyMemMode") == b"1", "physical addresses")
    check(client.ask(f"m{start - 0xC0000000:x},40").decode() == code.hex(), "the same by its physical address")
    check(client.ask("mb8000,4") == b"E14", "a device's memory is not read")
    check(client.ask("mffffffff0000,4") == b"E14", "beyond RAM")
    client.ask("Qqemu.PhyMemMode:0")
    check(client.ask(f"X{start:x},0:") == b"OK", "X is there")
    stack = register("esp")
    old = client.ask(f"m{stack - 64:x},10")
    check(client.ask(b"X%x,4:" % (stack - 64) + b"}\x03}\x04}\x5d*") == b"OK", "X with escapes")
    check(client.ask(f"m{stack - 64:x},4") == b"23247d2a", "bytes that X escaped")
    check(client.ask(f"M{stack - 64:x},10:".encode() + old) == b"OK", "M")
    check(client.ask(f"m{stack - 64:x},10") == old, "bytes that M wrote")

    # One instruction after another: the next address is where the processor itself goes on.
    cycles, insns = register("cycles"), register("insns")
    for i in range(20):
        check(client.ask("vCont;s:1;c") == b"T05thread:1;", "a step")
        check(register("insns") == insns + i + 1, "a step is one instruction")
    check(cycles <= register("cycles") < cycles + 20000, "and takes time")
    check(client.ask(f"z1,{start:x},1") == b"OK", "z1")

    fault = symbols["do_page_fault"]
    check(client.ask(f"Z0,{fault:x},1") == b"OK" and client.ask("c") == b"T05thread:1;swbreak:;", "Z0")
    check(register("eip") == fault, "it stops there")
    tables = register("cr3")
    check(client.ask("s").startswith(b"T05") and register("cr3") == tables, "a step from a breakpoint")
    counter = symbols["nr_switches"]
    for kind, name in ((2, b"watch"), (4, b"awatch"), (3, b"rwatch")):
        check(client.ask(f"Z{kind},{counter:x},4") == b"OK", f"Z{kind}")
        client.ask(f"z0,{fault:x},1")
        check(client.ask("vCont;c") == b"T05thread:1;%s:%x;" % (name, counter), f"{name} points stop")
        check(client.ask(f"z{kind},{counter:x},4") == b"OK", f"z{kind}")

    # A break-in; and a resent reply.
    client.send(b"$vCont;c#a8")
    client.send(b"\x03")
    check(client.packet() == b"T02thread:1;", "a break-in")
    client.send(b"-")
    check(client.packet() == b"T02thread:1;", "the reply once more")
    client.send(b"+")
    check("phys on" in client.monitor("help") and "walk ADDRESS" in client.monitor("help"), "monitor help")
    monitor(client, symbols, start, code)
    past(client, register)
    malformed(client, everything)
    check(client.ask("bsx") == b"" and client.ask("b") == b"", "packets that are none")
    # From the begin the run goes on by itself, once more.
    check(client.ask("bc") == b"T05thread:1;replaylog:begin;", "the begin of history")
    check(client.ask("bs") == b"T05thread:1;replaylog:begin;", "nothing before that")
    check(client.ask("D") == b"OK", "detach")


def past(client, register):
    """Each place that is met on the way forward is met on the way back."""
    places = []
    for _ in range(8):
        places.append([register(name) for name in ("insns", "cycles", "eip", "esp", "eflags")])
        check(client.ask("s") == b"T05thread:1;", "a step")
    for place in reversed(places):
        check(client.ask("bs") == b"T05thread:1;", "a step back")
        check([register(name) for name in ("insns", "cycles", "eip", "esp", "eflags")] == place, "the place before")


def monitor(client, symbols, start, code):
    """The monitor's commands, and what is none."""
    words = client.monitor(f"x/4xw 0x{start:x}").split()[1:]
    check([int(word, 16) for word in words] == list(struct.unpack_from("<4I", code)), "monitor x")
    check(client.monitor(f"xp/4xw 0x{start - 0xC0000000:x}").split()[1:] == words, "monitor xp")
    check(client.monitor("x/1xb start_kernel") == f"{start:08x}: 0x{code[0]:02x}\n", "a symbol's address")
    check(f"is at physical {start - 0xC0000000:08x}" in client.monitor("walk start_kernel"), "monitor walk")
    check("is not mapped" in client.monitor("walk 0x10"), "a walk that ends early")
    check(client.monitor("info registers").startswith("eax "), "info registers")
    check(len(client.monitor("info segments").splitlines()) == 10, "info segments")
    check("cpu0.cycles " in client.monitor("stats cpu0.cycles"), "stats")
    check(client.monitor("stats no.such") == "", "statistics that there are not")
    for name in ("tlb", "cache", "tlb dtlb", "cache l1d"):
        check(client.monitor("info " + name) != "", "info " + name)
    for line in ("nonsense", "info", "info nonsense", "info tlb l9", "info cache l9", "walk", "walk 0x", "walk no_such_symbol",
                 "x/0x 1", "x/5z 1", "x/99999x 0", "x", "step x", "step 0", "cont", "quit", "dump", "checkpoint", "checkpoint /nowhere/there", "walk 1 2", "x/xw 0x10",
                 "dump /", "dump /nowhere/core", "a" * 120, "a b c d e f", "walk $nothing", "walk 1+", "walk -1", "/", "x/"):
        check(len(client.monitor(line).splitlines()) == 1, f"monitor {line}: one line that says what is wrong")


def malformed(client, everything):
    """Each has an answer, and none has an effect."""
    before = client.ask("g")
    for packet, answer in (
            ("m", b"E22"), ("m,", b"E22"), ("m1", b"E22"), ("mg,1", b"E22"), ("m0,1x", b"E22"),
            ("m11111111111111111,1", b"E22"), ("m10,ffffffffffffffff", b"E14"), ("mffffffffffffffff,8", b"E14"),
            ("M0", b"E22"), ("M0,2:00", b"E22"), ("M0,1:0g", b"E22"), ("M0,1:00", b"E14"), ("X0,1:", b"E22"),
            ("X0,1", b"E22"), ("M0,ffffffff:", b"E22"), ("p", b"E22"), ("pffff", b"E22"), ("P0", b"E22"), ("P0=", b"E22"),
            ("P0=00", b"E22"), ("Pffffffffffffffff=0", b"E22"), ("G", b"E22"), ("G0", b"E22"), ("Gzz", b"E22"),
            (b"G" + everything + b"00", b"E22"), ("Z", b"E22"), ("Z0", b"E22"), ("Z9,0,1", b"E22"), ("Z0,0,0", b"E22"),
            ("Z2,0,", b"E22"), ("z0,x,1", b"E22"), ("z0,1234,1", b"OK"), ("vCont", b"E22"), ("vCont;", b"E22"),
            ("vCont;x", b"E22"), ("vCont;c:9", b"E22"), ("vCont;s:1;", b"E22"), ("vCont;C", b"E22"), ("czz", b"E22"),
            ("C", b"E22"), ("H", b"E22"), ("Hx1", b"E22"), ("Hg5", b"E22"), ("Hg0", b"OK"), ("Hc-1", b"OK"), ("Hgp1.1", b"OK"),
            ("T9", b"E22"), ("T1", b"OK"), ("qRcmd,4", b"E22"), ("qRcmd,zz", b"E22"), ("qRcmd," + "41" * 1000, b"E22"),
            ("Qqemu.PhyMemMode:2", b"E22"), ("QNonStop:1", b"E22"), ("QNonStop:0", b"OK"), ("", b""), ("vMustReplyEmpty", b""),
            ("qXfer:features:read:other.xml:0,10", b"E00"), ("qXfer:features:read:target.xml:ffffff,10", b"E22"),
            ("qXfer:features:read:target.xml:0", b"E22"), ("qfoo", b""), (b"g\0", b"E22"), (b"\xff\xfe", b""), ("qC", b"QC1"),
            ("qAttached", b"1"), ("qfThreadInfo", b"m1"), ("qsThreadInfo", b"l"), ("qSymbol::", b"OK"), ("!", b"OK")):
        said = client.ask(packet)
        check(said == answer, f"{packet!r}: {said!r}, not {answer!r}")
    # A packet that is longer than any may be, one with a wrong checksum, and one that is cut short by the next.
    check(client.ask("M0,1:" + "0" * 100000) == b"E22", "a packet that is too long")
    client.send(b"$g#00")
    check(client.byte() == b"-", "a wrong checksum")
    client.send(b"$mdead$")
    client.send(b"qC#b4")
    check(client.packet() == b"QC1", "a packet that was cut short")
    # Noise: whatever is answered, at its end the client is understood.
    noise = random.Random(1)
    alphabet = b"$#}*+-\x03gGpPmMXzZqQvHcCsT?;:,=0123456789abcdef\x00\xff"
    for _ in range(300):
        body = bytes(noise.choice(alphabet) for _ in range(noise.randrange(40)))
        body = body.replace(b"$", b"").replace(b"#", b"").replace(b"}", b"")
        # Nothing that could let the guest run, change it, or is an empty run of acknowledgements.
        if not body or body[:1] in b"cCsSvPGMXkDz\x03+-":
            body = b"m" + body
        client.ask(body)
    for index in range(300):  # there is room for 256 points
        client.ask(f"Z0,{0x10000000 + index:x},1")
    check(client.ask("Z0,20000000,1") == b"E28", "too many points")
    for index in range(300):
        client.ask(f"z0,{0x10000000 + index:x},1")
    check(client.ask("g") == before, "malformed packets changed a register")
    # Without acknowledgements.
    check(client.ask("QStartNoAckMode") == b"OK", "QStartNoAckMode")
    client.send(b"$qC#00")
    check(client.packet() == b"QC1", "a checksum that does not matter any more")


def crash(client):
    check(client.ask("?").startswith(b"T05"), "?")
    check(client.ask("vCont;c") == b"T06thread:1;", "a panic stops the machine")
    check(len(client.ask("g")) > 100, "and can be looked at")
    check(client.ask("vCont;c") == b"W52", "the exit status, 82")


def steps(client):
    """Steps go over interrupts, or into them where that is asked for; a point in a handler stops in any case."""
    symbols = symbols_of("ends.elf")
    spin, end, handler = (symbols[name] for name in ("spin", "spin_end", "trap"))
    names = [name for name, _ in registers_of(read_description(client))]

    def register(name):
        return number(client.ask(f"p{names.index(name):x}"))

    def walk(nr_steps):
        """Where they end; how many ended behind more than one instruction."""
        places, nr_long, before = set(), 0, register("insns")
        for _ in range(nr_steps):
            check(client.ask("s") == b"T05thread:1;", "a step")
            now = register("insns")
            nr_long += now > before + 1
            before = now
            places.add(register("eip"))
        return places, nr_long

    client.ask("qSupported:swbreak+")
    check(client.ask("qqemu.sstepbits") == b"ENABLE=1,NOIRQ=2", "what a step can be")
    check(client.ask("qqemu.sstep") == b"0x3", "a step goes over interrupts at first")
    check(client.ask(f"Z0,{spin:x},1") == b"OK" and client.ask("c").startswith(b"T05") and register("eip") == spin, "the loop")
    places, nr_long = walk(900)
    check(len(places) == 8 and min(places) == spin and max(places) < end, f"steps leave the loop: {[hex(p) for p in places]}")
    check(nr_long >= 2, f"only {nr_long} interrupts came in between")
    check(client.ask(f"z0,{spin:x},1") == b"OK" and client.ask(f"Z0,{handler:x},1") == b"OK", "a point in the handler")
    stops = [client.ask("s") for _ in range(600)]
    check(stops.count(b"T05thread:1;") + stops.count(b"T05thread:1;swbreak:;") == 600, "steps, and a point")
    check(b"T05thread:1;swbreak:;" in stops, "the point in the handler is met within a step")
    check(client.ask(f"z0,{handler:x},1") == b"OK", "no point")
    check(client.ask("Qqemu.sstep=1") == b"OK" and client.ask("qqemu.sstep") == b"0x1", "a step into interrupts")
    check(client.ask("Qqemu.sstep=0") == b"E22" and client.ask("Qqemu.sstep=4") == b"E22", "steps that there are not")
    places, nr_long = walk(900)
    check(any(place < spin or place >= end for place in places), "a step into interrupts is never in a handler")
    check("goes over" in client.monitor("interrupts over") and client.ask("qqemu.sstep") == b"0x3", "monitor interrupts over")
    check("may end in" in client.monitor("interrupts into") and client.ask("qqemu.sstep") == b"0x1", "monitor interrupts into")
    check(client.ask("D") == b"OK", "detach")


def main():
    client = Client(int(sys.argv[1]))
    if sys.argv[2] == "crash":
        crash(client)
    elif sys.argv[2] == "steps":
        steps(client)
    else:
        talk(client, sys.argv[2])
    sys.exit(failures != 0)


main()
