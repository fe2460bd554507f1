"""From here on this process computes and answers: no file, no socket, no process, bounded memory.

``prctl`` and ``seccomp`` by ``ctypes``: a filter of system calls that lets through what an open
interpreter needs to compute and to use the pipes that it has, and gives EPERM for everything else.
Memory that is written is never executed. Limits of the process stand behind it, for memory too.

Source: seccomp(2); Linux ``include/uapi/linux/{seccomp,filter,audit}.h`` and the tables of system
calls of x86-64 and AArch64. The filter was run on x86-64 only.
"""

import ctypes
import platform
import resource
from pathlib import Path
from typing import Final

_ALLOWED: Final = {  # by machine: the audit number, seccomp's own number, and what is let through
    "x86_64": (
        0xC000003E,
        317,
        # read write close fstat lseek munmap brk rt_sigaction rt_sigprocmask rt_sigreturn
        # sched_yield mremap madvise nanosleep getpid exit gettimeofday sigaltstack gettid futex
        # sched_getaffinity clock_gettime clock_nanosleep exit_group set_robust_list getcpu
        # getrandom membarrier rseq
        (
            *(0, 1, 3, 5, 8, 11, 12, 13, 14, 15, 24, 25, 28, 35, 39, 60),
            *(96, 131, 186, 202, 204, 228, 230, 231, 273, 309, 318, 324, 334),
        ),
        (9, 10),  # mmap mprotect
    ),
    "aarch64": (
        0xC00000B7,
        277,
        (
            *(63, 64, 57, 80, 62, 215, 214, 134, 135, 139, 124, 216, 233, 101, 172, 93),
            *(169, 132, 178, 98, 123, 113, 115, 94, 99, 168, 278, 283, 293),
        ),
        (222, 226),
    ),
}
_NO_NEW_PRIVILEGES: Final = 38
_SET_FILTER, _ALL_THREADS = 1, 1
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_NUMBER_AT, _MACHINE_AT, _PROTECTION_AT = 0, 4, 32
_PROT_EXEC: Final = 4
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_STANDARD_FILES: Final = 3

Step = tuple[int, int, int, int]


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Instruction)))


def confine(memory_bytes: int) -> bool:
    """Whether this process is confined now, with ``memory_bytes`` more address space than it has.

    Where it is not, it must not look at anything that is not trusted.
    """
    if platform.machine() not in _ALLOWED:
        return False
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + memory_bytes)
    _limit(resource.RLIMIT_NOFILE, _STANDARD_FILES)
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        _limit(kind, 0)
    machine, seccomp, calls, mappings = _ALLOWED[platform.machine()]
    steps = _steps(machine, calls, mappings)
    array = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), array)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.syscall(seccomp, _SET_FILTER, _ALL_THREADS, ctypes.byref(program)) == 0)


def _steps(machine: int, calls: tuple[int, ...], mappings: tuple[int, ...]) -> list[Step]:
    """The filter: kill another machine's calls, allow ``calls``, and mappings without PROT_EXEC."""
    head: list[Step] = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    tests = [*mappings, *calls]
    tail: list[Step] = [
        (_RETURN, 0, 0, _DENY),
        (_LOAD, 0, 0, _PROTECTION_AT),
        (_AND, 0, 0, _PROT_EXEC),
        (_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _DENY),
        (_RETURN, 0, 0, _ALLOW),
    ]
    # A jump counts from the step after it: to the look at the protection, or to the last step.
    targets = {True: 1, False: len(tail) - 1}
    body = [
        (_EQUAL, len(tests) - 1 - at + targets[at < len(mappings)], 0, number)
        for at, number in enumerate(tests)
    ]
    return [*head, *body, *tail]


def _limit(kind: int, most: int) -> None:
    resource.setrlimit(kind, (most, most))
