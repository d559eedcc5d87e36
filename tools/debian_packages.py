"""Debian packages for the guests, of this machine's architecture and of i386, unpacked into a folder of ours.

apt's own configuration stays as it is: for i386 a state and a cache of our own are used, with the system's sources.
"""
import glob
import os
import subprocess


class Unavailable(Exception):
    """A package cannot be had; the text says why."""


def _apt(folder, architecture):
    """Options that make apt work for that architecture in our folder alone."""
    state = os.path.join(folder, "apt", architecture)
    for part in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(state, part), exist_ok=True)
    status = os.path.join(state, "status")
    with open(status, "a", encoding="ascii"):
        pass
    return ["-o", f"APT::Architecture={architecture}", "-o", f"APT::Architectures={architecture}",
            "-o", f"Dir::State={state}/state", "-o", f"Dir::State::status={status}", "-o", f"Dir::Cache={state}/cache",
            "-o", "APT::Sandbox::User=root"]


def _run(command, **options):
    run = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    if run.returncode != 0:
        said = (run.stderr or run.stdout).strip().splitlines()
        raise Unavailable(f"{command[0]}: {said[-1] if said else run.returncode}")
    return run.stdout


def update(folder, architecture):
    """Fetches the lists of packages, where they are not there yet."""
    if glob.glob(os.path.join(folder, "apt", architecture, "state/lists/*_Packages*")):
        return
    subprocess.run(["apt-get", *_apt(folder, architecture), "-qq", "update"], check=False, capture_output=True)


def newest_dependency(folder, architecture, package):
    """The package that a meta package such as linux-image-686 stands for today."""
    for line in _run(["apt-cache", *_apt(folder, architecture), "depends", package]).splitlines():
        if line.strip().startswith("Depends:"):
            return line.split(":", 1)[1].strip()
    raise Unavailable(f"{package}:{architecture} depends on nothing")


def fetch(folder, architecture, package):
    """The folder that has the package's files; it is fetched once."""
    files = os.path.join(folder, "packages", f"{package}_{architecture}")
    if os.path.isdir(files):
        return files
    downloads = os.path.join(folder, "downloads", architecture)
    os.makedirs(downloads, exist_ok=True)
    _run(["apt-get", *_apt(folder, architecture), "-qq", "download", package], cwd=downloads)
    archives = glob.glob(os.path.join(downloads, f"{package}_*.deb"))
    if not archives:
        raise Unavailable(f"{package}:{architecture}: apt-get download left no file")
    os.makedirs(files + ".new", exist_ok=True)
    _run(["dpkg-deb", "-x", archives[0], files + ".new"])
    os.rename(files + ".new", files)
    os.remove(archives[0])
    return files
