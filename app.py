"""Opens the page: `python app.py --help`. Spaces start it too."""

from __future__ import annotations

import os
import sys

from dmd2_demo.access import hide_accounts

if __name__ == "__main__":
    hide_accounts([sys.executable, *sys.orig_argv[1:]])

    # Only now: these imports take seconds, for which a list of processes would show the accounts.
    from dmd2_demo.errors import DemoError
    from dmd2_demo.hub.proxies import set_unusable_aside
    from dmd2_demo.process import hide_from_gradio, prepare
    from dmd2_demo.settings import Settings

    try:
        prepare()
        settings = Settings.read(sys.argv[1:])
        hide_from_gradio(os.environ)
        set_unusable_aside()
        from dmd2_demo import open_page  # Gradio, which reads what was prepared

        open_page.run(settings)
    except DemoError as error:
        sys.exit(str(error))
