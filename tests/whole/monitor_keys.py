"""Types at a run's terminal: the escape key, the monitor's commands; reads the progress line.
usage: monitor_keys.py LOOKASIDE KERNEL ARGUMENTS, of a guest that spins; the first run's statistics go into the folder
`talked`."""
import os
import pty
import re
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
from terminal import Terminal  # noqa: E402  beside this file

failures = 0


def complain(what):
    check(False, what)


def check(is_good, what):
    global failures
    if not is_good:
        print(f"FAILED: {what}")
        failures += 1


def ask_the_kernel(terminal):
    """What the guest's kernel says of itself, once it runs its program."""
    while re.search(r"^\* .* kernel_init$", said := terminal.ask("info processes"), re.M):
        terminal.type("cont\n")
        time.sleep(0.02)
        terminal.monitor()
    check(re.search(r"^\* +1 .* (init|spin)$", said, re.M) and re.search(r"^ +2 .* kthreadd$", said, re.M), f"processes: {said!r}")
    tables = re.search(r"^\* +1 .* ([0-9a-f]{9})  (?:init|spin)$", said, re.M)
    check(tables and f"cr3 {int(tables[1], 16):08x}" in terminal.ask("walk 0"), f"the tables of the one that runs: {said!r}")
    areas = terminal.ask("info vmas")
    check(areas.replace("info vmas", "info vmas 1") == terminal.ask("info vmas 1"), "the areas of the one that runs")
    pc = re.search(r"([0-9a-f]+):", terminal.ask("x/1i $pc"))
    ranges = [(int(low, 16), int(high, 16)) for low, high in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) r-x", areas, re.M)]
    check(any(low <= int(pc[1], 16) < high for low, high in ranges) or int(pc[1], 16) >= 0xc0000000,
          f"code runs in an area for it: {areas!r}")
    frames = re.findall(r" (\d+) frames", terminal.ask("info frames"))
    rows = re.findall(r"^\w+ +([0-9a-f]+) +(\d+) +(\d+) +\d+ +\d+ +\d+$", terminal.ask("info zones"), re.M)
    check(len(frames) == 9 and sum(map(int, frames)) >= sum(int(row[1]) for row in rows) > 0, f"frames {frames}, zones {rows}")
    check(": page tables" in terminal.ask("info frames $cr3"), "whose frame the tables lie in")
    check(re.search(r"calls, the innermost first:\n  [0-9a-f]{8} ", terminal.ask("bt")), "the calls")
    for line in ("info vmas nobody", "info vmas 99999", "info frames 0xffffffffff", "info vmas 1 2", "bt 1"):
        check(terminal.ask(line).count("\n") == 2, f"{line}: one line")


def talk(lookaside, kernel, arguments):
    terminal = Terminal([lookaside, "run", "-q", "-a", arguments, "--max-cycles", "200M", "-o", "talked", kernel], complain)
    terminal.until("zone")
    raw = termios.tcgetattr(terminal.master)
    terminal.type("\x01h")
    terminal.until("Ctrl-A c  .*\n")
    place = terminal.monitor()
    check(re.search(r"cycle \d+( in \w+)?\n[0-9a-f]{8}: \w+", place), f"where it is: {place!r}")
    check(termios.tcgetattr(terminal.master)[3] & termios.ICANON and not raw[3] & termios.ICANON,
          "lines are edited by the terminal in the monitor only")
    first = terminal.ask("info registers")
    cycle = int(re.search(r"cycle (\d+), (\d+) instructions", first)[1])
    number = int(re.search(r"cycle (\d+), (\d+) instructions", first)[2])
    check("is no command" in terminal.ask("nonsense"), "a word that is no command")
    check(terminal.ask("").count("\n") <= 1, "an empty line is none")
    stepped = terminal.ask("step 7")
    check(int(re.search(r"cycle (\d+)", stepped)[1]) >= cycle, "steps take time")
    again = terminal.ask("info registers")
    # Of a repeated instruction a step is one iteration.
    check(number <= int(re.search(r"(\d+) instructions", again)[1]) <= number + 7 and again != first, "seven steps")
    branches = terminal.ask("branches 20000")
    number_then = int(re.search(r"(\d+) instructions", terminal.ask("info registers"))[1])
    counts = [int(n) for n in re.findall(r"(\d+) times from \S+ to \S+", branches)]
    check("in the 20000 instructions" in branches and counts and counts == sorted(counts, reverse=True) and
          number_then > number, f"branches: {branches!r}")
    check("is no count" in terminal.ask("branches many"), "branches wants a count")
    check("is at physical" in terminal.ask("walk $esp"), "a walk")
    ask_the_kernel(terminal)
    while "within a fetch block" in (said := terminal.ask("checkpoint points")):
        terminal.ask("step")
    check(re.search(r"checkpoint points/\d+\.checkpoint", said), f"a checkpoint: {said!r}")
    terminal.type("cont\n")
    check(terminal.end() == 80, "the run goes on to its limit")

    terminal = Terminal([lookaside, "run", "-q", "-a", arguments, "-o", "quit", kernel], complain)
    terminal.until("zone")
    terminal.monitor()
    terminal.type("quit\n")
    check(terminal.end() == 0, "quit ends the run")


def progress(lookaside, kernel, arguments, options, is_terminal):
    """What a run says on stderr beside the guest's console."""
    command = [lookaside, "run", "-q", "-o", "progress", "--max-cycles", "200M", *options, "-a", arguments, kernel]
    if not is_terminal:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True, check=False).stderr
    master, slave = pty.openpty()
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave, close_fds=True)
    os.close(slave)
    text = b""
    try:
        while part := os.read(master, 65536):
            text += part
    except OSError:
        pass
    run.wait()
    return text.decode()


def main():
    lookaside, kernel, arguments = sys.argv[1:]
    talk(lookaside, kernel, arguments)
    line = r"\rlookaside: cycle [\d.]+ M, [\d.]+ M instructions, [\d.]+ M/s, \d+ %, \d+ s left\x1b\[K"
    said = progress(lookaside, kernel, arguments, [], True)
    check(re.search(line, said) and "\r\x1b[K" in said, f"a progress line on a terminal, which is taken away: {said!r}")
    check("left" not in progress(lookaside, kernel, arguments, ["--progress=never"], True), "none where none is wanted")
    check("left" not in progress(lookaside, kernel, arguments, [], False), "none in a pipe")
    sys.exit(failures != 0)


main()
