"""A session at the shell of the bundled guest's root file system, on whatever machine runs it: types commands at the serial
console and checks what they say, against the host, against what went into the image, or against arithmetic.

Run as a program it takes the command that starts the machine: that a Linux of Debian's passes with the same disk shows that
what is expected here is right (the kernel's own messages, and what is only in this guest's /proc, are left out with --linux).
"""
import glob
import hashlib
import os
import re
import select
import subprocess
import sys
import time

PROMPT = re.compile(rb"<([0-9]+)> (\x1b\[6n)?$")
FIRST_PROMPT = re.compile(rb"# (\x1b\[6n)?$")
ANSWER_SECONDS = float(os.environ.get("LK_ANSWER_SECONDS", "60"))
CTRL_C, CTRL_D, CTRL_Z, ESCAPE = b"\x03", b"\x04", b"\x1a", b"\x1b"


class Failure(Exception):
    """The machine did not do what it should; the text says what."""


class Session:
    """The machine's console. Everything it ever said is in `console`."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.console, self.seen, self.failures = b"", 0, []

    def read_until(self, pattern, what):
        """Waits until what came since the last time matches; returns the match."""
        deadline = time.time() + ANSWER_SECONDS
        while True:
            found = pattern.search(self.console, self.seen)
            if found:
                self.seen = found.end()
                return found
            ready = select.select([self.process.stdout], [], [], max(deadline - time.time(), 0))[0]
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not piece:
                raise Failure(f"{what}: the machine {'ended' if ready else 'says nothing'}: {self.console[-600:]!r}")
            self.console += piece

    def type(self, keys):
        self.process.stdin.write(keys)
        self.process.stdin.flush()

    def run(self, command, keys=(), status=0):
        """What the command says, as lines. Of keys, each is typed when its pattern has been seen behind those before it."""
        self.type(command.encode() + b"\r")
        self.read_until(re.compile(re.escape(command.encode()[-8:]) + rb"[^\n]*\n"), command)
        begin = self.seen
        for pattern, typed in keys:
            if pattern:
                self.read_until(re.compile(pattern, re.S), command)
            self.type(typed)
        found = self.read_until(PROMPT, command)
        if status is not None and int(found.group(1)) != status:
            self.fail(f"{command}: status {found.group(1).decode()}, not {status}")
        return self.console[begin:found.start()].decode("utf-8", "replace").replace("\r", "").splitlines()

    def fail(self, text):
        print(f"FAILED: {text}", flush=True)
        self.failures.append(text)

    def check(self, command, wanted, **options):
        """The command says these lines."""
        said = self.run(command, **options)
        if said != wanted:
            self.fail(f"{command}: {said}, not {wanted}")

    def check_like(self, command, pattern, **options):
        """What the command says has this in it (a regular expression for all lines together)."""
        said = "\n".join(self.run(command, **options))
        if not re.search(pattern, said, re.M):
            self.fail(f"{command}: nothing like {pattern!r}: {said}")
        return said

    def close(self):
        self.process.kill()
        self.process.wait()


def debugfs(image, request):
    return subprocess.run(["/sbin/debugfs", "-R", request, image], check=True, capture_output=True).stdout


def names_in(image, folder):
    """The names that a folder of the image has, by e2fsprogs."""
    return sorted(line.split("/")[5] for line in debugfs(image, f"ls -p {folder}").decode().splitlines()
                  if line and line.split("/")[5] not in (".", ".."))


def md5(data):
    return hashlib.md5(data).hexdigest()


def check_files(session, image):
    for folder in ("/", "/etc", "/usr/local/bin"):
        session.check(f"ls -1A {folder} | LC_ALL=C sort", names_in(image, folder))
    busybox = debugfs(image, "cat /bin/busybox")
    session.check("md5sum /bin/busybox", [f"{md5(busybox)}  /bin/busybox"])
    session.check("wc -c </bin/busybox", [str(len(busybox))])
    session.check_like("ls -l /etc/passwd", r"^-rw-r--r-- +1 root +root +\d+ Jun 10  2023 /etc/passwd$")
    session.check("cd /tmp; mkdir -p a/b; echo one >a/b/f; ln -s b a/l", [])
    session.check("cat a/l/f; readlink a/l; (cd a/l; pwd); rmdir a", ["one", "b", "/tmp/a/l", "rmdir: 'a': Directory not empty"],
                  status=1)
    session.check("mv a/b/f a/g; ln a/g a/h; stat -c %h a/g; rm -r a; ls a 2>&1", ["2", "ls: a: No such file or directory"],
                  status=1)


def check_pipes(session):
    numbers = "".join(f"{number}\n" for number in range(1, 3001))
    session.check("seq 1 3000 | md5sum", [f"{md5(numbers.encode())}  -"])
    session.check("seq 1 3000 | gzip | gunzip | tail -n +1500 | wc -l", ["1501"])
    session.check("seq 1 1000 | grep 7 | wc -l", [str(sum("7" in str(number) for number in range(1, 1001)))])
    session.check("seq 1 3000 >n; seq 3001 3010 >>n; awk '{s+=$1} END {print s}' <n", [str(3010 * 3011 // 2)])
    session.check("ls /nowhere >o 2>&1; cat o", ["ls: /nowhere: No such file or directory"])
    session.check("sort -rn n | sed -n '2s/0/x/gp'; cut -c1 n | uniq -c | head -n 2",
                  ["3xx9", "      1 1", "      1 2"])
    session.check("i=0; while [ $i -lt 20 ]; do /bin/true; i=$((i+1)); done; echo $i", ["20"])
    session.check("printf '#!/bin/sh\\necho \"$0 has $# words: $*\"\\n' >s; chmod +x s; ./s a b", ["./s has 2 words: a b"])
    session.check_like("mkfifo p; (sleep 0.1; echo through >p) & cat p; wait; rm p", r"^through$")


def check_dd(session):
    session.check("dd if=/dev/zero of=z bs=4096 count=256", ["256+0 records in", "256+0 records out"])
    session.check("md5sum z; dd if=z of=y bs=1000 2>/dev/null; cmp z y && rm z y", [f"{md5(bytes(1 << 20))}  z"])


def check_vi(session):
    """Types a text, saves; opens it again, takes a line out, changes a word. The status line says when a mode is over."""
    shown, over = rb"~.*\x1b\[K- note", rb"\x1b\[K- note"
    session.run("vi note", keys=[(shown, b"ifirst line\rsecond line\rthird line" + ESCAPE), (over, b":wq\r")])
    session.check("cat note", ["first line", "second line", "third line"])
    session.run("vi note", keys=[(shown, b"jdd:%s/third/last/\r:x\r")])
    session.check("cat note; rm note", ["first line", "last line"])


def check_jobs(session):
    sleeper = "sh -c 'echo up; exec sleep 1000'"
    session.check(sleeper, ["up", "^C"], keys=[(rb"up\r\n", CTRL_C)], status=130)
    session.check_like(sleeper, r"Stopped", keys=[(rb"up\r\n", CTRL_Z)], status=None)
    session.check_like("jobs", r"^\[1\]\+  Stopped .*sleep 1000")
    session.run("bg >/dev/null; sleep 0.2")
    session.check_like("jobs", r"^\[1\]\+  Running .*sleep 1000")
    session.run("kill %1; wait", status=None)
    session.run("jobs")
    session.run("sleep 0.3 &")
    session.check_like("jobs; wait; echo over", r"Running +sleep 0\.3\n(.*\n)*over$")
    session.check("sh -c 'kill -9 $$'", ["Killed"], status=137)
    session.check("sh -c \"trap 'echo caught; exit 3' TERM; kill \\$\\$; sleep 5\"", ["caught"], status=3)
    session.check("echo up; cat | tr a-z A-Z", ["up", "line", "LINE"], keys=[(rb"up\r\n", b"line\r" + CTRL_D)])


def numbers_of(line):
    return [int(word) for word in re.findall(r"\d+", line)]


def check_proc(session, is_linux):
    said = session.run("ps")
    if not re.match(r"PID +USER +(TIME +)?COMMAND", said[0].strip()):
        session.fail(f"ps: {said[0]}")
    for pattern in (r"^ +1 root +.*init", r"^ +\d+ root +.*sh$", r"^ +\d+ root +.* ps$"):
        if not any(re.match(pattern, line) for line in said):
            session.fail(f"ps: no {pattern}: {said}")
    memory = dict(re.findall(r"^(\w+): +(\d+) kB$", "\n".join(session.run("cat /proc/meminfo")), re.M))
    for free in ("free", "/usr/bin/free"):
        total, used, _, _, cache, available = numbers_of(session.run(free)[1])
        if total != int(memory["MemTotal"]) or not 0 < used < total or not 0 < cache < total or not used < available < total:
            session.fail(f"{free}: {total} {used} {cache} {available}, and /proc/meminfo has {memory}")
    blocks, pages = 0, 0
    for line in session.run("cat /proc/buddyinfo"):
        counts = numbers_of(line.split(", zone ")[1])
        blocks += len(counts) == 11
        pages += sum(count << order for order, count in enumerate(counts))
    difference = abs(4 * pages - int(memory["MemFree"]))
    if blocks < 2 or difference > 4096:
        session.fail(f"/proc/buddyinfo has {4 * pages} KiB, /proc/meminfo {memory['MemFree']}")
    said = "\n".join(session.run("top -b -n1"))
    if not re.search(r"^Mem: \d+K used, \d+K free", said) or not re.search(r"^ +1 +0 root +S .*init$", said, re.M):
        session.fail(f"top: {said}")
    session.check("cat /proc/self/comm; readlink /proc/self/exe", ["cat", "/bin/busybox"])
    session.check("cat /proc/self/cmdline | tr '\\0' ' '", ["cat /proc/self/cmdline "])
    session.check("exec 7</etc/passwd; readlink /proc/$$/fd/7; cat /proc/$$/fd/7 | wc -l", ["/etc/passwd", "2"])
    session.check("exec 7<&-; readlink /proc/$$/fd/7", [], status=1)
    # The shell's areas, as the kernel lists them and as procps adds them up.
    areas = session.run("cat /proc/$$/maps")
    sizes = [int(end, 16) - int(start, 16) for start, end in (area.split(" ")[0].split("-") for area in areas)]
    session.check_like("pmap $$", rf"^ total +{sum(sizes) // 1024}K$")
    session.check_like("grep VmSize /proc/$$/status", rf"^VmSize:\t +{sum(sizes) // 1024} kB$")
    for name in ("/bin/busybox", "/lib/libc.so.6", "[heap]", "[stack]"):
        if not any(area.endswith(name) for area in areas):
            session.fail(f"/proc/PID/maps has no {name}")
    session.check_like("vmstat", r"^ *\d+ +\d+ +0 +\d+ +\d+ +\d+ +0 +0 ")
    session.check_like("/usr/bin/ps -o pid,stat,args -p 1", r"^ +1 S.* init$")
    session.check_like("/usr/bin/top -b -n1 | head -n 3", r"^Tasks: +\d+ total, +1 running")
    session.check_like("slabtop -o | head -n 20", r"^ +\d+ +\d+ +\d+% +[0-9.]+K +\d+ +\d+ +\d+K \w+")
    session.check_like("uptime", r"up .*load average: \d\.\d\d, ")
    session.check_like("cat /proc/mounts", r"^/dev/\w+ / ext2 rw")
    session.check_like("cat /proc/interrupts", r"^ +\d+: +[1-9]\d* .*timer$" if not is_linux else r"timer")
    session.check("sh -c 'f=/proc/self/oom_score_adj; echo 300 >$f; cat $f'", ["300"])
    session.check("cat /proc/$$/oom_score_adj", ["0"])
    session.check("echo 1001 >/proc/$$/oom_score_adj", ["sh: write error: Invalid argument"], status=1)
    session.check("hostname; cat /proc/sys/kernel/hostname", ["lookaside", "lookaside"])
    if not is_linux:
        session.check_like("sysctl vm.min_free_kbytes=4096; grep -A3 Normal /proc/zoneinfo", r"^vm.min_free_kbytes = 4096$")


def check_threads(session):
    for program in ("threads", "threads-static"):
        session.check_like(f"{program} 6 30", r"^threads: 6 threads, 30 rounds: .* ok$")


def check_swap(session):
    """A swap file, and a group whose programs need more memory than it may have: they get their bytes back."""
    group, mib = "/sys/fs/cgroup/memory", 12
    session.check("dd if=/dev/zero of=/root/swap bs=64k count=256 2>/tmp/dd", [])
    session.check_like("mkswap /root/swap", r"^Setting up swapspace version 1, size = ")
    session.check("swapon /root/swap", [])
    session.check_like("cat /proc/swaps", r"^/root/swap +file\s+16380\s+0\s+-\d+$")
    session.check_like("free", r"^Swap: +16380 +0 +16380$")
    session.check(f"mount -t cgroup -o memory none {group}", [])
    session.check(f"mkdir {group}/g; echo 4M >{group}/g/memory.limit_in_bytes", [])
    session.run("echo 'yes lookaside | dd bs=12M count=1 iflag=fullblock 2>/tmp/dd' >/tmp/big")
    expected = hashlib.md5((b"lookaside\n" * (mib << 20))[:mib << 20]).hexdigest()
    session.check(f"sh -c 'echo $$ >{group}/g/tasks; . /tmp/big | md5sum'", [f"{expected}  -"])
    session.check_like(f"cat {group}/g/memory.max_usage_in_bytes", r"^4194304$")
    pages = dict(re.findall(r"^(pswp\w+) (\d+)$", "\n".join(session.run("grep pswp /proc/vmstat")), re.M))
    least = (mib - 4) << 8
    if int(pages["pswpout"]) < least or int(pages["pswpin"]) < least:
        session.fail(f"a program of {mib} MiB in a group of 4: {pages}")
    session.check("swapoff /root/swap; rm /root/swap /tmp/dd /tmp/big", [])
    session.check(f"rmdir {group}/g; umount {group}", [])
    session.check_like("free", r"^Swap: +0 +0 +0$")


def read_the_boot(session):
    session.read_until(FIRST_PROMPT, "the boot")
    session.type(b"PS1='<$?> '\r")
    session.read_until(PROMPT, "the first command")


def run_all(session, image, is_linux=False):
    """Everything but the end."""
    read_the_boot(session)
    check_files(session, image)
    check_pipes(session)
    check_dd(session)
    check_vi(session)
    check_jobs(session)
    check_proc(session, is_linux)
    check_threads(session)
    if not is_linux:
        check_swap(session)


def power_off(session):
    """Returns the machine's exit status."""
    session.type(b"poweroff\r")
    try:
        session.read_until(re.compile(rb"(?!)"), "poweroff")
    except Failure as end:
        if "the machine ended" not in str(end):
            raise
    return session.process.wait(timeout=ANSWER_SECONDS)


if __name__ == "__main__":
    machine = Session([word for word in sys.argv[1:] if word != "--linux"])
    try:
        run_all(machine, sorted(glob.glob("build/guest/root-i386.ext2"))[0], "--linux" in sys.argv)
        power_off(machine)
    except Failure as failure:
        machine.fail(failure)
    finally:
        machine.close()
    sys.exit(bool(machine.failures))
