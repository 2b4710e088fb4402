"""``python -m parley.server`` is ``parley``."""

from parley.server.cli import main

main(prog_name="parley")
