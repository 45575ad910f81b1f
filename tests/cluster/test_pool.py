"""Workers may end: each part's result comes once all the same, and what can never be done is given up."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from ray_works import Writes, added, parts

from ghostbuster.cluster.engine.pool import Pool, Workers, own_versions
from ghostbuster.cluster.engine.session import ray_session
from ghostbuster.errors import ClusterError, InputError, SettingError

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own


@pytest.fixture
def ray(cluster):
    with ray_session(cluster.address, n_cpus=1) as connected:
        yield connected


def squares(n):
    return sorted((i, i * i) for i in range(n))


def run(ray, work, n, workers=2):
    return sorted((part.number, found) for part, found in Pool(ray, work, Workers(workers)).run(parts(n)))


def test_each_part_is_done_once_by_workers_that_open_once(ray, tmp_path):
    assert run(ray, Writes(str(tmp_path), seconds=0.2), 6) == squares(6)
    assert len(list(tmp_path.glob("opened-*"))) == 2
    assert {one.read_text() for one in tmp_path.glob("done-*")} == {
        one.name.removeprefix("opened-") for one in tmp_path.glob("opened-*")
    }


def test_a_part_whose_worker_ended_is_done_by_another_or_by_the_restarted_one(ray, tmp_path):
    deeds = {0: "ends once", 3: "ends once", 5: "ends once"}
    assert run(ray, Writes(str(tmp_path), deeds), 6) == squares(6)


def test_workers_killed_from_outside_are_started_again(ray, tmp_path):
    def kill_first():
        while not (opened := list(tmp_path.glob("opened-*"))):
            time.sleep(0.05)
        os.kill(int(opened[0].name.removeprefix("opened-")), signal.SIGKILL)

    killer = threading.Thread(target=kill_first)
    killer.start()
    assert run(ray, Writes(str(tmp_path), seconds=0.1), 30) == squares(30)
    killer.join()
    assert len(list(tmp_path.glob("opened-*"))) >= 2


def test_a_part_that_always_ends_its_worker_is_named_and_given_up(ray, tmp_path):
    with pytest.raises(
        ClusterError, match=r"part part-2 ended its worker 5 times \(.*give more memory a worker"
    ):
        run(ray, Writes(str(tmp_path), {2: "always ends"}), 4)


def test_what_the_work_refuses_is_said_as_it_is(ray, tmp_path):
    with pytest.raises(InputError, match=r"^row 7 of in\.csv: no$"):
        run(ray, Writes(str(tmp_path), {1: "refuses"}), 4)
    with pytest.raises(ClusterError, match=r"a worker failed \(KeyError: 'oops'\): this is a defect"):
        run(ray, Writes(str(tmp_path), {1: "breaks"}), 4)


def test_after_a_job_its_workers_are_gone(ray, tmp_path):
    run(ray, Writes(str(tmp_path)), 2)
    pids = [int(one.name.removeprefix("opened-")) for one in tmp_path.glob("opened-*")]
    deadline = time.monotonic() + 60
    while any(_is_worker(one) for one in pids):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _is_worker(pid):
    path = Path(f"/proc/{pid}/cmdline")
    return path.exists() and b"ray::" in path.read_bytes()


def test_a_lost_node_takes_no_part_with_it(cluster, tmp_path):
    node = added(cluster, num_cpus=2, object_store_memory=80 * 2**20)

    def kill_node():
        while len(list(tmp_path.glob("done-*"))) < 4:
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=kill_node)
    killer.start()
    with ray_session(cluster.address, n_cpus=1) as ray:
        assert run(ray, Writes(str(tmp_path), seconds=0.2), 30, workers=4) == squares(30)
    killer.join()


def test_more_workers_than_there_is_room_for_are_no_reason_to_wait(ray, tmp_path):
    assert run(ray, Writes(str(tmp_path)), 8, workers=8) == squares(8)


def test_a_worker_that_fits_no_node_is_waited_for_only_so_long(ray, tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.cluster.engine.pool.PATIENCE", 0.5)
    with pytest.raises(ClusterError, match=r"no worker could be started .*each needs 64 CPU .*'CPU': 2"):
        list(Pool(ray, Writes(str(tmp_path)), Workers(1, n_cpus=64)).run(parts(1)))


def test_nodes_with_other_versions_are_refused_by_name():
    pool = Pool.__new__(Pool)
    pool._check_versions(own_versions() | {"node": "n1"})
    with pytest.raises(
        SettingError, match=r"node n1 has ghostbuster 9\.9, and this machine .*one version on all"
    ):
        pool._check_versions(own_versions() | {"ghostbuster": "9.9", "node": "n1"})
