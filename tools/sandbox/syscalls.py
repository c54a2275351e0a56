"""The numbers of the system calls that a confined process must not make, on x86_64 and aarch64.

From Linux `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`; from 424 on both agree.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """One architecture: its AUDIT_ARCH value (`linux/audit.h`) and its table of numbers."""

    audit_arch: int
    numbers: dict[str, int]


_SHARED = {
    "pidfd_getfd": 438,
    "clone3": 435,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "memfd_secret": 447,
    "process_mrelease": 448,
    "fchmodat2": 452,
    "setxattrat": 463,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_setattr": 469,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
}

_NAMES_X86_64_AARCH64 = """
accept 43 202               accept4 288 242             acct 163 89                 add_key 248 217
adjtimex 159 171            bind 49 200                 bpf 321 280                 chmod 90 -
chown 92 -                  chroot 161 51               clock_adjtime 305 266       clock_settime 227 112
clone 56 220                connect 42 203              delete_module 176 106       fanotify_init 300 262
fanotify_mark 301 263       fchmodat 268 53             fchownat 260 54             finit_module 313 273
init_module 175 105         ioctl 16 29                 ioperm 173 -                iopl 172 -
kcmp 312 272                kexec_file_load 320 294     kexec_load 246 104          keyctl 250 219
lchown 94 -                 listen 50 201               lookup_dcookie 212 18       lremovexattr 198 15
lsetxattr 189 6             memfd_create 319 279        migrate_pages 256 238       modify_ldt 154 -
mount 165 40                move_pages 279 239          mq_open 240 180             mq_unlink 241 181
msgctl 71 187               msgget 68 186               msgrcv 70 188               msgsnd 69 189
name_to_handle_at 303 264   nfsservctl 180 42           open_by_handle_at 304 265   perf_event_open 298 241
pivot_root 155 41           prlimit64 302 261           process_vm_readv 310 270    process_vm_writev 311 271
ptrace 101 117              quotactl 179 60             reboot 169 142              removexattr 197 14
request_key 249 218         semctl 66 191               semget 64 190               semop 65 193
semtimedop 220 192          setdomainname 171 162       sethostname 170 161         setns 308 268
settimeofday 164 170        setxattr 188 5              shmat 30 196                shmctl 31 195
shmdt 67 197                shmget 29 194               socket 41 198               socketpair 53 199
swapoff 168 225             swapon 167 224              syslog 103 116              truncate 76 45
umount2 166 39              unshare 272 97              uselib 134 -                userfaultfd 323 282
vhangup 153 58
"""


def _machines() -> dict[str, Machine]:
    words = _NAMES_X86_64_AARCH64.split()
    rows = list(zip(words[::3], words[1::3], words[2::3], strict=True))
    x86_64 = {name: int(number) for name, number, _ in rows}
    aarch64 = {name: int(number) for name, _, number in rows if number != "-"}
    return {
        "x86_64": Machine(0xC000003E, x86_64 | _SHARED),
        "aarch64": Machine(0xC00000B7, aarch64 | _SHARED),
    }


MACHINES = _machines()
