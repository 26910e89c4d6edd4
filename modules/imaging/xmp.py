"""The XMP packet (ISO 16684-1), where JPEG, WebP and AVIF keep the record beside the generation text."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

__all__ = ["record_to_xmp", "xmp_to_record"]

NAMESPACE = "urn:easel:picture"
RECORD = f"{{{NAMESPACE}}}record"
BEFORE = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    f'<rdf:Description rdf:about="" xmlns:easel="{NAMESPACE}"><easel:record>'
)
AFTER = '</easel:record></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'


def record_to_xmp(record: str) -> bytes:
    """A packet that holds nothing but the record, which is JSON text without characters that XML forbids."""
    return f"{BEFORE}{escape(record)}{AFTER}".encode()


def xmp_to_record(packet: bytes) -> str | None:
    """The record in a packet, also where another program wrote it again; None if there is none."""
    # Entities are the one way in which XML grows when it is read, and XMP has none of its own.
    if NAMESPACE.encode() not in packet or b"<!" in packet:
        return None
    try:
        tree = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError):
        return None
    for element in tree.iter():
        found = element.text if element.tag == RECORD else element.get(RECORD)
        if found is not None:
            return found
    return None
