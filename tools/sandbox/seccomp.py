"""The seccomp filter: a small BPF program that the kernel runs before every system call of a confined process.

The instructions are `struct sock_filter` of `linux/filter.h`; the data they read is `struct seccomp_data` of
`linux/seccomp.h`: number at 0, architecture at 4, arguments at 16 + 8 * index, low half first on both machines.
Whatever is not named here is allowed: the namespaces or Landlock around the process bound what it can reach, the
filter takes away the ways around them (new namespaces, foreign processes, kernel interfaces, other sockets).
"""

from __future__ import annotations

import errno
import platform
import struct
from typing import TYPE_CHECKING, NamedTuple

from tools.sandbox.syscalls import MACHINES, Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

LOAD, AND = 0x20, 0x54
IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT = 0x15, 0x35, 0x45
RETURN = 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
X32_CALLS = 0x40000000

NEW_NAMESPACES = 0x7E020080  # CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET} of linux/sched.h
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_STREAM, SOCK_TYPE_MASK, IPPROTO_MPTCP = 1, 0xF, 262


def _words(text: str) -> list[str]:
    return text.split()


FORBIDDEN = _words(
    """
    unshare setns mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount
    fspick mount_setattr bpf perf_event_open init_module finit_module delete_module kexec_load kexec_file_load
    reboot swapon swapoff acct quotactl quotactl_fd syslog settimeofday clock_settime clock_adjtime adjtimex
    sethostname setdomainname iopl ioperm modify_ldt uselib vhangup nfsservctl add_key request_key keyctl
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp lookup_dcookie
    userfaultfd move_pages migrate_pages name_to_handle_at open_by_handle_at fanotify_init fanotify_mark
    """
)
# Answered as if the kernel did not have them, so that libraries fall back. Memory in a memfd or a System V segment
# belongs to no process, so no limit would see it.
ABSENT = _words(
    """
    clone3 io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret shmget shmat shmctl shmdt
    msgget msgsnd msgrcv msgctl semget semop semctl semtimedop mq_open mq_unlink
    """
)
# Landlock sees none of these: sockets by path, and the owner, mode and attributes of files outside.
NO_SOCKETS = _words(
    """
    socket connect bind listen accept accept4
    """
)
NO_METADATA = _words(
    """
    chmod fchmodat chown lchown fchownat setxattr lsetxattr removexattr lremovexattr truncate
    """
)
NO_METADATA_ABSENT = _words(
    """
    fchmodat2 setxattrat removexattrat file_setattr
    """
)


class Op(NamedTuple):
    """One instruction: code, jumps when true and when false (relative, at most 255), operand."""

    code: int
    if_true: int
    if_false: int
    operand: int


def filter_program(*, network: bool, metadata: bool, machine: str | None = None) -> bytes:
    """The filter as bytes for `bwrap --seccomp` and `prctl(PR_SET_SECCOMP)`.

    `network` allows internet and unix sockets: only where the process has a network of its own. `metadata` allows
    to change mode and owner by path: only where nothing of ours can be reached or belongs to the process.

    Raises:
        KeyError: the machine is neither x86_64 nor aarch64.
    """
    table = MACHINES[machine or platform.machine()]
    ops = _right_machine(table)
    ops += _deny(table, FORBIDDEN, errno.EPERM) + _deny(table, ABSENT, errno.ENOSYS)
    ops += _no_new_namespaces(table) + _no_terminal_input(table)
    ops += _own_network_only(table) if network else _stream_pairs_only(table)
    if not metadata:
        ops += _deny(table, NO_METADATA, errno.EPERM) + _deny(table, NO_METADATA_ABSENT, errno.ENOSYS)
        ops += _own_limits_only(table)
    ops.append(_answer(ALLOW))
    return b"".join(struct.pack("=HBBI", *op) for op in ops)


def _right_machine(table: Machine) -> list[Op]:
    return [
        Op(LOAD, 0, 0, 4),
        Op(IF_EQUAL, 1, 0, table.audit_arch),
        _answer(KILL),
        Op(LOAD, 0, 0, 0),
        Op(IF_AT_LEAST, 0, 1, X32_CALLS),  # the second, 32-bit-pointer numbering of x86_64
        _answer(KILL),
    ]


def _deny(table: Machine, names: Sequence[str], error: int) -> list[Op]:
    numbers = (table.numbers[name] for name in names if name in table.numbers)
    return [op for number in numbers for op in (Op(IF_EQUAL, 0, 1, number), _refuse(error))]


def _no_new_namespaces(table: Machine) -> list[Op]:
    return _when(table, "clone", [_argument(0), Op(IF_ANY_BIT, 0, 1, NEW_NAMESPACES), _refuse(errno.EPERM)])


def _no_terminal_input(table: Machine) -> list[Op]:
    """Typing into the terminal of the host; the kernel looks at the low half of the command only, so do we."""
    requests = [Op(IF_EQUAL, 1, 0, TIOCSTI), Op(IF_EQUAL, 0, 1, TIOCLINUX)]
    return _when(table, "ioctl", [_argument(1), *requests, _refuse(errno.EPERM)])


def _own_network_only(table: Machine) -> list[Op]:
    """Families that a network namespace confines; vsock, for one, reaches the hypervisor from any namespace."""
    families = [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK]
    checks = [Op(IF_EQUAL, len(families) - index, 0, family) for index, family in enumerate(families)]
    protocol = [_argument(2), Op(IF_EQUAL, 0, 1, IPPROTO_MPTCP), _refuse(errno.EPROTONOSUPPORT)]
    return _when(table, "socket", [_argument(0), *checks, _refuse(errno.EAFNOSUPPORT), *protocol])


def _stream_pairs_only(table: Machine) -> list[Op]:
    """No sockets but connected pairs, and of these only streams: a datagram one can be sent to any address."""
    kind = [_argument(1), Op(AND, 0, 0, SOCK_TYPE_MASK), Op(IF_EQUAL, 1, 0, SOCK_STREAM), _refuse(errno.EPERM)]
    return _deny(table, NO_SOCKETS, errno.EPERM) + _when(table, "socketpair", kind)


def _own_limits_only(table: Machine) -> list[Op]:
    return _when(table, "prlimit64", [_argument(0), Op(IF_EQUAL, 1, 0, 0), _refuse(errno.EPERM)])


def _when(table: Machine, name: str, ops: list[Op]) -> list[Op]:
    """Run `ops` for the call `name`; behind them the call's number is loaded again for the next check."""
    return [Op(IF_EQUAL, 0, len(ops) + 1, table.numbers[name]), *ops, Op(LOAD, 0, 0, 0)]


def _argument(index: int) -> Op:
    return Op(LOAD, 0, 0, 16 + 8 * index)


def _refuse(error: int) -> Op:
    return _answer(ERRNO | error)


def _answer(value: int) -> Op:
    return Op(RETURN, 0, 0, value)
