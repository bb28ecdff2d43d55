"""Emergency access: opened with a reason for four hours at most, told at once, reviewed by somebody else."""
