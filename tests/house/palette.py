#!/usr/bin/env python3
"""The window's colours differ for people of all kinds of colour vision: the distance of each two of a list, as
protanopes, deuteranopes, tritanopes and all others see them (G. Machado et al., "A Physiologically-based Model for
Simulation of Color Vision Deficiency", 2009, table 1, severity 1), in CIE L*a*b*, D65."""

import itertools
import math
import os
import re
import sys

LEAST_DISTANCE = 11  # a just noticeable difference is 2.3
VISION = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(byte):
    value = byte / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def seen(colour, matrix):
    rgb = [linear(colour >> shift & 255) for shift in (16, 8, 0)]
    red, green, blue = (min(1, max(0, sum(a * b for a, b in zip(row, rgb)))) for row in matrix)
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def colours_of(name):
    with open(os.path.join(os.environ["LK_SOURCE"], "sim", "observe", name)) as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
    return [int(value, 16) for value in re.findall(r"0x([0-9a-f]{6})\)", text)]


owners = colours_of("view_owners.def")
failures = 0
lists = {"the kernel's owners": owners[:9], "the hardware's owners": owners[9:] + owners[6:7], "processes": colours_of("view_processes.def")}
for name, colours in lists.items():
    if len(colours) < 5:
        sys.exit(f"{name}: only {len(colours)} colours found")
    for (one, other), (vision, matrix) in itertools.product(itertools.combinations(colours, 2), VISION.items()):
        distance = math.dist(seen(one, matrix), seen(other, matrix))
        if distance < LEAST_DISTANCE:
            print(f"{name}: {one:06x} and {other:06x} are {distance:.1f} apart for eyes with {vision}")
            failures += 1
sys.exit(1 if failures else 0)
