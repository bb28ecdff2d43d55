"""A transparency log's mathematics and formats: RFC 6962 trees, C2SP tiles, notes, checkpoints and proofs.

Of the standard library and `cryptography` alone, and free of the rest of the hub: the verifier that an outsider runs is put
together from these same files.
"""
