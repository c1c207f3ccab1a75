"""Children that end with their parent: started in the foreground, stopped by a signal, never daemonised.

Whoever starts a server or a worker beside this process enters here.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pwd import struct_passwd

PR_SET_PDEATHSIG = 1


class ServiceMissing(RuntimeError):
    """The program is not on this machine; the message says what to install."""


class ServiceFailed(RuntimeError):
    """The program is there but did not start or answer; the message ends with its log."""


@dataclass(frozen=True)
class Child:
    """A running child: its process, its log, the signal that ends it in good order."""

    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def log_tail(self, characters: int = 1500) -> str:
        return self.log.read_text(errors="replace")[-characters:].strip()

    def stop(self, seconds: float = 10) -> int:
        """End it by its signal, by SIGKILL after `seconds`; returns its exit code."""
        if self.running:
            self.process.send_signal(self.stop_signal)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    stop_signal: signal.Signals = signal.SIGTERM,
    user: struct_passwd | None = None,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """Start `command` with its output in `log`, as `user` if one is given (root only).

    The child has a session of its own, so Ctrl-C reaches only the parent. On Linux the kernel sends it
    `stop_signal` when the thread that called this ends, however it ends: call it from the main thread.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            preexec_fn=end_with_parent(stop_signal),
        )
    return Child(process, log, stop_signal)


def end_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """What a child runs before its program: ask the kernel for `stop_signal` at the parent's death."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel
