"""What the launcher says on standard error while a person waits."""

import sys


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
