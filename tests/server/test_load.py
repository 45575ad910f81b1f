"""The queue: bounded, fair, batched, and whole whatever happens to clients and scoring processes."""

import json
import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prose import passages as prose_of

from benchmarks.serving import Served

TEXTS = prose_of(12, 80)
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def post(server, text, path="-"):
    return server.post_json({"text": text, "path": path})


def test_texts_that_wait_together_get_the_verdicts_that_each_gets_alone(server):
    alone = [post(server, text, str(i)).json() for i, text in enumerate(TEXTS)]
    with ThreadPoolExecutor(len(TEXTS)) as clients:
        together = list(clients.map(lambda i: post(server, TEXTS[i], str(i)).json(), range(len(TEXTS))))
    assert together == alone


def test_a_hundred_requests_at_once_are_each_answered_once(server):
    with ThreadPoolExecutor(25) as clients:
        answers = list(clients.map(lambda i: post(server, TEXTS[i % 12], f"n{i}"), range(100)))
    assert [answer.status for answer in answers] == [200] * 100
    assert [answer.json()["path"] for answer in answers] == [f"n{i}" for i in range(100)]


def test_a_full_queue_says_when_to_come_again_and_is_then_as_before(detector_file):
    with Served("--model", detector_file, "--queue", "2") as one:
        long = " ".join(prose_of(8, 300))
        with ThreadPoolExecutor(20) as clients:
            answers = list(clients.map(lambda i: post(one, long, str(i)), range(20)))
        refused = [answer for answer in answers if answer.status == 429]
        good = [answer for answer in answers if answer.status == 200]
        assert len(refused) + len(good) == 20
        assert len(refused) >= 10
        assert len(good) >= 2
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        assert {"culprit", "expectation", "remedy"} <= refused[0].json().keys()
        assert post(one, TEXTS[0]).status == 200


def test_one_text_gets_in_while_many_are_being_judged(detector_file):
    """Requests of many texts fill half of the queue at most."""
    with Served("--model", detector_file, "--queue", "8") as one, ThreadPoolExecutor(3) as clients:
        many = [clients.submit(one.post_json, {"texts": prose_of(20, 200, seed)}) for seed in range(3)]
        time.sleep(0.3)
        singles = [post(one, TEXTS[i]).status for i in range(3)]
        assert singles == [200] * 3
        assert [len(future.result().json()) for future in many] == [20] * 3


@linux
def test_a_scoring_process_that_dies_is_started_anew(detector_file):
    with Served("--model", detector_file) as one, ThreadPoolExecutor(1) as client:
        waiting = client.submit(post, one, " ".join(prose_of(20, 400)))
        time.sleep(0.5)
        for pid in one.children():
            os.kill(pid, signal.SIGKILL)
        answer = waiting.result()
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert "the process that scores ended" in answer.json()["culprit"]
        assert post(one, TEXTS[0]).status == 200


def test_two_workers_give_the_same_verdicts(server, detector_file):
    expected = [post(server, text).json() for text in TEXTS]
    with Served("--model", detector_file, "--workers", "2") as two:
        assert two.post_json({"texts": TEXTS}).json() == expected


def test_with_two_workers_a_very_long_text_holds_nobody_up(detector_file):
    with Served("--model", detector_file, "--workers", "2") as two, ThreadPoolExecutor(2) as clients:
        long = [clients.submit(post, two, " ".join(prose_of(35, 600, seed))) for seed in range(2)]
        time.sleep(0.2)
        assert post(two, TEXTS[0]).status == 200
        assert not any(future.done() for future in long)
        assert [future.result().status for future in long] == [200, 200]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_accepted_is_answered_before_it_ends(detector_file, number):
    with Served("--model", detector_file) as one, ThreadPoolExecutor(6) as clients:
        waiting = [clients.submit(post, one, " ".join(prose_of(4, 300, i)), str(i)) for i in range(6)]
        time.sleep(0.4)
        one.process.send_signal(number)
        answers = [future.result() for future in waiting]
        assert [answer.status for answer in answers] == [200] * 6
        assert one.stop() == (0, "")


def test_a_second_signal_ends_it_at_once(detector_file):
    with Served("--model", detector_file) as one, ThreadPoolExecutor(1) as client:
        waiting = client.submit(post, one, " ".join(prose_of(35, 600)))
        time.sleep(0.4)
        one.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        started = time.monotonic()
        one.process.send_signal(signal.SIGINT)
        one.process.wait(20)
        assert time.monotonic() - started < 10
        assert not waiting.exception() or isinstance(waiting.exception(), OSError)
        assert waiting.exception() or waiting.result().status >= 500


def test_while_it_ends_new_texts_are_told_to_go_elsewhere(detector_file):
    with Served("--model", detector_file) as one, ThreadPoolExecutor(1) as client:
        waiting = client.submit(post, one, " ".join(prose_of(35, 600)))
        time.sleep(0.4)
        one.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert one.request("GET", "/healthz").status == 503
        assert post(one, TEXTS[0]).status == 503
        assert waiting.result().status == 200


def test_bodies_of_all_clients_together_have_a_bound(detector_file):
    limits = {"bodies_bytes": 3_000_000, "body_bytes": 2_000_000}
    with Served("--model", detector_file, limits=limits) as one:
        body = b"x" * 1_500_000
        head = (
            f"POST /v1/verdicts HTTP/1.1\r\nHost: {one.host}\r\nContent-Type: text/plain\r\n"
            "Content-Length: 1600000\r\n\r\n"
        )
        held = [one.connect() for _ in range(2)]
        for connection in held:
            connection.sendall(head.encode() + body)
        time.sleep(0.5)
        refused = one.request("POST", "/v1/verdicts", body, {"Content-Type": "text/plain"})
        assert refused.status == 503
        for connection in held:
            connection.close()
        time.sleep(0.5)
        assert post(one, TEXTS[0]).status == 200


def test_a_client_that_never_reads_its_answer_is_let_go(detector_file):
    limits = {"idle_seconds": 1.0}
    with Served("--model", detector_file, limits=limits) as one:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((one.host, one.port))
        for _ in range(400):
            try:
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {one.host}\r\n\r\n".encode())
            except OSError:
                break
            time.sleep(0.01)
        else:
            pytest.fail("it went on being served")
        connection.close()
        assert one.request("GET", "/").status == 200


def test_an_endless_stream_shares_with_others(server):
    stop = threading.Event()
    seen = []

    def stream():
        with server.connect() as one:
            one.sendall(
                f"POST /v1/verdicts HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: application/x-ndjson\r\n"
                "Transfer-Encoding: chunked\r\n\r\n".encode()
            )
            one.settimeout(0.02)
            line = json.dumps(TEXTS[0]).encode() + b"\n"
            while not stop.is_set():
                try:
                    one.sendall(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                except TimeoutError:
                    break  # half a chunk is sent: no more can be said
                try:
                    seen.append(one.recv(65536))
                except TimeoutError:
                    continue

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        assert [post(server, text).status for text in TEXTS] == [200] * 12
    finally:
        stop.set()
        thread.join()
    assert b'{"line": 1,' in b"".join(seen)
