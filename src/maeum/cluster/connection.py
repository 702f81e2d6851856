"""A Ray cluster: the one there is, the one that was named, or one on this machine alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from maeum import cache
from maeum.errors import JobError, SettingsError
from maeum.machine import memory_bytes, processors

RAY, REMOTE = "ray", "ray://"
"""What `--on` takes beside `local`; the second begins an address."""

OBJECTS_BYTES, OBJECTS_SHARE = 2 * 10**9, 0.25
"""Memory for what processes of this machine hand to each other: at most so much, or this share."""

HANDED_ON = (cache.VARIABLE, "HF_HOME", "HF_HUB_OFFLINE", "HF_ENDPOINT")
"""Variables that the cluster's processes must know too: where things lie."""

USUAL = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""What Ray reads before it begins: nothing is sent anywhere, and its own words stay in its logs."""


def ensure_installed(on: str) -> None:
    """See that there is Ray.

    Raises:
        SettingsError: it is not installed; the message says what to install.
    """
    if find_spec("ray") is None:
        raise SettingsError(
            f"--on {on} takes Ray, which is not installed: pip install 'maeum[ray]'"
        )


@contextmanager
def connected(on: str) -> Iterator[None]:
    """A block with a cluster; one that was started for it ends with it.

    Args:
        on: `ray`: the cluster that RAY_ADDRESS names or that runs on this machine, else a new one
            of this machine's processors; `ray://HOST[:PORT]`: that one.

    Raises:
        SettingsError: Ray is not installed.
        JobError: the cluster does not answer, or has another version of Python or Ray.
    """
    ensure_installed(on)
    for name, value in USUAL.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        yield
        return
    _begin(on)
    try:
        yield
    finally:
        ray.shutdown()


def _begin(on: str) -> None:
    import ray

    known = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    usual: dict[str, Any] = {
        "logging_level": logging.ERROR,
        "log_to_driver": False,
        "runtime_env": {"env_vars": known},
    }
    try:
        if on.startswith(REMOTE):
            ray.init(on, **usual)
            return
        try:
            ray.init("auto", **usual)
        except ConnectionError:
            objects = min(OBJECTS_BYTES, OBJECTS_SHARE * memory_bytes())
            ray.init(
                "local",
                num_cpus=processors(),
                object_store_memory=int(objects),
                include_dashboard=False,
                **usual,
            )
    except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise JobError(
            f"no Ray cluster answers at {on} ({reason}); see `maeum cluster check`, or do without "
            "--on"
        ) from error


@contextmanager
def own_words() -> Iterator[None]:
    """What a piece of work could not do, as it was said there.

    Raises:
        MaeumError: the one that was raised in another process.
        JobError: that process was lost.
    """
    from ray.exceptions import RayError, RayTaskError

    try:
        yield
    except RayTaskError as error:
        cause = error.cause if isinstance(error.cause, Exception) else error
        raise cause from None
    except RayError as error:
        reason = " ".join(str(error).split())
        raise JobError(
            f"part of the cluster was lost ({reason}); what was done is kept: type the same again"
        ) from error
