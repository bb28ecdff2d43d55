"""Pictures of files that nobody trusts, made by a process that can do nothing else."""
