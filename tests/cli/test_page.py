"""docs/cli.md is the help of the commands, and the examples in it can be typed."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from maeum.cli import COMMANDS

CHECKOUT = Path(__file__).parents[2]
RENEW = "docs/cli.md is stale; renew it: python tools/make_cli_page.py"

EXAMPLES = [
    example
    for command in COMMANDS.values()
    for example in re.findall(r"`maeum (.+)`", command.__doc__ or "")
]


def test_the_page_is_what_the_commands_say():
    made = runpy.run_path(str(CHECKOUT / "tools" / "make_cli_page.py"))["page"]()
    assert (CHECKOUT / "docs" / "cli.md").read_text(encoding="utf-8") == made, RENEW


def test_every_command_has_an_example():
    shown = {name for name in COMMANDS for example in EXAMPLES if example.startswith(name)}
    assert shown == set(COMMANDS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_has_options_that_exist(maeum, example):
    words = shlex.split(example.partition(" > ")[0])
    assert maeum(*words, "--help").code == 0
