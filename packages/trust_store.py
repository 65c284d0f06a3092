"""Leaves of botocore's CA certificates the roots that AWS's endpoints have certificates of.

urllib3 loads the whole file anew for each connection: with botocore's 126 certificates that took 12 to 13 ms
of CPU time, with these 13 it takes 1.3 (docs/decisions.md, "Only the roots that AWS uses are trusted").
"""

import hashlib
import re
import ssl
from pathlib import Path

from packages.prune import PruningError

ROOTS = {
    # The five of Amazon Trust Services, all of which belong into a trust store of one's own, since each is
    # for another kind of key (amazontrust.com/repository, "Trust store and pinning recommendations"). It
    # issues the certificates of AWS's endpoints (AWS Security Blog, "How to Prepare for AWS's Move to Its Own
    # Certificate Authority"), S3's since June 2022 (AWS Storage Blog, "Amazon S3 and Amazon CloudFront
    # migrating service certificates to Amazon Trust Services"), and cross-signs those of the European
    # Sovereign Cloud.
    "Amazon Root CA 1": "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "Amazon Root CA 2": "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
    "Amazon Root CA 3": "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
    "Amazon Root CA 4": "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
    "Starfield Services Root Certificate Authority - G2": (
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5"
    ),
    # Before, DigiCert issued S3's (the same article). AWS does not say who issues those of its regions in
    # China, so that all roots of DigiCert that botocore trusts stay.
    "DigiCert Assured ID Root CA": "3e9099b5015e8f486c00bcea9d111ee721faba355a89bcf1df69561e3dc6325c",
    "DigiCert Assured ID Root G2": "7d05ebb682339f8c9451ee094eebfefa7953a114edb2f44949452fab7d2fc185",
    "DigiCert Assured ID Root G3": "7e37cb8b4c47090cab36551ba6f45db840680fba166a952db100717f43053fc2",
    "DigiCert Global Root CA": "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161",
    "DigiCert Global Root G2": "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",
    "DigiCert Global Root G3": "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0",
    "DigiCert High Assurance EV Root CA": "7431e5f4c3c1ce4690774f0b61e05440883ba9a01ed00ba6abd7806ed3b118cf",
    "DigiCert Trusted Root G4": "552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",
}
"""SHA-256 of each root's certificate (DER), by the common name of its subject.

Starfield Class 2, which has signed the Starfield Services root, is GoDaddy's and not needed: OpenSSL ends a
chain at the first certificate that it trusts.
"""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n.+?\n-----END CERTIFICATE-----\n", re.DOTALL)


def prune_trust_store(file: Path) -> None:
    """Remove all certificates but `ROOTS` from a file of CA certificates (PEM).

    Raises:
        PruningError: a root is not there; look at what botocore changed, and adapt this module.

    """
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    certificates = {_fingerprint(certificate): certificate for certificate in _CERTIFICATE.findall(text)}
    missing = [name for name, fingerprint in ROOTS.items() if fingerprint not in certificates]
    if missing:
        raise PruningError(
            f"botocore's {file.name} lacks {', '.join(missing)}; adapt packages/trust_store.py, but only "
            "to what AWS and the root's owner publish."
        )
    file.write_text("".join(f"# {name}\n{certificates[fingerprint]}" for name, fingerprint in ROOTS.items()))


def _fingerprint(certificate: str) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
