"""Completion and the manual page: both are made from the commands themselves, so neither can fall behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from gatehouse.cli.main import COMMANDS, cli
from gatehouse.cli.shell import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_commands_and_options(shell):
    script = CliRunner().invoke(cli, ["completion", shell]).output
    assert "_GATEHOUSE_COMPLETE" in script
    words = {"bash": {"COMP_WORDS": "gatehouse ver", "COMP_CWORD": "1"}}.get(shell, {"COMP_WORDS": "gatehouse ver"})
    told = {**words, "_GATEHOUSE_COMPLETE": f"{shell}_complete", "COMP_CWORD": "1" if shell != "fish" else "ver"}
    done = subprocess.run(
        [sys.executable, "-m", "gatehouse"], env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    assert "verify" in done.stdout


def test_completing_a_name_imports_no_command():
    code = "import sys, gatehouse.cli.main as m, click\n"
    code += "print([i.value for i in m.cli.shell_complete(click.Context(m.cli), 're')])\n"
    code += "print('duckdb' in sys.modules, 'django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'release'" in done.stdout
    assert "False False" in done.stdout


def test_the_manual_page_has_every_command(tmp_path):
    page = tmp_path / "gatehouse.1"
    assert CliRunner().invoke(cli, ["manual", "--out", str(page)]).exit_code == 0
    text = page.read_text()
    for name in COMMANDS:
        assert f".SS gatehouse {name}".replace("-", "\\-") in text, name
    assert "\n.B \\-\\-site" in text
    assert not re.findall(r"\{[^|}]*\}", text), "a placeholder that nobody filled in"
    if shutil.which("groff"):
        checked = subprocess.run(
            ["groff", "-man", "-ww", "-Tutf8", "-z", page], capture_output=True, text=True, check=True
        )
        assert checked.stderr == ""
