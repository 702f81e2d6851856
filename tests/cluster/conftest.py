"""A cluster of two workers on this machine, for as long as a module's tests last."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Gives a port that nobody listens at."""

    def found() -> int:
        with socket.socket() as own:
            own.bind(("127.0.0.1", 0))
            return own.getsockname()[1]

    return found


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    import test_on_ray
    from ray import cloudpickle

    from maeum import machine
    from maeum.cluster.connection import connected

    cloudpickle.register_pickle_by_value(test_on_ray)  # its functions are no package's
    os.environ["RAY_AUTH_MODE"] = "disabled"
    before = os.environ.get(machine.VARIABLE)
    os.environ[machine.VARIABLE] = "2"
    try:
        with connected("ray"):
            yield
    finally:
        if before is None:
            del os.environ[machine.VARIABLE]
        else:
            os.environ[machine.VARIABLE] = before
