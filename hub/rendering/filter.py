"""The system calls that a rendering process keeps, as a seccomp filter: whatever is not on the list fails with EPERM.

Descriptors that are open may be read and written, memory may be had but not run, threads may be started (one reader of
pictures can't do without), and the process may end. Opening a file, a socket or another process is not there at all. A call
of another architecture kills the process.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

# struct sock_filter of linux/filter.h
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
# offsets in struct seccomp_data; of an argument the low half
_NUMBER, _ARCHITECTURE, _FIRST, _THIRD = 0, 4, 16, 32
ALLOW = 0x7FFF0000
REFUSE = 0x00050001  # SECCOMP_RET_ERRNO with EPERM
ABSENT = 0x00050026  # with ENOSYS: then the C library takes the older call, whose flags a filter can read
KILL = 0x80000000
_EXECUTABLE = 0x4  # PROT_EXEC
_THREAD = 0x00010000  # CLONE_THREAD


@dataclass(frozen=True)
class Architecture:
    """What an architecture calls itself to the filter, and the numbers of the calls that are kept."""

    audit: int
    kept: tuple[int, ...]
    # mmap and mprotect: kept, but for memory that may be run
    memory: tuple[int, ...]
    # clone, kept for threads; and clone3, which isn't
    clone: int
    clone3: int


ARCHITECTURES = {
    "x86_64": Architecture(
        0xC000003E,
        # read write close fstat lseek munmap brk rt_sigaction rt_sigprocmask rt_sigreturn sched_yield mremap madvise
        # getpid exit gettimeofday sigaltstack gettid futex sched_getaffinity clock_gettime clock_getres exit_group
        # getrandom set_robust_list rseq
        (0, 1, 3, 5, 8, 11, 12, 13, 14, 15, 24, 25, 28, 39, 60, 96, 131, 186, 202, 204, 228, 229, 231, 318, 273,
         334),
        (9, 10),
        56,
        435,
    ),
    "aarch64": Architecture(
        0xC00000B7,
        # the same, in the same order
        (63, 64, 57, 80, 62, 215, 214, 134, 135, 139, 124, 216, 233, 172, 93, 169, 132, 178, 98, 123, 113, 114, 94, 278, 99,
         293),
        (222, 226),
        220,
        435,
    ),
}  # fmt: skip


def program(architecture: Architecture) -> bytes:
    """The filter as the kernel reads it."""
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture.audit, then=1),
        _step(_RETURN, KILL),
        _step(_LOAD, _NUMBER),
    ]
    for number in architecture.kept:
        steps += [_step(_EQUAL, number, otherwise=1), _step(_RETURN, ALLOW)]
    steps += [_step(_EQUAL, architecture.clone3, otherwise=1), _step(_RETURN, ABSENT)]
    for number in architecture.memory:
        steps += _by_bit(number, _THIRD, _EXECUTABLE, REFUSE, ALLOW)
    steps += _by_bit(architecture.clone, _FIRST, _THREAD, ALLOW, REFUSE)
    steps.append(_step(_RETURN, REFUSE))
    return b"".join(steps)


def _by_bit(number: int, argument: int, bit: int, with_it: int, without: int) -> list[bytes]:
    """One call, answered by whether its argument has a bit."""
    return [
        _step(_EQUAL, number, otherwise=4),
        _step(_LOAD, argument),
        _step(_ANY_BIT, bit, otherwise=1),
        _step(_RETURN, with_it),
        _step(_RETURN, without),
    ]


def _step(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
