"""The seccomp filter, run on both machines by the few instructions of BPF that it uses."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from tools.sandbox import seccomp
from tools.sandbox.seccomp import ALLOW, ERRNO, KILL, filter_program
from tools.sandbox.syscalls import MACHINES

EPERM, ENOSYS = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
READ = {"x86_64": 0, "aarch64": 63}
SETUID = {"x86_64": 105, "aarch64": 146}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return request.param


def answer(program: bytes, number: int, arguments: tuple[int, ...] = (), *, arch: int) -> int:
    """Interpret `program` on one system call, as the kernel does."""
    padded = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("<iIQ6Q", number, arch, 0, *padded)
    operations = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, if_true, if_false, operand = operations[at]
        at += 1
        match code:
            case seccomp.LOAD:
                accumulator = struct.unpack_from("<I", data, operand)[0]
            case seccomp.AND:
                accumulator &= operand
            case seccomp.IF_EQUAL:
                at += if_true if accumulator == operand else if_false
            case seccomp.IF_AT_LEAST:
                at += if_true if accumulator >= operand else if_false
            case seccomp.IF_ANY_BIT:
                at += if_true if accumulator & operand else if_false
            case seccomp.RETURN:
                return operand


def call(machine: str, name: str, *arguments: int, network: bool = True, metadata: bool = True) -> int:
    table = MACHINES[machine]
    program = filter_program(network=network, metadata=metadata, machine=machine)
    return answer(program, table.numbers[name], arguments, arch=table.audit_arch)


def test_what_is_not_named_is_allowed(machine: str) -> None:
    program = filter_program(network=False, metadata=False, machine=machine)
    for number in (READ[machine], SETUID[machine]):
        assert answer(program, number, arch=MACHINES[machine].audit_arch) == ALLOW


def test_what_is_named_is_refused(machine: str) -> None:
    never_had = {"x86_64": set(), "aarch64": {"iopl", "ioperm", "modify_ldt", "uselib"}}[machine]
    for names, expected in ((seccomp.FORBIDDEN, EPERM), (seccomp.ABSENT, ENOSYS)):
        for name in set(names) - never_had:
            assert call(machine, name) == expected, name


def test_the_numbers_of_another_machine_end_the_process(machine: str) -> None:
    program = filter_program(network=True, metadata=True, machine=machine)
    i386 = 0x40000003
    assert answer(program, READ[machine], arch=i386) == KILL
    assert answer(program, seccomp.X32_CALLS | 1, arch=MACHINES[machine].audit_arch) == KILL


@pytest.mark.parametrize("flag", [1 << 7, 1 << 17, *(1 << bit for bit in range(25, 31))])
def test_clone_makes_processes_and_no_namespaces(machine: str, flag: int) -> None:
    sigchld = 17
    assert call(machine, "clone", sigchld) == ALLOW
    assert call(machine, "clone", sigchld | flag) == EPERM


@pytest.mark.parametrize("request_", [seccomp.TIOCSTI, seccomp.TIOCLINUX, (1 << 32) | seccomp.TIOCSTI])
def test_nothing_types_into_the_terminal(machine: str, request_: int) -> None:
    assert call(machine, "ioctl", 0, request_) == EPERM
    assert call(machine, "ioctl", 0, 0x5401) == ALLOW


def test_sockets_of_families_that_a_namespace_confines(machine: str) -> None:
    confined = {seccomp.AF_UNIX, seccomp.AF_INET, seccomp.AF_INET6, seccomp.AF_NETLINK}
    for family in range(48):
        expected = ALLOW if family in confined else ERRNO | errno.EAFNOSUPPORT
        assert call(machine, "socket", family, 1, 0) == expected
        assert call(machine, "socket", family, 1, 0, network=False) == EPERM


def test_no_multipath_tcp(machine: str) -> None:
    assert call(machine, "socket", seccomp.AF_INET, 1, 262) == ERRNO | errno.EPROTONOSUPPORT


def test_without_a_network_only_stream_pairs_are_left(machine: str) -> None:
    cloexec_nonblock = 0o2004000
    for kind, expected in ((1, ALLOW), (1 | cloexec_nonblock, ALLOW), (2, EPERM), (5, EPERM)):
        assert call(machine, "socketpair", seccomp.AF_UNIX, kind, network=False) == expected
    for name in seccomp.NO_SOCKETS:
        assert call(machine, name, network=False) == EPERM


def test_metadata_and_the_limits_of_others(machine: str) -> None:
    for name in (*seccomp.NO_METADATA, *seccomp.NO_METADATA_ABSENT):
        if name in MACHINES[machine].numbers:
            assert call(machine, name) == ALLOW
            assert call(machine, name, metadata=False) in (EPERM, ENOSYS)
    assert call(machine, "prlimit64", 0, metadata=False) == ALLOW
    assert call(machine, "prlimit64", 1, metadata=False) == EPERM


@pytest.mark.parametrize(("network", "metadata"), [(True, True), (False, False), (False, True)])
def test_the_program_fits_the_kernel(machine: str, network: bool, metadata: bool) -> None:
    """BPF_MAXINSNS is 4096, every jump lands inside, and the last instruction answers."""
    program = list(struct.iter_unpack("=HBBI", filter_program(network=network, metadata=metadata, machine=machine)))
    assert len(program) < 4096
    assert program[-1] == (seccomp.RETURN, 0, 0, ALLOW)
    for at, (_, if_true, if_false, _) in enumerate(program):
        assert at + 1 + max(if_true, if_false) < len(program) + (at == len(program) - 1)


def test_the_numbers_are_those_of_the_kernel_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    known = {name: number for name, number in MACHINES[machine].numbers.items() if name in found}
    assert len(known) > 70
    assert known == {name: int(found[name]) for name in known}
