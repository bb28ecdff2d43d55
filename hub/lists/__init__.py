"""Code lists that organisations keep themselves: each entry holds from a day until a day, and is never renamed in place."""
