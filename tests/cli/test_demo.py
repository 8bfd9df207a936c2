"""What the demonstration says on its way, and the port it takes."""

from __future__ import annotations

import re
import socket

import click
import pytest
from click.testing import CliRunner

from gatehouse.cli.demo import STEPS, Stage, demo, free_port
from gatehouse.kernel import clock


def test_a_step_is_one_line_with_its_time(tmp_path, capsys):
    stage = Stage(tmp_path, 10, 10)
    with stage.step("Something is made."):
        click.echo("many lines\nof keys and digests")
    assert re.fullmatch(rf"1/{STEPS}  Something is made\.  \d+\.\d s\n", capsys.readouterr().out)


def test_what_a_step_said_is_shown_when_it_fails_and_when_asked_for(tmp_path, capsys):
    with pytest.raises(ValueError, match="broken"), Stage(tmp_path, 10, 10).step("Something is made."):
        click.echo("the last thing that it said")
        raise ValueError("broken")
    assert "the last thing that it said" in capsys.readouterr().err
    with Stage(tmp_path, 10, 10, verbose=True).step("Something is made."):
        click.echo("every key and digest")
    assert "every key and digest" in capsys.readouterr().out


def test_a_free_port_is_taken_when_the_usual_one_is_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) not in {0, port}
    assert free_port(port) == port


def test_the_options_are_told():
    told = CliRunner().invoke(demo, ["--help"]).output
    assert all(option in told for option in ("--port", "--verbose", "--no-serve", "--no-browser"))


def test_a_pretended_clock_stands_still_or_goes_by(monkeypatch):
    monkeypatch.setenv(clock.PRETENDED, "2025-08-07T14:00:00Z")
    assert clock.stamp(clock.now()) == "2025-08-07T14:00:00Z"
    monkeypatch.setattr(clock.time, "time", lambda: 1_000_090.7)
    monkeypatch.setenv(clock.SINCE, "1000000.5")
    assert clock.stamp(clock.now()) == "2025-08-07T14:01:30Z"
