"""What a model's canaries come to: recorded beside the lock, compared before vectors are trusted."""

from ragbed.models.fingerprint.canaries import Canaries, load_canaries
from ragbed.models.fingerprint.checking import check_fingerprint, record_fingerprint
from ragbed.models.fingerprint.comparing import LENGTH_TOLERANCE, TOLERANCE, compare
from ragbed.models.fingerprint.file import FingerprintFile, fingerprints_path, load_fingerprints
from ragbed.models.fingerprint.record import Fingerprint, Setup
from ragbed.models.fingerprint.stored_vector import StoredVector
from ragbed.models.fingerprint.verdict import Verdict

__all__ = [
    "LENGTH_TOLERANCE",
    "TOLERANCE",
    "Canaries",
    "Fingerprint",
    "FingerprintFile",
    "Setup",
    "StoredVector",
    "Verdict",
    "check_fingerprint",
    "compare",
    "fingerprints_path",
    "load_canaries",
    "load_fingerprints",
    "record_fingerprint",
]
