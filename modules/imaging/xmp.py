"""The XMP packet (ISO 16684-1), where JPEG, WebP and AVIF keep the record beside the generation text."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from xml.sax.saxutils import escape

__all__ = ["record_to_xmp", "xmp_texts", "xmp_to_record"]

NAMESPACE = "urn:easel:picture"
RECORD = f"{{{NAMESPACE}}}record"
TEXTS = (
    "{http://ns.adobe.com/exif/1.0/}UserComment",
    "{http://purl.org/dc/elements/1.1/}description",
    "{http://ns.adobe.com/tiff/1.0/}ImageDescription",
    "{http://ns.adobe.com/xap/1.0/}Description",
    "{http://ns.adobe.com/png/1.0/}parameters",
)
"""Where programs that know XMP put a generation text."""
LARGEST_PACKET = 8 << 20
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
    if NAMESPACE.encode() not in packet:
        return None
    for element in _elements(packet):
        found = element.text if element.tag == RECORD else element.get(RECORD)
        if found is not None:
            return found
    return None


def xmp_texts(packet: bytes) -> list[str]:
    """The comments and descriptions in a packet, in their order."""
    found = []
    for element in _elements(packet):
        if element.tag in TEXTS:
            found += [each.text for each in element.iter() if each.text and each.text.strip()]
        found += [value for name in TEXTS if (value := element.get(name))]
    return found


def _elements(packet: bytes) -> Iterator[ElementTree.Element]:
    # Entities are the one way in which XML grows when it is read, and XMP has none of its own.
    if len(packet) > LARGEST_PACKET or b"<!" in packet:
        return iter(())
    try:
        return ElementTree.fromstring(packet.strip(b"\0 \r\n\t")).iter()
    except (ElementTree.ParseError, ValueError):
        return iter(())
