"""smtp-source of Postfix: bare SMTP from C, the same bytes again and again. The limit of the machine, near enough."""

import os
import subprocess
import time

from bench.findings import BenchFailed, Sample
from bench.sinks import HOST, SmtpSink, postfix_program

SESSIONS = 10


def run(sink: SmtpSink, messages: int, size: int) -> Sample:
    """So many messages of `size` bytes over ten kept connections, and the CPU time of smtp-source itself."""
    program = postfix_program("smtp-source")
    count = ["-d", "-s", str(SESSIONS), "-m", str(messages), "-l", str(size)]
    before, began = sink.taken(), time.monotonic()
    process = subprocess.Popen(
        [program, *count, "-f", "news@bench.example", "-t", "reader@mail.bench.example", f"{HOST}:{sink.port}"]
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    taken = sink.taken() - before
    if process.returncode or taken != messages:
        raise BenchFailed(f"smtp-source ended with {process.returncode}; {taken:,} of {messages:,} messages arrived.")
    return {"rate": messages / seconds, "cpu_us": (usage.ru_utime + usage.ru_stime) / messages * 1e6}
