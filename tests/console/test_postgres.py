"""The doors' tests once more with people's work in PostgreSQL: rights, pages, sessions, factors, decisions, the API."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import server

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

HERE = Path(__file__).parent
_CHOSEN = (
    "not opens_exactly and not leads_to_sign_in and (not no_form or NUL) and not a_role_"
    " and not programs_alone and not two_offices"  # these run on both databases by themselves
)
"""What asks the database nothing new is left to SQLite, for the sake of time."""
FILES = [
    HERE / "test_bad_forms.py",
    HERE / "test_rights.py",
    HERE / "test_pages.py",
    HERE / "test_deciding.py",
    HERE / "test_sessions.py",
    HERE / "test_factors.py",
    HERE / "test_proposals.py",
    HERE / "test_offices.py",
    HERE / "test_work.py",
    HERE.parent / "api" / "test_api.py",
    HERE.parent / "api" / "test_bad_input.py",
    HERE.parent / "api" / "test_inside.py",
]


def test_the_doors_keep_their_promises_on_postgresql():
    with server.postgres() as address:
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "-k",
                _CHOSEN,
                *map(str, FILES),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
            cwd=HERE.parents[1],
            env={**os.environ, "GATEHOUSE_TEST_DATABASE": address},
        )
    assert run.returncode == 0, run.stdout[-4000:]


def test_the_database_asked_for_is_the_one_used():
    """The run above would pass in vain if it worked in SQLite all the same."""
    with server.postgres() as address:
        code = "import doors, django.db as d; doors.store.configure(doors.SITE.database); print(d.connection.vendor)"
        run = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
            env={
                **os.environ,
                "GATEHOUSE_TEST_DATABASE": address,
                "PYTHONPATH": f"{HERE.parents[1] / 'src'}:{HERE.parent / 'support'}",
            },
        )
    assert run.stdout.split()[-1] == "postgresql"
