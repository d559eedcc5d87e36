"""What the bench runs: images and command lines. The kernels' image is built here, into build/bench/."""
import os
import subprocess
import sys
from typing import NamedTuple

GUEST_LOADS = {"boot": "init=init", "spin": "init=spin spin.loops=8000000", "touch": "init=touch touch.mib=64 touch.rounds=40"}
# Rounds: about 100 million instructions where the host's own memory does not make that long.
KERNEL_ROUNDS = {"chase": 4, "pages": 10, "stream": 8, "sort": 10, "hash": 18, "sieve": 6, "crc": 10, "matmul": 16, "branches": 5,
                 "strings": 20, "faults": 400, "switches": 20}
STARTUP = "startup"  # no rounds of any kernel
NAMES = (*GUEST_LOADS, *KERNEL_ROUNDS, STARTUP)
FLAGS = ("-m32 -std=gnu17 -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -no-pie -fno-stack-protector -fcf-protection=none "
         "-fno-asynchronous-unwind-tables -march=i686 -mno-sse -mno-mmx -nostdlib -static -fno-tree-loop-distribute-patterns "
         "-Wl,-N,-Ttext=0x100000 -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments").split()


class Load(NamedTuple):
    name: str
    image: str
    command_line: str
    is_kernel: bool


def build_kernels(root):
    image = os.path.join(root, "build/bench/kernels.elf")
    os.makedirs(os.path.dirname(image), exist_ok=True)
    sources = ("tests/whole/guests/entry.S", "tests/whole/guests/guest.c", "tests/bench/kernels.c")
    built = subprocess.run(["gcc", *FLAGS, f"-I{root}", "-o", image, *(os.path.join(root, source) for source in sources)],
                           check=False, capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f"bench: the kernels do not build:\n{built.stderr}")
    return image


def choose(root, only):
    """The loads that a comma-separated list names, or all."""
    names = only.split(",") if only else NAMES
    for name in names:
        if name not in NAMES:
            sys.exit(f"bench: no load {name}; there are {', '.join(NAMES)}")
    guest = os.path.join(root, "build/guest/kernel-i386.elf")
    kernels = build_kernels(root)
    return [Load(name, guest, GUEST_LOADS[name], False) if name in GUEST_LOADS else
            Load(name, kernels, f"{name}={KERNEL_ROUNDS[name]}" if name != STARTUP else "crc=0", True) for name in names]
