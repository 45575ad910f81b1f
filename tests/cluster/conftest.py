"""A Ray cluster for all tests of this folder: two simulated nodes on this machine."""

import os

import pytest


@pytest.fixture(scope="session")
def cluster():
    """Two nodes with a core each; tests connect to it and leave it as it was."""
    import ray_works

    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # there Ray stays on the loopback address
    ray = pytest.importorskip("ray", reason="needs the extra ray: pip install 'ghostbuster[ray]'")
    ray.cloudpickle.register_pickle_by_value(ray_works)  # workers need not have the tests' folders
    with ray_works.nodes(1, 1) as made:
        yield made
