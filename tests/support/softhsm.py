"""A token in SoftHSM, in a folder of its own, into which Ed25519 keys are put; a key file then holds their address."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import quote

MODULES = [*Path("/usr/lib").glob("**/softhsm/libsofthsm2.so")]
LABEL = "gatehouse"
PIN = "1234"
_CURVE = b"\x13\x0cedwards25519"  # PrintableString, the form that SoftHSM 2.6 takes
_POINT = b"\x04\x20"


class Token:
    """Made empty; the process is pointed at it, and a module that was loaded for another token begins anew."""

    def __init__(self, folder: Path) -> None:
        import pkcs11

        self.folder = folder
        (folder / "tokens").mkdir(parents=True)
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
        (folder / "pin").write_text(f"{PIN}\n")
        os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
        options = ["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "5678"]
        subprocess.run(["softhsm2-util", *options], check=True, capture_output=True)
        self.library = pkcs11.lib(str(MODULES[0]))
        self.library.reinitialize()

    @classmethod
    def again(cls, folder: Path) -> Token:
        """A token that was made in this folder and that the process is pointed at."""
        import pkcs11

        token = cls.__new__(cls)
        token.folder, token.library = folder, pkcs11.lib(str(MODULES[0]))
        return token

    def put(self, *signers) -> None:
        """Put the private keys of signers made in memory into the token, each under its name."""
        from pkcs11 import Attribute, KeyType, ObjectClass

        self.library.reinitialize()  # the process under test may be logged in, and one login is all there is
        with self.library.get_token(token_label=LABEL).open(rw=True, user_pin=PIN) as session:
            for signer in signers:
                common = {
                    Attribute.LABEL: signer.name, Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
                    Attribute.EC_PARAMS: _CURVE, Attribute.TOKEN: True, Attribute.ID: signer.verifier.key_hash,
                }  # fmt: skip
                seed = signer._sign.__self__.private_bytes_raw()
                private = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.VALUE: seed, Attribute.SIGN: True}
                session.create_object({**common, **private, Attribute.SENSITIVE: True})
                public = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.EC_POINT: _POINT + signer.verifier.public}
                session.create_object({**common, **public, Attribute.VERIFY: True})

    def address(self, name: str, *, token: str = LABEL, pin: Path | None = None, number: bytes = b"") -> str:
        """What a key file holds instead of the key."""
        where = f"token={token};object={quote(name, safe='')}" + (f";id={quote(number, safe='')}" if number else "")
        return f"pkcs11:{where}?module-path={MODULES[0]}&pin-source={pin or self.folder / 'pin'}\n"
