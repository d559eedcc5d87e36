"""Runs the bundled guest on Bochs, which knows no multiboot: the image as RAM, and a ROM that enters it."""
import os
import pty
import select
import shutil
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
VGA_ROM = "/usr/share/bochs/VGABIOS-lgpl-latest"
RAM_MIB = 1024
LOAD_ADDRESS = 0x100000
LAST_WORDS = b"Power down."  # Bochs has no power switch where QEMU has it, so the console tells when the guest is done

CONFIG = f"""
memory: guest={RAM_MIB}, host={RAM_MIB}
romimage: file=rom.bin, address=0xffff0000
vgaromimage: file={VGA_ROM}
optramimage1: file=guest.bin, address={LOAD_ADDRESS:#x}
com1: enabled=1, mode=file, dev=console.txt
display_library: term
boot: floppy
log: log.txt
panic: action=fatal
cpu: ips=100000000
"""


def is_there():
    tools = ("bochs", "gcc", "ld", "objcopy", "readelf")
    return all(shutil.which(tool) for tool in tools) and os.path.exists(VGA_ROM)


def entry_of(kernel):
    header = subprocess.run(["readelf", "-h", kernel], capture_output=True, text=True, check=True).stdout
    return next(line.split()[-1] for line in header.splitlines() if "Entry point" in line)


def prepare(folder, kernel, command_line):
    """Writes the ROM, the flat image and Bochs' configuration."""
    # The first word is the image's name, as multiboot loaders give it.
    text = f"guest {command_line}".replace("\\", "\\\\").replace('"', '\\"')
    image = os.path.join(folder, "guest.bin")
    subprocess.run(["objcopy", "-O", "binary", kernel, image], check=True)
    image_end = LOAD_ADDRESS + os.path.getsize(image)
    subprocess.run(["gcc", "-m32", "-c", f"-DENTRY={entry_of(kernel)}", f"-DIMAGE_START={LOAD_ADDRESS:#x}",
                    f"-DIMAGE_END={image_end:#x}", f"-DRAM_KIB={RAM_MIB * 1024}",
                    f'-DCOMMAND_LINE="{text}"', os.path.join(HERE, "bochs_rom.S"), "-o", "rom.o"], cwd=folder, check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext=0xF0000", "-e", "0", "--oformat", "binary", "rom.o", "-o", "rom.bin"],
                   cwd=folder, check=True)
    for name, words in (("bochsrc", CONFIG), ("commands", "c\n")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(words)


def has_ended(process):
    """Without reaping it, so that what it used can still be asked for."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def is_done(console):
    try:
        with open(console, "rb") as file:
            return LAST_WORDS in file.read()
    except FileNotFoundError:
        return False


def measure(kernel, command_line, time_limit_seconds):
    """User and system time of a run to the guest's last words, and its peak memory in KiB; None when it does not get there."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder, kernel, command_line)
        master, terminal = pty.openpty()
        environment = dict(os.environ, TERM="xterm")
        # Debian's Bochs is built with its debugger, which waits for a `c` first.
        bochs = subprocess.Popen(["bochs", "-q", "-f", "bochsrc", "-rc", "commands"], cwd=folder, env=environment,
                                 stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        end = time.monotonic() + time_limit_seconds
        done = False
        while not done and not has_ended(bochs) and time.monotonic() < end:
            if select.select([master], [], [], 0.01)[0]:
                os.read(master, 65536)
            done = is_done(os.path.join(folder, "console.txt"))
        bochs.kill()
        _, _, used = os.wait4(bochs.pid, 0)
        bochs.returncode = 0
        os.close(master)
    return (used.ru_utime + used.ru_stime, used.ru_maxrss) if done else None
