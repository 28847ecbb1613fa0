"""Several workers on one queue of Slack messages."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from web_server.notify import services, worker
from web_server.notify.models import Message


@pytest.fixture
def committed(restored, transactional_db):
    """What the test writes is committed."""


def test_two_workers_never_take_the_same_message(committed, person, site):
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        # one connection cannot be two workers: both have seen the row, one of the updates changes it
        message = services.enqueue_candidate(person("ann"), site["rows"][0])
        seen = Message.objects.filter(pk=message.pk, attempts=message.attempts)
        assert [seen.update(attempts=1), seen.update(attempts=1)] == [1, 0]
        return
    ann = person("ann")
    for one in site["rows"]:
        services.enqueue_candidate(ann, one)
    taken, start = [], threading.Barrier(4)

    def take_all():
        start.wait()
        while message := worker.take():
            taken.append(message.pk)
        connection.close()

    threads = [threading.Thread(target=take_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(Message.objects.values_list("pk", flat=True))
