"""What a process that reads untrusted bytes cannot do even when they have taken it over: no network, no other program.

On Linux alone. Each lock that the kernel refuses is left open and named; the others hold. Bounds on memory, time and
files are `intake.reading`'s.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000
"""What a filter says of a call: let it through, answer EPERM, end the process."""

_MACHINES = {
    "x86_64": (0xC000003E, {
        "socket": 41, "connect": 42, "bind": 49, "execve": 59, "execveat": 322, "ptrace": 101,
        "process_vm_readv": 310, "process_vm_writev": 311, "mount": 165, "bpf": 321, "io_uring_setup": 425,
    }),
    "aarch64": (0xC00000B7, {
        "socket": 198, "connect": 203, "bind": 200, "execve": 221, "execveat": 281, "ptrace": 117,
        "process_vm_readv": 270, "process_vm_writev": 271, "mount": 40, "bpf": 280, "io_uring_setup": 425,
    }),
}  # fmt: skip
"""The audit number of a machine, and its numbers of the calls that reading a file never needs."""

_SECOND_NUMBERS = 0x40000000
"""From here on x86_64 answers to a second number for each call (the x32 ABI); no reader needs them: all are refused."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def shut() -> list[str]:
    """Lock this process up; gives what could not be locked. Never raises."""
    try:
        kernel = ctypes.CDLL(None, use_errno=True)
    except OSError:
        return ["network", "calls"]
    left = [] if _no_network(kernel) else ["network"]
    return left if _no_calls(kernel) else [*left, "calls"]


def _no_network(kernel: ctypes.CDLL) -> bool:
    """A network of its own, with nothing in it: as root at once, else in a user namespace, where those are allowed."""
    try:
        kinds = (_NEW_NETWORK,) if os.geteuid() == 0 else (_NEW_NETWORK | _NEW_USER,)
        return any(kernel.unshare(kind) == 0 for kind in kinds)
    except AttributeError:
        return False


def _no_calls(kernel: ctypes.CDLL) -> bool:
    known = _MACHINES.get(platform.machine())
    if known is None:
        return False
    lines = _program(*known)
    program = _Program(len(lines), b"".join(lines))
    try:
        if kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return bool(kernel.prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)
    except AttributeError:
        return False


def _program(machine: int, calls: dict[str, int]) -> list[bytes]:
    """The filter: another machine's calls end the process, the calls listed are refused, all others pass.

    A call by its second number is refused too, whichever call it is (seccomp(2), "x32 ABI").
    """
    numbers = sorted(calls.values())
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    lines += [(_AT_LEAST, len(numbers) + 1, 0, _SECOND_NUMBERS)]
    lines += [(_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return [struct.pack("=HBBI", *line) for line in lines]
