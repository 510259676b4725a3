"""What processes cost, as Linux counts it in /proc; other systems have no such place."""

import os
from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")
KNOWN = (PROC / "self/stat").exists()
TICKS = os.sysconf("SC_CLK_TCK")  # a second
# Places in /proc/PID/stat after the name: ppid; utime, stime and children's.
PARENT, USER, CHILDREN_SYSTEM = 1, 11, 14
STEAL = 8  # place in /proc/stat after "cpu", counted from 1


def tree(root: int) -> list[int]:
    """The process `root` and all that descend from it."""
    children = defaultdict(list)
    for folder in PROC.glob("[0-9]*"):
        if fields := stat(int(folder.name)):
            children[int(fields[PARENT])].append(int(folder.name))
    found = [root]
    for process in found:  # grows meanwhile
        found += children[process]
    return found


def cpu_seconds(root: int) -> float | None:
    """The time that `root` and its descendants have computed, those that ended included."""
    if not KNOWN:
        return None
    ticks = [map(int, stat(process)[USER : CHILDREN_SYSTEM + 1]) for process in tree(root)]
    return sum(map(sum, ticks)) / TICKS


def stolen_seconds() -> float | None:
    """The time that all processors of a virtual machine would have computed, but were not let."""
    if not KNOWN:
        return None
    all_processors = (PROC / "stat").read_text().splitlines()[0].split()
    return int(all_processors[STEAL]) / TICKS


def resident_mib(process: int) -> float | None:
    """The memory of a process that is in RAM, pages shared with others included."""
    if not KNOWN:
        return None
    for line in (PROC / str(process) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None


def stat(process: int) -> list[str]:
    """The fields after the name, which may hold blanks; none if the process is gone."""
    try:
        return (PROC / str(process) / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
