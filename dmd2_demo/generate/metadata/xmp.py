"""The XMP packet of a picture: that it is generated, by what, and with which settings."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, unescape

from dmd2_demo import __version__

TOOL = f"DMD2 demo {__version__}"

_GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for media made by a trained model alone: https://cv.iptc.org/newscodes/digitalsourcetype/"""

# Neither may stand in XML; JSON has another way to write them.
_NOT_IN_XML = {"\ufffe": "\\ufffe", "\uffff": "\\uffff"}

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dmd2="urn:dmd2-demo:"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<Iptc4xmpExt:DigitalSourceType>{generated}</Iptc4xmpExt:DigitalSourceType>
<xmp:CreatorTool>{tool}</xmp:CreatorTool>{settings}
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def packet(settings: str = "") -> bytes:
    """The packet, with settings as JSON where some are given."""
    for letter, written in _NOT_IN_XML.items():
        settings = settings.replace(letter, written)
    element = f"\n<dmd2:settings>{escape(settings)}</dmd2:settings>" if settings else ""
    return _PACKET.format(generated=_GENERATED, tool=TOOL, settings=element).encode()


def settings_in(packet: bytes) -> str | None:
    """The settings that `packet` was given; None where there are none.

    Found as text: no XML parser sees what strangers wrote.
    """
    found = re.search(rb"<dmd2:settings>([^<]*)</dmd2:settings>", packet)
    return unescape(found[1].decode(errors="replace")) if found else None
