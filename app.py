"""Opens the page: `python app.py --help`. Spaces start it too."""

from __future__ import annotations

import sys

from dmd2_demo.access import hide_accounts

if __name__ == "__main__":
    hide_accounts([sys.executable, *sys.orig_argv[1:]])

    # Only now: these imports take seconds, for which a list of processes would show the accounts.
    from dmd2_demo import open_page
    from dmd2_demo.errors import DemoError
    from dmd2_demo.settings import Settings

    try:
        open_page.run(Settings.read(sys.argv[1:]))
    except DemoError as error:
        sys.exit(str(error))
