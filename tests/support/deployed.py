"""A site laid out by deploy/parts.sh and deploy/roles.sql: four users, four roles, and the parts running under them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import house
import server

from gatehouse.kernel import clock
from gatehouse.pipeline import site as sites
from gatehouse.pipeline.site import Site

ROOT = Path(__file__).parents[2]
OPERATOR, WEB, DECIDER, WRITER, SEALER = range(8400, 8405)
USERS = {"web": WEB, "decider": DECIDER, "writer": WRITER, "sealer": SEALER}
_TABLES = """
import sys
from pathlib import Path
from gatehouse.cli import web
from gatehouse.pipeline.site import open_site
web.configure(open_site(Path(sys.argv[1])))
"""


@dataclass
class Deployed:
    """The site, who made it, and where its parts are called."""

    home: house.House
    folder: Path
    environment: dict[str, str]

    @property
    def site(self) -> Site:
        return sites.open_site(self.home.site.root)

    def command(self, part: str, *command: str) -> list[str]:
        """A command under a part's user; the decider and the sealer have no network."""
        apart = ["unshare", "--net"] if part in {"decider", "sealer"} else []
        uid = str(USERS[part])
        drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", f"--groups={OPERATOR}", "--no-new-privs"]
        return [*apart, *drop, *command]

    def env(self, part: str) -> dict[str, str]:
        """The environment of a part: it comes to the database as itself."""
        return {**self.environment, "PGUSER": f"gatehouse-{part}", "HOME": "/nonexistent"}

    def run(self, part: str, *arguments: object) -> str:
        """A command of `gatehouse` under a part's user; gives what it printed."""
        command = [sys.executable, "-m", "gatehouse", *map(str, arguments)]
        done = subprocess.run(
            self.command(part, *command), env=self.env(part), capture_output=True, text=True, cwd="/", check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def check(self) -> str:
        """What the operator's nightly check says, who may read every file and write none; as its unit runs it."""
        reading = [
            "--inh-caps=+dac_read_search",
            "--ambient-caps=+dac_read_search",
            "--bounding-set=-all,+dac_read_search",
        ]
        drop = ["setpriv", f"--reuid={OPERATOR}", f"--regid={OPERATOR}", "--clear-groups", *reading]
        command = [*drop, sys.executable, "-m", "gatehouse", "check", "--site", str(self.home.site.root)]
        environment = {**self.environment, "PGUSER": "postgres"}  # the owner of the tables
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/").stdout

    def start(self, part: str) -> subprocess.Popen[bytes]:
        """Start a part as its unit does."""
        users = {**USERS, "operator": OPERATOR}
        admitted = [f"--admit={name}={uid}" for name, uid in users.items() if name != part]
        command = [sys.executable, "-m", "gatehouse", "part", part, "--site", str(self.home.site.root), *admitted]
        with (self.folder / f"{part}.log").open("wb") as log:
            return subprocess.Popen(
                self.command(part, *command), env=self.env(part), stdout=log, stderr=log, cwd=self.folder
            )

    def taken_over(self, part: str, code: str, *arguments: object) -> str:
        """Run arbitrary code as a part: its user, its groups, its network, its role; gives what it printed."""
        command = self.command(part, sys.executable, "-c", code, str(self.home.site.root), *map(str, arguments))
        done = subprocess.run(command, env=self.env(part), capture_output=True, text=True, cwd=self.folder, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextlib.contextmanager
def deploy() -> Iterator[Deployed]:
    """Make the site as its owner, two officers' approvals in it; lay it out; start its parts."""
    folder = Path(tempfile.mkdtemp(prefix="gh-", dir="/tmp"))
    folder.chmod(0o755)
    with server.postgres() as given, contextlib.ExitStack() as running:
        port = given.rpartition(":")[2].partition("/")[0]
        where = _where(given)
        address = f"postgresql:///gatehouse?host={where}&port={port}"
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT / "src"), clock.PRETENDED: clock.stamp(house.LATER),
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        os.environ["PGUSER"] = "postgres"
        running.callback(os.environ.pop, "PGUSER")
        home = house.build(folder, database=address)
        house.decide(home, "ann", "approve")
        house.decide(home, "bob", "approve")
        made = Deployed(home, folder, environment)
        root = str(home.site.root)
        owner = {**environment, "PGUSER": "postgres"}
        subprocess.run([sys.executable, "-c", _TABLES, root], env=owner, check=True)
        roles = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", where, "-p", port, "-d", "gatehouse", "-f"]
        for _ in range(2):  # doing it again changes nothing
            subprocess.run([*roles, ROOT / "deploy" / "roles.sql"], env=owner, check=True, capture_output=True)
        text = home.site.configuration.path.read_text()
        home.site.configuration.path.write_text(f'{text}\n[parts]\nsockets = "{folder}/run"\n')
        users = map(str, (OPERATOR, WEB, DECIDER, WRITER, SEALER))
        subprocess.run(["sh", ROOT / "deploy" / "parts.sh", root, *users], check=True)
        register = Path(home.site.register)
        subprocess.run(["chown", "-R", f"{DECIDER}:{SEALER}", register], check=True)
        subprocess.run(["chmod", "-R", "u=rX,g=rX,o=", register], check=True)
        for part, uid in USERS.items():
            (folder / "run" / part).mkdir(parents=True)
            os.chown(folder / "run" / part, uid, uid)
        for part in ("writer", "sealer", "decider"):
            process = made.start(part)
            running.callback(process.wait)
            running.callback(process.terminate)
        for part in ("writer", "sealer", "decider"):
            _listening(folder / "run" / part / "socket", folder / f"{part}.log")
        yield made
    shutil.rmtree(folder, ignore_errors=True)


def _where(address: str) -> str:
    import psycopg

    with psycopg.connect(address) as connection:
        (where,) = connection.execute("SHOW unix_socket_directories").fetchone() or ("",)
    return str(where)


def _listening(path: Path, log: Path) -> None:
    for _ in range(600):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())
