"""What auditors review: alerts drawn from the log, samples of accesses to justify, and who has seen a person's records."""
