"""What the monitor says of a Linux guest's kernel against what the guest says of itself, at the same moment."""
import re

from terminal import Terminal  # in tests/whole

PROMPT = r"# (\x1b\[6n)?$"
# By kind of owner: frames that a program may take and give back between its count and ours.
MAY_DIFFER = {"reserved": 0, "free": 1024, "slab": 64, "page cache": 96, "anonymous": 96, "page tables": 24}
# A frame or two of a list of samples may have changed hands since.
SAMPLES_MAY_DIFFER = 3



def at_the_prompt(terminal, command):
    """What the guest's shell answers."""
    terminal.type(command + "\n")
    return terminal.until(PROMPT)


def frame_complaints(said, terminal):
    """Owners of frames: `said` is what tests/foreign/frames.c printed."""
    theirs = {name: int(count) for name, count in re.findall(r"([a-z ]+?) (\d+)(?:, |\n)", said)}
    ours = {name: int(count) for name, count in
            re.findall(r"^([a-zA-Z ]+?) +(\d+) frames", terminal.ask("info frames"), re.M)}
    # The frames behind the last one that the kernel was told of are reserved, too.
    theirs["reserved"] = theirs.get("reserved", 0) + sum(ours.values()) - sum(theirs.values())
    found = [f"{name}: {ours.get(name)} frames; the guest says {theirs.get(name)}" for name, room in MAY_DIFFER.items()
             if name not in ours or name not in theirs or abs(ours[name] - theirs[name]) > room]
    samples = re.findall(r"frame ([0-9a-f]+): ([a-z ]+)", said)
    wrong = []
    for frame, kind in samples:
        answer = terminal.ask(f"info frames 0x{frame}000")
        if f"frame {frame}: {kind.replace('other', 'kernel')}\n" not in answer:
            wrong.append(f"{kind}, not {answer.splitlines()[1:2]}")
    if len(samples) < 40 or len(wrong) > SAMPLES_MAY_DIFFER:
        found.append(f"of {len(samples)} frames {len(wrong)} are other ones: {wrong[:4]}")
    return found


def process_complaints(said, answer):
    """Processes: `ps -o pid,ppid,stat,vsz,comm`. Those that work off the kernel's queues come and go; ps is over."""
    def rows(pattern, text):
        return {int(row[0]): row[1:] for row in re.findall(pattern, text, re.M)}

    def is_steady(name):
        return not re.match(r"kworker|ps$", name)

    theirs = rows(r"^ *(\d+) +(\d+) +(\w)\S* +(\S+) +(.+?) *$", said)
    ours = rows(r"^[ *] +(\d+) +(\d+)  (.) +(\d+)  [0-9a-f]+  (.*)$", answer)
    found = []
    for pid in sorted(theirs.keys() | ours.keys()):
        us, them = ours.get(pid), theirs.get(pid)
        # busybox has 15 characters of a name; of ours that are missing in ps, the idle task alone may be.
        if (us and them and us != them and is_steady(us[3])) or (not us and is_steady(them[3])) or \
                (not them and is_steady(us[3]) and pid != 0):
            found.append(f"process {pid}: {us}; the guest says {them}")
    if len(theirs) < 20:
        found.append(f"ps knows {len(theirs)} processes")
    return found[:4]


def area_complaints(said, answer):
    """Areas: /proc/PID/maps. Names that the kernel makes up are not compared, but for heap and stack."""
    theirs = [(int(low, 16), int(high, 16), rights, int(offset, 16), name.strip()) for low, high, rights, offset, name in
              re.findall(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \d+ *(.*)$", said, re.M)]
    ours = [(int(low, 16), int(high, 16), rights, int(offset, 16), name.strip()) for low, high, rights, offset, name in
            re.findall(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) +\d+  (.*)$", answer, re.M)]
    theirs = [row if not re.match(r"\[(vvar|vdso)", row[4]) else row[:4] + ("",) for row in theirs
              if "[vsyscall]" not in row]
    ours = [row if row[4] != "[text]" else row[:4] + ("",) for row in ours]
    pairs = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
    if len(ours) != len(theirs) or len(ours) < 5:
        return [f"{len(ours)} areas; the guest says {len(theirs)}: {ours} {theirs}"]
    return [f"area {us}; the guest says {them}" for us, them in pairs[:4]]


def complaints(command, has_layouts):
    """What is wrong with what the monitor says. `command` is a run that comes to a shell on its terminal."""
    found = []
    terminal = Terminal(command, found.append, limit_seconds=300)
    terminal.until(PROMPT)
    processes = at_the_prompt(terminal, "ps -o pid,ppid,stat,vsz,comm")
    areas = at_the_prompt(terminal, "cat /proc/1/maps")
    frames = at_the_prompt(terminal, "frames")
    terminal.monitor()
    if not found:
        found += frame_complaints(frames, terminal)
        calls = terminal.ask("bt")
        if not re.search(r"do_idle\+0x.*\n(.*\n)*.*cpu_startup_entry\+0x", calls):
            found.append(f"an idle machine's calls: {calls!r}")
        if "is at physical" not in terminal.ask("walk do_idle"):
            found.append("the address of a function")
        said = terminal.ask("info processes")
        if has_layouts:
            found += process_complaints(processes, said) + area_complaints(areas, terminal.ask("info vmas 1"))
        elif "without BTF" not in said:
            found.append(f"processes: {said!r}")
    terminal.type("quit\n")
    status = terminal.end()
    return found + ([f"exit status {status}"] if status != 0 else [])
