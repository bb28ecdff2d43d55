"""Access attestation: each month a SPOC confirms who still needs access."""
