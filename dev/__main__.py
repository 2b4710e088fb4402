"""The entry: `python3 -m dev run`. An old Python must get as far as the sentence below."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - here an older one is turned away
    sys.exit(
        "Parley needs Python 3.11 or newer; {} is {}.{}. "
        "Choose one with PYTHON=/path/to/python3".format(sys.executable, *sys.version_info)
    )

from dev.commands import main

sys.exit(main())
