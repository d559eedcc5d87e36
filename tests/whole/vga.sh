#!/bin/sh
# A small guest's VGA and keyboard, in both models and on QEMU; its screen as text and as a picture.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
checks_itself vga
"$LK" run -q -s cpu.model=functional -s machine.ram=64MiB --vga-text --vga-screenshot screen.png -o screen vga.elf \
    >text 2>said </dev/null
[ $? = 33 ] || complain "vga: $(head -5 said)"
{
    echo "lookaside's VGA"
    echo
    printf '          \342\225\224\342\225\220\342\225\227 \342\230\272 \303\237 \342\226\210\n'
    for _ in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23; do echo; done
    printf '%70sthe end\n' ''
} >wanted
cmp text wanted || { complain "the screen is another one:"; cat -A text; }
python3 - screen.png <<'END' || complain "the picture of the screen"
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
assert (width, height, depth, kind) == (1120, 750, 8, 2)
at, raw = 8, b""
while at < len(data):
    size, = struct.unpack(">I", data[at:at + 4])
    if data[at + 4:at + 8] == b"IDAT":
        raw += data[at + 8:at + 8 + size]
    at += size + 12
lines, stride, previous = zlib.decompress(raw), width * 3, bytes(width * 3)
colours = {}
for y in range(height):
    kind, line = lines[y * (stride + 1)], bytearray(lines[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
    for x in range(stride):
        a, b, c = line[x - 3] if x >= 3 else 0, previous[x], previous[x - 3] if x >= 3 else 0
        nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        line[x] = (line[x] + (0, a, b, (a + b) // 2, nearest)[kind]) % 256
    for x in range(0, stride, 3):
        pixel = bytes(line[x:x + 3])
        colours[pixel] = colours.get(pixel, 0) + 1
    previous = line
blue, red, white = (colours.get(bytes(c), 0) for c in ((0, 0, 170), (170, 0, 0), (255, 255, 255)))
assert blue > 3000 and red > 1500 and white > 100 and colours[bytes(3)] > 700000, colours
END
"$LK" run -q --vga-screenshot nowhere/f.png -o nothing vga.elf >text 2>said </dev/null
[ $? = 73 ] && [ ! -e nothing ] || complain "a picture that cannot be written: $(cat said)"

# What is typed goes to the keyboard: scan codes of set 1, shift and all.
build_guest typed
printf 'aB\n' | "$LK" run -q -s machine.ram=64MiB --keyboard --max-cycles 1G -o typed typed.elf >text 2>codes
[ $? = 33 ] || complain "typed: $(cat codes)"
echo '1e 9e 2a 30 b0 aa 1c 9c' | cmp - codes || complain "scan codes: $(cat codes)"
finish
