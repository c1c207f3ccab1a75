"""What an action costs this process: a bound on it must hold on a busy machine as on an idle one."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def best_of(tries: int, bound: float, action: Callable[[], Answer]) -> tuple[float, Answer]:
    """The least CPU seconds of the tries, which end with the first below the bound, and the last answer.

    Process time counts what other threads and the garbage collector do meanwhile, so one try proves nothing.
    """
    least = float("inf")
    while True:
        began = time.process_time()
        answer = action()
        least = min(least, time.process_time() - began)
        tries -= 1
        if least < bound or not tries:
            return least, answer
