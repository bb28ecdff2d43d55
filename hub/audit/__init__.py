"""The log: what is written of every act, the two-step read, and the check that nobody has rewritten it."""
