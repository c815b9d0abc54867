"""
Taking rights away from a worker process before it runs anything of a user.

The interpreter lets no dialplan reach the system. Should it have a hole, whoever gets
through finds a process that can open no file but those it consists of, no socket, and
nobody else's memory. Linux only; what a kernel does not have is left out and told.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Callable
from pathlib import Path

# What the process may still have: threads and pipes, and the memory of a dialplan with
# what the interpreter itself needs.
_MEMORY = 2 * 1024**3
_FILES = 64

_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_NOBODY = 65534

_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_FAIL = 0x00050000 | 1  # with EPERM
_KILL = 0x80000000
# "struct sock_filter": code, jump if true, jump if false, operand.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _MACHINE_AT = 0, 4
# The numbers of x32, which a kernel of x86_64 may know as well, begin here.
_X32 = 0x40000000

# For each machine: its audit number, and the system calls that are refused. They open
# sockets, look at other processes, change what is mounted, or are new to attackers.
_MACHINES = {
    "x86_64": (
        0xC000003E,
        (
            *range(41, 44),  # socket, connect, accept
            49,  # bind
            50,  # listen
            53,  # socketpair
            101,  # ptrace
            155,  # pivot_root
            161,  # chroot
            *range(165, 177),  # mount to delete_module
            246,  # kexec_load
            *range(248, 251),  # keys
            272,  # unshare
            288,  # accept4
            298,  # perf_event_open
            *range(303, 305),  # file handles
            308,  # setns
            *range(310, 314),  # memory of other processes, kcmp, finit_module
            320,  # kexec_file_load
            321,  # bpf
            323,  # userfaultfd
            425,  # io_uring_setup
            434,  # pidfd_open
            438,  # pidfd_getfd
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *range(39, 42),  # umount, mount, pivot_root
            51,  # chroot
            *range(97, 98),  # unshare
            *range(104, 107),  # kexec_load, init_module, delete_module
            117,  # ptrace
            *range(198, 204),  # socket to connect
            *range(217, 220),  # keys
            241,  # perf_event_open
            242,  # accept4
            *range(264, 266),  # file handles
            268,  # setns
            *range(270, 274),  # memory of other processes, kcmp, finit_module
            280,  # bpf
            282,  # userfaultfd
            294,  # kexec_file_load
            425,  # io_uring_setup
            434,  # pidfd_open
            438,  # pidfd_getfd
        ),
    ),
}

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION = 1  # a flag: to be told the version
_LANDLOCK_PATH = 1
# Rights of files: to execute, write and read, and to read a folder; then to make and
# remove. Each version knows some more.
_READ = 1 << 0 | 1 << 2 | 1 << 3
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_NETWORK = 1 << 0 | 1 << 1  # to bind and to connect TCP, since version 4
_FOLDERS = ("/usr", "/lib", "/lib64", "/etc/localtime", "/etc/ld.so.cache")


def confine(program: str) -> tuple[str, ...]:
    """
    Take every right away that this process can do without.

    :param program: what it is going to execute, and may still read.
    :return: what has taken hold, in words.
    """
    measures: dict[str, Callable[[str], None]] = {
        "nothing inherited": _inherit_nothing,
        "resource limits": _limit,
        "an unprivileged user": _leave_root,
        "no new privileges": _no_new_privileges,
        "landlock": _landlock,
        "seccomp": _seccomp,
    }
    held = []
    for name, measure in measures.items():
        try:
            measure(program)
        except OSError:
            continue
        held.append(name)
    return tuple(held)


def _limit(program: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _inherit_nothing(program: str) -> None:
    os.environ.clear()
    os.chdir("/")
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _leave_root(program: str) -> None:
    """
    Become nobody, where that user can still read the program.
    """
    if os.geteuid() != 0:
        return
    path = Path(program).resolve()
    if not all(each.stat().st_mode & 0o001 for each in (path, *path.parents)):
        raise PermissionError(program)
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _no_new_privileges(program: str) -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)


def _landlock(program: str) -> None:
    """
    Let it read the program and the libraries of the system, and write nothing.
    """
    version = _call(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION)
    files = _RIGHTS[min(version, max(_RIGHTS))]
    wanted = (
        struct.pack("=QQ", files, _NETWORK)
        if version >= 4
        else struct.pack("=Q", files)
    )
    rules = _call(_LANDLOCK_CREATE, wanted, len(wanted), 0)
    try:
        for name in (program, *_FOLDERS):
            _allow(rules, name)
        _call(_LANDLOCK_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, name: str) -> None:
    try:
        opened = os.open(name, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rights = _READ if Path(name).is_dir() else _READ & ~(1 << 3)
        rule = struct.pack("=Qi", rights, opened)
        _call(_LANDLOCK_ADD, rules, _LANDLOCK_PATH, rule, 0)
    finally:
        os.close(opened)


def _seccomp(program: str) -> None:
    """
    Refuse system calls; those of another machine's numbering end the process.
    """
    known = _MACHINES.get(platform.machine())
    if known is None or sys.platform != "linux":
        raise OSError("the system calls of this machine are not known")
    machine, refused = known
    steps = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_IF_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, len(refused) + 1, 0, _X32),
    ]
    for index, number in enumerate(refused):
        steps.append((_IF_EQUAL, len(refused) - index, 0, number))
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _FAIL)]
    filters = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(filters)
    packed = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, packed)


def _prctl(option: int, *arguments: int | bytes) -> None:
    given = [*arguments, *[0] * (4 - len(arguments))]
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.prctl(option, *map(_as_long, given))
    if result != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _call(number: int, *arguments: int | bytes | None) -> int:
    """
    Make a system call that no library has a function for.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(ctypes.c_long(number), *map(_as_long, arguments)))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result


def _as_long(value: int | bytes | None) -> ctypes.c_long | bytes | None:
    return ctypes.c_long(value) if isinstance(value, int) else value
