"""Work that may not take for ever."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from ghostbuster.system.time_limit import CpuTimeExceeded, cpu_time_limit

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a POSIX system")


def forever():
    while True:
        pass


def forever_after_a_loss(lost):
    """Go on after the first interruption, as Python does with one that falls into a finaliser."""
    try:
        forever()
    except CpuTimeExceeded as error:
        lost.append(error)
    forever()


def test_a_block_that_computes_on_is_interrupted_and_the_timer_ends_with_it():
    before = signal.getsignal(signal.SIGPROF)
    with pytest.raises(CpuTimeExceeded), cpu_time_limit(0.01):
        forever()
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGPROF) is before


def test_an_interruption_that_is_lost_comes_again():
    lost = []
    with pytest.raises(CpuTimeExceeded), cpu_time_limit(0.01):
        forever_after_a_loss(lost)
    assert len(lost) == 1


def test_in_another_thread_a_block_takes_the_time_it_takes():
    def work():
        with cpu_time_limit(1e-6):
            return sum(range(10**5))

    with ThreadPoolExecutor(1) as other:
        assert other.submit(work).result() == sum(range(10**5))
