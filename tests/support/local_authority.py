"""A time-stamping authority on this machine, made of OpenSSL: a root, a signing certificate and what answers."""

from __future__ import annotations

import subprocess

CONFIGURATION = """
[tsa]
default_tsa = local
[local]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(folder, *arguments, **more):
    return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, **more)


def make(folder):
    """Make an authority in a folder (its root is `root.pem`); gives what answers a query."""
    (folder / "tsa.cnf").write_text(CONFIGURATION)
    (folder / "serial").write_text("01\n")
    usage = "subjectAltName=DNS:tsa\nextendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
    (folder / "usage.ext").write_text(usage + "basicConstraints=CA:FALSE\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    root = ["-x509", "-days", "3650", "-subj", "/CN=root", "-keyout", "root.key", "-out", "root.pem"]
    openssl(folder, "req", *curve, *root)
    openssl(folder, "req", *curve, "-subj", "/CN=tsa", "-keyout", "tsa.key", "-out", "tsa.csr")
    signing = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "3650", "-extfile", "usage.ext"]
    openssl(folder, "x509", "-req", "-in", "tsa.csr", *signing, "-out", "tsa.pem")

    def answer(query):
        (folder / "query").write_bytes(query)
        openssl(folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "answer")
        return (folder / "answer").read_bytes()

    return answer
