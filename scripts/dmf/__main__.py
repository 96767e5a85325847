"""`python -m dmf` is the command `dmf`."""

import sys

from dmf.cli.main import main

sys.exit(main())
