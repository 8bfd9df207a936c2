"""Whether overseers have stopped a docket: read from the site's `halts/` under its `oversight.policy`.

A site without overseers has no halts. One that has halts but no policy, or a file in `halts/` that cannot be believed,
stops everything: silence must not mean go.
"""

from __future__ import annotations

from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import halt
from gatehouse.pipeline.site import Site


def is_halted(site: Site, *, agency: str, docket: str) -> bool:
    """Whether a halt in force covers a docket. Raises AnswerIsNo or WrongInput when halts cannot be believed."""
    folder, policy = site.root / "halts", site.root / "oversight.policy"
    if not policy.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise AnswerIsNo("there are halts and nobody to believe", where=str(policy), remedy="Restore the file")
        return False
    if not folder.is_dir():
        return False
    oversight = halt.Oversight.parse(policy.read_text(encoding="utf-8"), where=policy.name)
    return halt.is_halted(halt.read_folder(folder, oversight), agency=agency, docket=docket)


def refuse(site: Site, *, agency: str, docket: str) -> None:
    """Raise AnswerIsNo when a halt covers a docket."""
    if is_halted(site, agency=agency, docket=docket):
        raise AnswerIsNo(
            "overseers have halted this docket", where=docket, remedy="Only they can let it go on: gatehouse halt show"
        )
