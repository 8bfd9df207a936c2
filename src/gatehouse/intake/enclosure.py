"""Which files a process that reads untrusted bytes can open: its input, a private folder, and the program itself.

Linux's Landlock, by its three system calls: from `enclose` on, the kernel refuses every other file to this process and
whatever comes of it, also to root. Register, keys, dockets and what others handed in are none of its business.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""Landlock's calls, by numbers that are the same on every machine (landlock(7))."""
_VERSION, _BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_OF_FILES = 1 << 0 | 1 << 1 | _READ_FILE | 1 << 14 | 1 << 15
"""Rights that a rule about a single file may give: to execute, write, read, truncate and control it."""
_SINCE = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
"""Which rights each version of Landlock knows: to refer, truncate and control came later than the rest."""

_MACHINE = (
    "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo",
    "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/sys/fs/cgroup", "/sys/devices/system/cpu", "/dev/null",
    "/dev/urandom",
)  # fmt: skip
"""What Python and DuckDB read of a machine: libraries, time zones, how much memory and how many processors it has."""


def enclose(reads: Iterable[str], writes: Iterable[str]) -> bool:
    """Leave to this process, of all files, only some to read and some folders to write. Whether the kernel did it.

    A path that is not there is left out. Never raises: where nothing was enclosed, everything is as before.
    """
    try:
        kernel = ctypes.CDLL(None, use_errno=True)
        version = kernel.syscall(_CREATE, None, 0, _VERSION)
        if version < 1:
            return False
        everything = sum(rights for since, rights in _SINCE if version >= since)
        rules = kernel.syscall(_CREATE, struct.pack("=Q", everything), 8, 0)
    except (OSError, AttributeError):
        return False
    if rules < 0:
        return False
    try:
        given = [
            (path, _READ_FILE | _READ_FOLDER) for path in (sys.prefix, sys.base_prefix, *sys.path, *_MACHINE, *reads)
        ]
        given += [(path, everything) for path in writes]
        added = all(_allow(kernel, rules, path, rights) for path, rights in given)
        shut = added and kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        return bool(shut and kernel.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(kernel: ctypes.CDLL, rules: int, path: str, rights: int) -> bool:
    """Add one rule; true also where there is nothing at that path to allow."""
    if not path:
        return True
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            allowed = rights if os.path.isdir(path) else rights & _OF_FILES  # noqa: PTH112 - nothing else of a path
            return bool(kernel.syscall(_ADD, rules, _BENEATH, struct.pack("=Qi", allowed, handle), 0) == 0)
        finally:
            os.close(handle)
    return True
