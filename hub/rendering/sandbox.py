"""Locks the process it runs in: no file, no network, no other process, bounded memory and time. There is no way back.

What is relied on is the seccomp filter; name spaces of its own are taken besides where the kernel gives them to anybody.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource

from hub.rendering.filter import ARCHITECTURES, program

MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 20
DESCRIPTORS = 8
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_SET_DUMPABLE = 4
# user, network, mount, IPC and UTS
_NAME_SPACES = 0x10000000 | 0x40000000 | 0x00020000 | 0x08000000 | 0x04000000
_HIGHEST = 1 << 16


class SandboxMissing(OSError):
    """This machine can't lock a process, so nothing may be rendered on it."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def lock() -> None:
    """From here on the process computes, reads and writes what is open, and nothing else. `SandboxMissing` where it can't be."""
    architecture = ARCHITECTURES.get(platform.machine())
    if architecture is None:
        raise SandboxMissing(f"no filter for {platform.machine()}")
    kernel = ctypes.CDLL(None, use_errno=True)
    os.closerange(3, _HIGHEST)
    kernel.unshare(_NAME_SPACES)  # its answer doesn't matter: the filter is what holds
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
    ):
        resource.setrlimit(limit, (value, value))
    _must(kernel.prctl(_SET_DUMPABLE, 0, 0, 0, 0))
    _must(kernel.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    steps = ctypes.create_string_buffer(code := program(architecture), len(code))
    loaded = _Program(len(code) // 8, ctypes.cast(steps, ctypes.c_void_p))
    _must(kernel.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(loaded), 0, 0))


def _must(answer: int) -> None:
    if answer != 0:
        raise SandboxMissing(ctypes.get_errno(), "the kernel takes no seccomp filter")
