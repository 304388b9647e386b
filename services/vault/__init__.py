"""Cryptography of people's data: subject keys, sealed fields, encrypted payloads, wrapped keys, key files.

Imports settings alone. Packages from `store` upwards, `identity`, and rooms that seal a field may import it.
Invariant: it stores, sends and logs nothing; a key leaves memory only wrapped or into its file; data opens only for the person, field and
service that it was sealed for. `Unopenable` is raised for data that does not open, `Misconfigured` for a wrong key file.
"""

from services.vault.backup_keys import BackupKeys, rotate_backup_key
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
from services.vault.lookups import fiscal_digest
from services.vault.master import MasterKeys
from services.vault.payloads import decrypt_payload, encrypt_payload, payload_person
from services.vault.pseudonyms import pseudonym
from services.vault.sealing import Unopenable, new_person_key, open_sealed, seal
from services.vault.sharing import unwrap_mine, wrap_for

__all__ = [
    "BackupKeys", "KeyFacts", "MasterKeys", "ServiceKeys", "Unopenable", "decrypt_payload", "encrypt_payload", "fiscal_digest", "keep",
    "list_keys",
    "make_keys", "new_person_key", "open_sealed", "payload_person", "pseudonym", "public_keys",
    "rotate_backup_key", "rotate_master", "seal", "secret_of", "unwrap_mine", "wrap_for",
]  # fmt: skip
