"""Work side by side: one process for each piece, all together within the cores there are."""

from __future__ import annotations

import copyreg
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from types import FrameType, MappingProxyType
from typing import TypeVar

from racs_transients.errors import INTERRUPTED

Item = TypeVar("Item")


def _read_only(values: dict[object, object]) -> MappingProxyType[object, object]:
    return MappingProxyType(values)


# Read-only mappings are part of surveys; pickle does not know them.
copyreg.pickle(MappingProxyType, lambda mapping: (_read_only, (dict(mapping),)))


def shares(cores: Sequence[int], count: int) -> list[list[int]]:
    """Divide cores among processes.

    Parameters
    ----------
    cores : sequence of int
        Numbers of the cores.
    count : int
        How many processes; where they are more than the cores, several have the same one.

    Returns
    -------
    list of list of int
        The cores of each process.
    """
    if count >= len(cores):
        return [[cores[k % len(cores)]] for k in range(count)]
    return [list(cores[k::count]) for k in range(count)]


def side_by_side(work: Callable[[Item], int], items: Sequence[Item], jobs: int) -> Iterator[tuple[Item, int]]:
    """Work on items in processes of their own.

    Parameters
    ----------
    work : callable
        Returns an exit code; a function of a module, as are its items, so that they can be sent.
    items : sequence
        What to work on.
    jobs : int
        How many processes at once. The cores are divided among them, and whatever starts processes inside sees
        only its share.

    Yields
    ------
    item : object
        An item, as it is done.
    exit_code : int
        Its exit code; negative where a signal ended the process.
    """
    context = get_context("forkserver")
    slots = shares(sorted(os.sched_getaffinity(0)), jobs)
    waiting = list(items)
    running: dict[int, tuple[BaseProcess, Item, list[int]]] = {}
    try:
        while waiting or running:
            while waiting and slots:
                item, cores = waiting.pop(0), slots.pop(0)
                process: BaseProcess = context.Process(target=_child, args=(work, item, cores))
                process.start()
                running[process.sentinel] = process, item, cores
            for sentinel in set(running).intersection(connection.wait(list(running))):
                ended, item, cores = running.pop(sentinel)
                ended.join()
                slots.append(cores)
                yield item, int(ended.exitcode or 0)
    finally:
        for left, _, _ in running.values():
            left.terminate()
            left.join()


def _child(work: Callable[[Item], int], item: Item, cores: list[int]) -> None:
    os.sched_setaffinity(0, cores)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    try:
        code = work(item)
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _stop(number: int, frame: FrameType | None) -> None:
    """Interrupt what is done, once: what it started is stopped on the way out."""
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def _stop_with_parent() -> None:
    """Wait for the end of the parent: a process that nobody waits for would keep its results folder locked."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
