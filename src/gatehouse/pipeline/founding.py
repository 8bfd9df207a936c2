"""Found a site: its keys, its two offices, its law in force, and a ledger whose first entries say so.

Where the offices bring their public keys, the packs must carry their signatures already. Else both offices' keys are
made here, beside the site and never in it, to be handed to them. They sign packs that were just checked and proved, or
that came with this software with the record of their proof, so that a plain install without a solver can found a site.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.law import adoption, signing
from gatehouse.law.check import check
from gatehouse.law.reading import load
from gatehouse.law.signing import Offices
from gatehouse.ledger.signers import new_key, parse_signer
from gatehouse.pipeline import packs as gate
from gatehouse.pipeline import record
from gatehouse.pipeline import site as sites
from gatehouse.pipeline.site import Founding, Site

OFFICES = ("counsel", "custodian")


def found(
    root: Path,
    founding: Founding,
    packs: Sequence[Path],
    now: dt.datetime,
    *,
    shipped: bool = False,
    progress: Progress = silent,
) -> Site:
    """Make a site with packs in force and its ledger begun.

    `shipped` says that the packs came with this software: then their own record of proof is taken, where it fits them.

    Raises WrongInput where a pack does not load or the folder holds anything, AnswerIsNo where one does not pass its
    check or is not signed by the offices named; then nothing was made.
    """
    if founding.after is not None:
        record.final(sites.open_site(founding.after))
    if founding.offices is not None:
        for folder in packs:
            signing.verify(folder, founding.offices)
        made = sites.make(root, founding)
        for folder in packs:
            adoption.adopt(folder, made.packs, founding.offices)
    else:
        made = _with_new_offices(root, founding, packs, progress, shipped=shipped)
    if founding.after is not None:
        try:
            record.close_year(sites.open_site(founding.after), made.name)
        except BaseException:
            shutil.rmtree(made.root)  # two sites of which each decides would be worse than none
            raise
    record.begin(made, now, after=founding.after)
    with record.open_log(made) as log:
        gate.on_record(made, log)
        record.publish(made, log, now)
    if founding.after is not None:
        record.inherit(made, founding.after)
        record.open_log(made).close()  # enters that its policy changed; published once the witnesses know the new log
    return made


def folder_of_offices(root: Path) -> Path:
    """Where the offices' keys are laid that were made with a site: beside it, never in it, to be handed over."""
    return root.with_name(f"{root.name}-offices")


def keys_of_offices(site: Site) -> list[Path]:
    """The private keys of the offices that were made with a site and were not handed over yet."""
    folder = folder_of_offices(site.root)
    return [path for office in OFFICES if (path := folder / f"{office}.key").is_file()]


def _with_new_offices(
    root: Path, founding: Founding, packs: Sequence[Path], progress: Progress, *, shipped: bool
) -> Site:
    """See that every pack is proved, let two new keys sign, and adopt."""
    handed = folder_of_offices(root)
    if handed.exists():
        raise WrongInput(
            "the folder for the offices' keys already exists", where=str(handed), remedy="Move it away first"
        )
    texts = {office: new_key(f"{founding.name}/office/{office}")[0] for office in OFFICES}
    signers = {office: parse_signer(text) for office, text in texts.items()}
    offices = Offices(*([signer.verifier] for signer in signers.values()))
    drafts = root.with_name(f".{root.name}.law")
    ignored = shutil.ignore_patterns(signing.LOCK, signing.SIGNATURES)
    shutil.rmtree(drafts, ignore_errors=True)
    try:
        for pack in packs:
            draft = Path(shutil.copytree(pack, drafts / pack.name, ignore=ignored))
            loaded = load(draft)
            if not shipped:
                signing.record(check(loaded, progress))
            for signer in signers.values():
                signing.sign_recorded(loaded, signer)
        made = sites.make(root, replace(founding, offices=offices))
        handed.mkdir(mode=0o700)
        for office, text in texts.items():
            files.write(handed / f"{office}.key", f"{text}\n".encode(), mode=0o600)
        for draft in sorted(drafts.glob("*")):
            adoption.adopt(draft, made.packs, offices)
    finally:
        shutil.rmtree(drafts, ignore_errors=True)
    return made
