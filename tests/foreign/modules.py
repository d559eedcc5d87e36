"""Kernel modules of a package, with what they depend on, in the order in which insmod has to be given them."""
import os
import re


def _find(files):
    """Name (with _ for -, as the kernel has it) to path, of all modules of a package that is unpacked in `files`."""
    found = {}
    for folder, _, names in os.walk(os.path.join(files, "lib/modules")):
        for name in names:
            if name.endswith(".ko"):
                found[name[:-3].replace("-", "_")] = os.path.join(folder, name)
    return found


def _depends(path):
    """What the module's own .modinfo says that it wants."""
    with open(path, "rb") as file:
        text = re.search(rb"\0depends=([^\0]*)\0", file.read())
    return [name.decode().replace("-", "_") for name in text[1].split(b",") if name] if text else []


def for_initramfs(files, names):
    """The modules as initramfs.make() takes files, and what its script has to say to load them."""
    paths = ordered(files, names)
    inside = [f"lib/{os.path.basename(path)}" for path in paths]
    return list(zip(inside, paths)), "".join(f"insmod /{path} || echo BUG: no module {path}\n" for path in inside)


def ordered(files, names):
    """Paths of the modules `names` and of all that they depend on, each behind those that it wants; without what is built in."""
    found, paths = _find(files), []

    def add(name):
        if name in found and found[name] not in paths:
            for other in _depends(found[name]):
                add(other)
            paths.append(found[name])

    for name in names:
        add(name)
    return paths
