"""Cryptography of persons' data: a key per person, sealed fields, encrypted payloads, wrapped keys, and the key files.

Invariant: nothing here stores, sends or logs data; a key leaves memory only wrapped, or into its file; and nothing opens for
another person, field or service. Data that does not open raises `Unopenable`, an unusable file `Misconfigured`.
"""

from services.vault.files import keep
from services.vault.folder import (
    KeyFacts,
    ServiceKeys,
    list_keys,
    make_keys,
    public_keys,
    rotate_master,
    secret_of,
)
from services.vault.master import MasterKeys
from services.vault.payloads import decrypt_payload, encrypt_payload, payload_person
from services.vault.pseudonyms import pseudonym
from services.vault.sealing import Unopenable, new_person_key, open_sealed, seal
from services.vault.sharing import unwrap_mine, wrap_for

__all__ = [
    "KeyFacts", "MasterKeys", "ServiceKeys", "Unopenable", "decrypt_payload", "encrypt_payload", "keep", "list_keys",
    "make_keys", "new_person_key", "open_sealed", "payload_person", "pseudonym", "public_keys",
    "rotate_master", "seal", "secret_of", "unwrap_mine", "wrap_for",
]  # fmt: skip
