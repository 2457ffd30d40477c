"""Opens the page: `python app.py --help`. Spaces start it too."""

from __future__ import annotations

import sys

from dmd2_demo.access import hide_accounts

hide_accounts([sys.executable, *sys.argv])

from dmd2_demo import open_page
from dmd2_demo.errors import DemoError
from dmd2_demo.settings import Settings

if __name__ == "__main__":
    try:
        open_page.run(Settings.read(sys.argv[1:]))
    except DemoError as error:
        sys.exit(str(error))
