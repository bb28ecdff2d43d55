"""`python -m hub.cli` is the command `hub`."""

from hub.cli import main

main(prog_name="hub")
