"""A real site for the browser: a synthetic register, a signed submission carried to the approvals, and its accounts."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from itertools import islice
from pathlib import Path

from gatehouse.casework.approval import Proposal
from gatehouse.casework.sampling import SINGLE_LIMIT
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, State
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.law.reading import load
from gatehouse.law.signing import SIGNED
from gatehouse.ledger.note import sign_file
from gatehouse.ledger.signers import new_key, parse_signer, read_signer
from gatehouse.pipeline import approve, founding, journey, recall, release
from gatehouse.pipeline.site import Founding, Site
from gatehouse.release.recall import Cause
from gatehouse.release.returns import ReleaseRecord
from gatehouse.synthetic.parties import invent
from gatehouse.synthetic.register import make_register
from gatehouse.synthetic.submission import make_submission

NOW = dt.datetime(2025, 8, 7, 14, tzinfo=dt.UTC)
OFFICERS = (("do-1", "Ana Ruiz"), ("do-2", "Brian Cole"))
PACK = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"


def build(root: Path, *, persons: int = 3000, requests: int = 400) -> Site:
    """Make the site without its docket; the agency's zips lie beside it as first.zip and second.zip."""
    private, public = new_key("us.dhs.ice")
    with open_workspace() as connection:
        make_register(connection, root / "register", persons, 1)
        for seed, name in ((1, "first"), (2, "second")):
            make_submission(connection, root / name, root / "register", requests, seed)
            pack_up(root / name, root / f"{name}.zip", private)
    parties = root / "parties.toml"
    parties.write_text(invent(public, usual_requests=requests))
    beginning = Founding(
        name="gateway.example/disclosures/2025",
        register=str(root / "register"),
        parties=parties,
        demonstration=True,
    )
    site = founding.found(root / "site", beginning, [PACK], NOW, shipped=True)
    appoint(site, root)
    return site


def appoint(site: Site, root: Path) -> None:
    """Two officers, whose keys lie beside the site and never in it."""
    text = site.configuration.path.read_text()
    for identity, name in OFFICERS:
        private, public = new_key(identity)
        key = _key(site, identity)
        key.write_text(f"{private}\n")
        text += f'\n[[officers]]\nid = "{identity}"\nname = "{name}"\nrole = "disclosure_officer"\n'
        text += f'key = "{public}"\nfrom = 2025-01-01\n'
    site.configuration.path.write_text(text)
    keys = []
    for name in ("inspector-general", "court"):
        private, public = new_key(name)
        (root / f"{name}.key").write_text(f"{private}\n")
        keys.append(f"key {public}\n")
    (site.root / "oversight.policy").write_text("".join([*keys, "halt 1\n", "resume 2\n"]))


def _key(site: Site, officer: str) -> Path:
    return site.root.parent / f"{officer}.key"


ORDER = "order-2025-09-01-test"


def order_zip(site: Site, target: Path) -> None:
    """Zip the pack in force with one court's order added, as counsel would hand it in."""
    folder = target.with_suffix("") / "pack"
    shutil.copytree(site.pack_for("us.irs.6103-i-2"), folder, ignore=shutil.ignore_patterns(*SIGNED))
    version = int(load(folder).version.partition(".")[0])
    _change(folder / "pack.toml", f'version = "{version}.', f'version = "{version + 1}.')
    _change(folder / "properties.toml", "until = 2025-09-05", "until = 2025-09-01")
    (folder / "orders" / "2025-09-01-test.toml").write_text(f"""[source]
id = "{ORDER}"
title = "An invented order"
kind = "order"
cite = "D. Test. 1:25-cv-00001"
made = 2025-09-01
from = 2025-09-01
until = 2025-09-04
certainty = "primary"

[[rule]]
id = "order-2025-09-01-nothing"
effect = "bar"
otherwise = "refuse"
code = "ORDER"
when = "toward_immigration_agency"
cite = "D. Test. 1:25-cv-00001"
paraphrase = "Nothing may be disclosed."
say = "A court order in force forbids this disclosure."
note = "An invented order."
""")
    examples = folder / "examples" / "requests.toml"
    examples.write_text(
        examples.read_text() + '\n[[example]]\ntitle = "An invented order"\nas_of = 2025-09-03\noutcome = "refused"\n'
        'fired = ["order-2025-09-01-nothing"]\n\n[[example]]\ntitle = "Another agency"\nas_of = 2025-09-03\n'
        'outcome = "cleared"\nfired = []\n[example.with]\nagreement = "invented-agreement"\nagency = "us.example"\n'
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent))


def _change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text, before
    path.write_text(text.replace(before, after, 1))


def pack_up(folder: Path, zipped: Path, private: str) -> None:
    """Sign a submission folder and zip it."""
    manifest = folder / "submission.json"
    (folder / "submission.json.sig").write_text(sign_file(manifest, parse_signer(private)))
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)


def carry(site: Site, zipped: Path) -> str:
    """Run a submission up to the approvals; gives the docket's name."""
    docket = journey.run(site, zipped, now=NOW, progress=lambda *_: None)
    shutil.rmtree(site.root / "spill", ignore_errors=True)
    return docket.id


def release_some(site: Site, docket: str) -> ReleaseRecord:
    """Release as many cleared cases as need no sample, approved by both officers; gives one of the packages."""
    place, now = approve.office(site), clock.now()
    cases = Selection.of(islice(place.casebook.board(docket).states[State.CLEARED], SINGLE_LIMIT))
    proposal = Proposal(docket, Action.APPROVE, cases, "I compared each file with its request.")
    for officer, _ in OFFICERS:
        approve.decide(place, officer, proposal, signer=read_signer(_key(site, officer)), now=now)
    with open_workspace() as connection:
        return release.release(connection, place, docket, now).releases[0]


def recall_one(site: Site, package: ReleaseRecord) -> None:
    """Take back one case of a package, as an officer decides it."""
    place, officer = approve.office(site), "do-1"
    wrong = Selection.of(islice(package.cases, 1))
    cause = Cause("requests", "", "The person released is not the one the request names.")
    signer, now = read_signer(_key(site, officer)), clock.now()
    with open_workspace() as connection:
        recall.recall(connection, place, package.docket, wrong, cause=cause, officer=officer, signer=signer, now=now)
