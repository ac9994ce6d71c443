"""`python -m matte`."""

from matte.cli.main import main

main(prog_name="matte")
