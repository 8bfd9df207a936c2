"""Behind https everything is for https only: cookies, redirects, and a year of the browser's memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
ASK = """
import json, sys
from gatehouse.cli import web
from pathlib import Path
application = web.application(Path(sys.argv[1]), hosts=("gateway.example",), https=True)
from django.test import Client
plain = Client(headers={"host": "gateway.example"})
safe = Client(headers={"host": "gateway.example", "x-forwarded-proto": "https"})
there, page = plain.get("/sign-in/"), safe.get("/sign-in/")
refused = Client(headers={"host": "evil.example", "x-forwarded-proto": "https"}).get("/sign-in/")
asked = ("secure", "httponly", "samesite", "path", "domain")
cookies = {name: [cookie[each] for each in asked] for name, cookie in page.cookies.items()}
print(json.dumps({"moved": [there.status_code, there.headers["Location"]],
    "hsts": page.headers["Strict-Transport-Security"], "cookies": cookies,
    "session": web.settings.SESSION_COOKIE_NAME,
    "other": refused.status_code}))
"""


def test_over_https_nothing_travels_in_the_clear(site):
    run = subprocess.run(
        [sys.executable, "-c", ASK, str(site.root)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["moved"] == [301, "https://gateway.example/sign-in/"]
    assert told["hsts"].startswith("max-age=31536000")
    assert told["cookies"] == {"__Host-csrf": [True, True, "Lax", "/", ""]}
    assert told["session"] == "__Host-session"
    assert told["other"] == 400
