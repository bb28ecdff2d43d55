"""Who may see what: the access facts, the actor, and the one clause that serves list, open, search and the database wall."""
