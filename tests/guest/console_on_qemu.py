#!/usr/bin/env python3
"""Types at the bundled guest's keyboard on QEMU, and reads its screen out of the VGA's memory.

Usage: console_on_qemu.py KERNEL. A program that writes what it reads sees the lines as they were typed, shift, Caps Lock,
backspace and Ctrl-D included; the screen has the same text as COM1, in lines of 80 columns.
Exit status 77 (skipped) where there is no QEMU.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TIMEOUT_S = 60
WINDOW, WINDOW_BYTES, COLUMNS = 0xB8000, 0x8000, 80
# What is pressed, and what the terminal shows of it: the echo, then what the program writes.
KEYS = "shift-h e l l o spc caps_lock w x caps_lock backspace shift-1 ret slash 7 shift-minus ret".split()
SHOWN = ["Hello WX\b \b!", "Hello W!", "/7_", "/7_"]


class Qmp:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.do("qmp_capabilities")

    def do(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "error" in answer:
                sys.exit(f"{command}: {answer}")
            if "return" in answer:
                return

    def press(self, keys):
        self.do("send-key", keys=[{"type": "qcode", "data": key} for key in keys.split("-")])


def screen_lines(text):
    """The text as a screen of 80 columns has it, a line each."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for character in line:
            shown = shown[:-1] if character == "\b" else shown + character
        shown = shown.replace("\r", "")
        lines += [shown[i:i + COLUMNS].rstrip() for i in range(0, max(len(shown), 1), COLUMNS)]
    return lines


def main():
    if not shutil.which("qemu-system-i386"):
        print("no qemu-system-i386: skipped")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as work:
        console, qmp, dump = (os.path.join(work, name) for name in ("console", "qmp", "dump"))

        def text():
            return open(console, "rb").read().decode("latin-1").replace("\r\n", "\n") if os.path.exists(console) else ""

        qemu = subprocess.Popen(
            ["qemu-system-i386", "-m", "64M", "-display", "none", "-monitor", "none", "-no-reboot",
             "-serial", f"file:{console}", "-qmp", f"unix:{qmp},server=on,wait=off", "-kernel", sys.argv[1],
             "-append", "console=tty0 init=cat"])

        def wait_for(what):
            deadline = time.time() + TIMEOUT_S
            while what not in text():
                if time.time() > deadline or qemu.poll() is not None:
                    sys.exit(f"no {what!r} on the console:\n{text()[-500:]}")
                time.sleep(0.05)

        try:
            wait_for("  value there")
            monitor = Qmp(qmp)
            for keys in KEYS:
                monitor.press(keys)
                time.sleep(0.15)  # a key is held for 0.1 s
            wait_for("/7_\n/7_\n")
            monitor.do("pmemsave", val=WINDOW, size=WINDOW_BYTES, filename=dump)
            before = text()
            monitor.press("ctrl-d")
            wait_for("Power down.")
            if qemu.wait(TIMEOUT_S):
                sys.exit("QEMU did not end well")
        finally:
            qemu.kill()
        if "\n".join(SHOWN) + "\ncat[1]: exited with status 0" not in text():
            sys.exit(f"typed, and read by the program:\n{text()[-400:]}")
        cells = open(dump, "rb").read()[::2].decode("latin-1")
        rows = [cells[i:i + COLUMNS].rstrip() for i in range(0, len(cells), COLUMNS)]
        wanted = screen_lines(before)[-24:]
        if not any(rows[i:i + len(wanted)] == wanted for i in range(len(rows))):
            sys.exit("the screen has not what COM1 has:\n" + "\n".join(wanted) + "\n--- but\n" + "\n".join(rows))
        print("the keyboard is read, and the screen shows what COM1 does")


main()
