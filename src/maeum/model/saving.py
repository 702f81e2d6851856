"""A network on the disk, and what is raised where that is full."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from maeum.model.network import Network

_ERRNO = re.compile(r"os error (\d+)")  # how safetensors ends its sentence
_SHORT_WRITE = "inline_container"  # torch's writer of checkpoints: fewer bytes arrived than sent


def save_network(network: Network, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` in the layout of transformers."""
    from maeum.encoders.pretrained.quiet import quietly
    from maeum.model.config import NetworkConfig
    from maeum.model.pretrained import EmotionNetwork

    if not isinstance(network, EmotionNetwork):
        plain, network = network, EmotionNetwork(NetworkConfig(**network.config.to_arguments()))
        network.load_state_dict(plain.state_dict())
    with quietly():
        network.save_pretrained(folder)


@contextmanager
def writing_below(folder: Path) -> Iterator[None]:
    """While weights or checkpoints are written below a folder.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    try:
        yield
    except SafetensorError as error:
        found = _ERRNO.search(str(error))
        raise _os_error(int(found[1]) if found else errno.EIO, folder) from error
    except RuntimeError as error:
        if _SHORT_WRITE not in str(error):
            raise
        raise _os_error(errno.ENOSPC, folder) from error


def _os_error(number: int, folder: Path) -> OSError:
    return OSError(number, os.strerror(number), str(folder))
