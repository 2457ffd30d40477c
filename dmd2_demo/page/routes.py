"""Which of Gradio's addresses this page answers at: those that it, its API and MCP programs need.

The others would have this server fetch addresses, run ffmpeg on uploads, draw icons of any size or keep files for good.
"""

from __future__ import annotations

import re

_KNOWN = re.compile(
    r"""(?:/(?:
        (?:config | login | logout | theme\.css | robots\.txt | favicon\.ico | manifest\.json | pwa_icon/(?:192|512))/?
      | (?:assets | static | svelte)/.*
      | gradio_api/(?:
            (?:app_id | cancel | info | login_check | openapi\.json | reset | startup-events | theme\.css | token
              | upload | upload_progress | user)/?
          | (?:api | call | heartbeat | run)/.*
          | queue/(?:data | join | status)
          | mcp(?:/.*)?
          | file=(?!\s*[a-zA-Z]{2,}:).*  # no URL; a drive of Windows has one letter
        )
    )?)?""",
    re.VERBOSE | re.DOTALL,
)


def is_known(path: str) -> bool:
    """Whether a request for that path is answered."""
    return _KNOWN.fullmatch(path) is not None
