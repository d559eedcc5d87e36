#!/usr/bin/env python3
"""clang-tidy finds nothing in the simulator's own files (.clang-tidy says what it looks for).

A file in which nothing was found is not looked at again until it, what it includes, its command, the checks or
clang-tidy change: the build folder keeps a file named by the hash of all of them.

The static analyzer gives up a function after so many states. `./dev lint` gives it all that it takes by itself
(LK_TIDY_DEEP=1, some ten minutes of processor time); here it takes a fifteenth of them, and a third of the time.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

ROOMS = ["sim", "cpu", "mmu", "tlb", "cache", "dma"]


def tracked_files():
    """The C files of the rooms. Those that are not in git are nobody's yet."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "--"] + ROOMS, capture_output=True, text=True, check=True)
    return {os.path.abspath(name) for name in listed.stdout.splitlines()}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def files_read(build):
    """By object file, the files that the compiler has read for it, as Ninja keeps them."""
    listed = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    files, read_for = {}, []
    for line in listed.splitlines():
        if line.startswith("    "):
            read_for.append(os.path.join(build, line.strip()))
        elif ": #deps " in line:
            read_for = files[line.split(": #deps ", 1)[0]] = []
    return files


class Tidy:
    def __init__(self, program, commands_folder, found_nothing, files):
        self.files = files
        self.program, self.commands_folder, self.found_nothing = program, commands_folder, found_nothing
        self.used = set()
        self.version = subprocess.run([program, "--version"], capture_output=True, check=True).stdout

    def arguments(self, path):
        # The static analyzer takes minutes for each file of executors, which are hundreds of small functions from rows; the
        # other checks look at them.
        if "/cpu/exec_" in path:
            return ["--checks=-clang-analyzer-*"]
        if os.environ.get("LK_TIDY_DEEP"):
            return []
        return [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=15000")]

    def key(self, entry):
        whole = hashlib.sha256(self.version + read(".clang-tidy") + entry["command"].encode())
        whole.update(" ".join(self.arguments(entry["file"])).encode())
        words = shlex.split(entry["command"])
        for path in self.files[words[words.index("-o") + 1]]:
            whole.update(path.encode() + b"\0" + read(path))
        return os.path.join(self.found_nothing, whole.hexdigest())

    def finds(self, entry):
        """What is found in a file, as text. One file a process: several in one confuse the va_list checker."""
        key = self.key(entry)
        self.used.add(key)
        if os.path.exists(key):
            return ""
        command = [self.program, "--quiet", "-p", self.commands_folder] + self.arguments(entry["file"]) + [entry["file"]]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        if result.returncode == 0 and not result.stdout.strip():
            with open(key, "w", encoding="ascii"):
                pass
            return ""
        return result.stdout or f"{entry['file']}: clang-tidy ends with status {result.returncode}\n"


def main():
    build = os.environ["LK_BUILD"]
    os.chdir(os.environ["LK_SOURCE"])
    program = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
    database = os.path.join(build, "compile_commands.json")
    if not program or not os.path.exists(database):
        print("clang-tidy is not installed" if not program else f"no {database}")
        sys.exit(77)
    known = tracked_files()
    # The executors are compiled once a model: one of the commands is enough.
    chosen = {entry["file"]: entry for entry in json.loads(read(database)) if entry["file"] in known}
    for entry in chosen.values():
        entry["command"] = re.sub(r" -fcall-used-\w+", "", entry["command"])  # GCC's alone
    folder = os.path.join(build, "tidy")
    found_nothing = os.path.join(folder, "found_nothing")
    os.makedirs(found_nothing, exist_ok=True)
    with open(os.path.join(folder, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(list(chosen.values()), file)
    tidy = Tidy(program, folder, found_nothing, files_read(build))
    # The largest first, so that the last ones to end are short.
    entries = sorted(chosen.values(), key=lambda entry: -os.path.getsize(entry["file"]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [text for text in pool.map(tidy.finds, entries) if text]
    for name in os.listdir(found_nothing):
        if os.path.join(found_nothing, name) not in tidy.used:
            os.remove(os.path.join(found_nothing, name))
    print("".join(findings), end="")
    print(f"{len(entries)} files, {len(findings)} with findings")
    sys.exit(1 if findings or not entries else 0)


main()
