#!/usr/bin/env python3
"""Host instructions for each guest instruction, counted by callgrind: they do not depend on what else the host does.

usage: host_instructions.py KERNEL ROUNDS ROUNDS ... [-s PATH=VALUE ...]

KERNEL (loads.py) runs for each of these numbers of rounds. Each pair of neighbours gives a line: what the longer run needs
more, divided by the guest instructions it has more. If the lines agree, the cost does not grow with the length of a run.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import loads

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def count(image, command_line, settings):
    """Host and guest instructions of a run."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind", os.path.join(ROOT, "build/lookaside"),
                   "run", "-q", image, "-a", command_line, "-o", f"{folder}/out", *settings]
        said = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stderr
        found = re.search(r"Collected : (\d+)", said)
        if not found:
            sys.exit(f"host_instructions: {' '.join(command)}:\n{said}")
        with open(f"{folder}/out/stats.json", encoding="utf-8") as file:
            return int(found.group(1)), json.load(file)["cpu0.instructions"]


def main():
    words = sys.argv[1:]
    settings = []
    while "-s" in words:
        at = words.index("-s")
        settings += words[at:at + 2]
        del words[at:at + 2]
    if len(words) < 3 or words[0] not in loads.KERNEL_ROUNDS or not all(word.isdigit() for word in words[1:]):
        sys.exit(__doc__)
    kernel, rounds = words[0], [int(word) for word in words[1:]]
    image = loads.build_kernels(ROOT)
    runs = [count(image, f"{kernel}={nr}", settings) for nr in rounds]
    for begin, end, (host, guest), (more_host, more_guest) in zip(rounds, rounds[1:], runs, runs[1:]):
        print(f"{kernel}, from round {begin} to {end}: {more_guest - guest} guest instructions, "
              f"{(more_host - host) / (more_guest - guest):.1f} host instructions each", flush=True)


main()
