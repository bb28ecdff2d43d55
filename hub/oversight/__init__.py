"""The auditor's desk: who did what, the trail of a record, and the check of the log."""
