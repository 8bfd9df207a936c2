"""What is in force: adopted in one instant, never backwards, and verified whenever it is asked for."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from small import LAW, append, change, key, signed, small

from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.law import adoption
from gatehouse.law.adoption import adopt, in_force, pinned
from gatehouse.law.reading import load
from gatehouse.law.signing import Offices
from gatehouse.ledger.signers import Signer

BASIS = "us.example.one"
Keys = tuple[Signer, Signer]


def offices(keys: Keys) -> Offices:
    return Offices([keys[0].verifier], [keys[1].verifier])


def version(folder: Path, before: str, after: str, keys: Keys) -> Path:
    change(folder, "pack.toml", f'version = "{before}"', f'version = "{after}"')
    return signed(folder, *keys)


@pytest.fixture
def first(tmp_path: Path, keys: Keys) -> Path:
    """A signed pack, version 0.1.0."""
    return signed(small(tmp_path / "p"), *keys)


@pytest.fixture
def packs(tmp_path: Path, first: Path, keys: Keys) -> Path:
    """A folder where it is in force."""
    adopt(first, tmp_path / "packs", offices(keys))
    return tmp_path / "packs"


def test_the_newer_pack_follows_and_the_one_before_stays_beside_it(packs: Path, first: Path, keys: Keys):
    before = in_force(packs, BASIS, offices(keys))
    after = adopt(version(first, "0.1.0", "0.2.0", keys), packs, offices(keys))
    assert in_force(packs, BASIS, offices(keys)).digest == after.digest != before.digest
    assert load(before.folder).digest == before.digest
    assert pinned(packs)[BASIS].version == "0.2.0"
    assert {path.name for path in packs.iterdir()} == {f"{BASIS}@0.1.0", f"{BASIS}@0.2.0", "pinned.json"}


def test_the_same_pack_again_changes_nothing(packs: Path, first: Path, keys: Keys):
    pins = (packs / "pinned.json").stat().st_mtime_ns
    adopt(first, packs, offices(keys))
    assert (packs / "pinned.json").stat().st_mtime_ns == pins


def test_a_pack_signed_again_by_new_keys_takes_its_own_place(packs: Path, first: Path):
    new = key("counsel.example"), key("custodian.example")
    with pytest.raises(AnswerIsNo):
        in_force(packs, BASIS, offices(new))
    (first / "pack.sig").unlink()
    adopt(signed(first, *new), packs, offices(new))
    assert in_force(packs, BASIS, offices(new)).folder.name == f"{BASIS}@0.1.0-signed-again"


@pytest.mark.parametrize("name", ["pack.lock", "pack.sig", "proof.json"])
def test_unsigned_or_unproved(packs: Path, first: Path, keys: Keys, name: str):
    standing = in_force(packs, BASIS, offices(keys)).digest
    (version(first, "0.1.0", "0.2.0", keys) / name).unlink()
    with pytest.raises(AnswerIsNo, match=f"no {name}"):
        adopt(first, packs, offices(keys))
    assert in_force(packs, BASIS, offices(keys)).digest == standing


def _older(folder: Path, keys: Keys) -> None:
    version(folder, "0.1.0", "0.0.9", keys)


def _other_content(folder: Path, keys: Keys) -> None:
    change(folder, LAW, "The grant.", "The grant!")
    signed(folder, *keys)


def _changed_after_signing(folder: Path, keys: Keys) -> None:
    version(folder, "0.1.0", "0.2.0", keys)
    change(folder, LAW, "The grant.", "The grant!")


def _wrong_key(folder: Path, keys: Keys) -> None:
    version(folder, "0.1.0", "0.2.0", (keys[0], key("custodian.example")))


def _no_version(folder: Path, keys: Keys) -> None:
    version(folder, "0.1.0", "next", keys)


def _does_not_load(folder: Path, keys: Keys) -> None:
    version(folder, "0.1.0", "0.2.0", keys)
    append(folder, LAW, "\n[[rule]]\n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_older, "older than 0.1.0"),
        (_other_content, "with different content"),
        (_changed_after_signing, "differ from those that were signed"),
        (_wrong_key, "the custodian did not sign"),
        (_no_version, "is not a version"),
        (_does_not_load, "must be a text|effect"),
    ],
)
def test_the_last_good_pack_stays_in_force(
    packs: Path, first: Path, keys: Keys, spoil: Callable[[Path, Keys], None], says: str
):
    standing = in_force(packs, BASIS, offices(keys)).digest
    spoil(first, keys)
    with pytest.raises(GatehouseError, match=says) as refused:
        adopt(first, packs, offices(keys))
    assert refused.value.where
    assert refused.value.remedy
    assert in_force(packs, BASIS, offices(keys)).digest == standing


def test_a_pack_changed_where_it_stands_decides_nothing(packs: Path, keys: Keys):
    path = packs / f"{BASIS}@0.1.0" / LAW
    path.write_text(path.read_text() + "# a remark\n")
    with pytest.raises(AnswerIsNo, match="differ from those that were signed"):
        in_force(packs, BASIS, offices(keys))


def test_a_pin_moved_to_another_signed_pack_decides_nothing(packs: Path, first: Path, keys: Keys):
    adopt(version(first, "0.1.0", "0.2.0", keys), packs, offices(keys))
    text = (packs / "pinned.json").read_text()
    (packs / "pinned.json").write_text(text.replace(f"{BASIS}@0.2.0", f"{BASIS}@0.1.0"))
    with pytest.raises(AnswerIsNo, match="this pack differs from the one that was adopted"):
        in_force(packs, BASIS, offices(keys))


OUTSIDE = '{"format":"gatehouse-packs/1","packs":{"a":{"folder":"../x","version":"1","digest":""}}}'


@pytest.mark.parametrize("text", ["{", "[]", '{"packs": {"a": {}}}', '{"format": "x", "packs": {}}', OUTSIDE])
def test_a_broken_list_is_told(packs: Path, keys: Keys, text: str):
    (packs / "pinned.json").write_text(text)
    with pytest.raises(WrongInput, match="not a list of packs"):
        in_force(packs, BASIS, offices(keys))


def test_a_crash_at_any_step_leaves_the_old_law_or_the_new(
    packs: Path, first: Path, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = in_force(packs, BASIS, offices(keys)).digest
    new = load(version(first, "0.1.0", "0.2.0", keys)).digest
    found = set()
    for step in range(1000):
        place = tmp_path / f"crash-{step}"
        shutil.copytree(packs, place)
        left = [step]

        def counted(whole: Callable[..., object], left: list[int] = left) -> Callable[..., object]:
            def act(*arguments: object, **named: object) -> object:
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
                return whole(*arguments, **named)

            return act

        with monkeypatch.context() as patch:
            patch.setattr(files.os, "fsync", counted(files.os.fsync))
            patch.setattr(Path, "replace", counted(Path.replace))
            patch.setattr(Path, "rename", counted(Path.rename))
            patch.setattr(adoption.shutil, "rmtree", counted(adoption.shutil.rmtree))
            try:
                adopt(first, place, offices(keys))
            except KeyboardInterrupt:
                pass
            else:
                break
        found.add(in_force(place, BASIS, offices(keys)).digest)
        assert found <= {old, new}
        assert adopt(first, place, offices(keys)).digest == new  # and adopting again finishes
    assert found == {old, new}


def test_two_adoptions_at_once_lose_neither(packs: Path, keys: Keys, tmp_path: Path):
    others = []
    for number in range(3):
        folder = small(tmp_path / f"other{number}")
        change(folder, "pack.toml", f'id = "{BASIS}"', f'id = "us.example.other{number}"')
        others.append(signed(folder, *keys))
    threads = [threading.Thread(target=adopt, args=(folder, packs, offices(keys))) for folder in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(pinned(packs)) == {BASIS, *(f"us.example.other{number}" for number in range(3))}


def test_a_name_that_would_leave_the_folder_is_no_id(tmp_path: Path):
    folder = small(tmp_path / "p")
    change(folder, "pack.toml", f'id = "{BASIS}"', 'id = "../../elsewhere"')
    with pytest.raises(WrongInput, match="cannot be a pack's id") as refused:
        load(folder)
    assert "pack.toml, line 2" in refused.value.where
