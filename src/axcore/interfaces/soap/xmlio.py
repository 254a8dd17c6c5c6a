"""XML in and out, for messages of strangers.

Reading: Expat, namespaces resolved, into small ``Element`` trees. Refused outright, whatever they would do: document
types (and with them every entity that is not one of XML's five), processing instructions, XInclude and XOP elements,
encodings but UTF-8, and whatever is beyond the limits below. Nothing is fetched, no file is opened. What a start tag
may hold is checked before Expat sees it, so that memory stays within some tens of KiB whatever comes.

Writing: ``tag`` escapes text and attributes; only ``Xml``, which it returns, goes in as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from axcore.errors import AxError

from .names import XINCLUDE, XOP

MAX_OCTETS: Final = 65536
MAX_DEPTH: Final = 24
MAX_ELEMENTS: Final = 200
MAX_ATTRIBUTES: Final = 32
"""In one tag; as many namespace declarations besides."""
MAX_ALL_ATTRIBUTES: Final = 400
"""In the document."""
MAX_TAG: Final = 8192
"""Octets between ``<`` and ``>``."""
MAX_NAME: Final = 128
MAX_TEXT: Final = 8192
"""Characters directly in one element."""

_HEAD: Final = re.compile(rb"""<([^"'<>\s/!?]*)((?:[^"'<>]|"[^"<]*"|'[^'<]*')*+)""")
_VALUE: Final = re.compile(rb"""=\s*["']""")
_SPLIT: Final = "\n"
_CHUNK: Final = 4096
"""Expat copies what it is given: little at a time keeps its buffer little."""
_BANNED: Final = {XINCLUDE: "XInclude", XOP: "XOP"}


class XmlError(AxError):
    """The document is not one that is read here; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Element:
    """An element with its namespace resolved. Attributes without a namespace have plain names, others ``{ns}name``."""

    __slots__ = ("attributes", "children", "name", "namespace", "parent", "prefixes", "text")

    def __init__(self, namespace: str, name: str, attributes: dict[str, str], parent: Element | None) -> None:
        self.namespace = namespace
        self.name = name
        self.attributes = attributes
        self.parent = parent
        self.children: tuple[Element, ...] | list[Element] = ()
        self.prefixes: dict[str, str] | None = None
        """Prefixes declared here; None = none."""
        self.text = ""
        """All text directly inside, as one."""

    def all(self, name: str) -> list[Element]:
        """The children of a name, of any namespace."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> Element | None:
        """The child of a name; None if there is none. Raises XmlError if there are several."""
        found = self.all(name)
        if len(found) > 1:
            raise XmlError(f"{name} is there {len(found)} times")
        return found[0] if found else None

    def value(self, name: str) -> str | None:
        """The text of a child without surrounding space; None if there is no such child."""
        child = self.first(name)
        return None if child is None else child.text.strip()

    def resolve(self, prefix: str) -> str | None:
        """The namespace of a prefix in this place."""
        at: Element | None = self
        while at is not None:
            if at.prefixes is not None and prefix in at.prefixes:
                return at.prefixes[prefix]
            at = at.parent
        return None

    def __iter__(self) -> Iterator[Element]:
        return iter(self.children)


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._at: Element | None = None
        self._depth = 0
        self._count = 0
        self._attributes = 0
        self._texts: list[str] = []
        self._length = 0
        self._declared: dict[str, str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._flush()
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH:
            raise XmlError(f"more than {MAX_DEPTH} elements inside each other")
        if self._count > MAX_ELEMENTS:
            raise XmlError(f"more than {MAX_ELEMENTS} elements")
        if len(attributes) > MAX_ATTRIBUTES or (self._declared and len(self._declared) > MAX_ATTRIBUTES):
            raise XmlError(f"more than {MAX_ATTRIBUTES} attributes in one tag")
        self._attributes += len(attributes) + len(self._declared or ())
        if self._attributes > MAX_ALL_ATTRIBUTES:
            raise XmlError(f"more than {MAX_ALL_ATTRIBUTES} attributes")
        namespace, _, local = name.rpartition(_SPLIT)
        if namespace in _BANNED:
            raise XmlError(f"{_BANNED[namespace]} is not understood here")
        element = Element(namespace, local, {_plain(key): value for key, value in attributes.items()}, self._at)
        element.prefixes, self._declared = self._declared, None
        if self._at is None:
            self.root = element
        elif isinstance(self._at.children, list):
            self._at.children.append(element)
        else:
            self._at.children = [element]
        self._at = element

    def end(self, _name: str) -> None:
        self._flush()
        assert self._at is not None
        self._at = self._at.parent
        self._depth -= 1

    def text(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise XmlError(f"more than {MAX_TEXT} characters in one element")
        self._texts.append(text)

    def _flush(self) -> None:
        if self._texts and self._at is not None:
            self._at.text += "".join(self._texts)
            if len(self._at.text) > MAX_TEXT:
                raise XmlError(f"more than {MAX_TEXT} characters in one element")
        self._texts.clear()
        self._length = 0

    def declare(self, prefix: str | None, uri: str | None) -> None:
        if self._declared is None:
            self._declared = {}
        self._declared[prefix or ""] = uri or ""

    def declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        if version != "1.0":
            raise XmlError("the version of XML must be 1.0")
        if encoding is not None and encoding.lower() not in ("utf-8", "us-ascii", "utf8"):
            raise XmlError("the encoding must be UTF-8")


def _plain(name: str) -> str:
    namespace, split, local = name.rpartition(_SPLIT)
    return f"{{{namespace}}}{local}" if split else local


def _refuse(reason: str) -> Any:
    def handler(*_given: object) -> None:
        raise XmlError(reason)

    return handler


def _check_tags(data: bytes) -> None:
    """Refuse tags that Expat would have to hold whole: too long, or with too many attributes.

    Looks at octets, so nothing but UTF-8 may pass: Expat would follow the mark of UTF-16 whatever it was told.
    """
    if b"\0" in data:
        raise XmlError("the encoding must be UTF-8")
    if data.count(b"<") > 2 * MAX_ELEMENTS + 200:
        raise XmlError(f"more than {MAX_ELEMENTS} elements")
    for match in _HEAD.finditer(data):
        if match.end(1) - match.start(1) > MAX_NAME:
            raise XmlError(f"a name of more than {MAX_NAME} octets")
        if match.end() - match.start() > MAX_TAG:
            raise XmlError(f"a tag of more than {MAX_TAG} octets")
        if match.end(2) - match.start(2) > 4 * MAX_ATTRIBUTES:
            for count, _ in enumerate(_VALUE.finditer(data, match.start(2), match.end(2))):
                if count > 4 * MAX_ATTRIBUTES:
                    raise XmlError(f"more than {MAX_ATTRIBUTES} attributes in one tag")


def parse(data: bytes) -> Element:
    """The root of a document. Raises XmlError, never anything else."""
    if len(data) > MAX_OCTETS:
        raise XmlError(f"more than {MAX_OCTETS} octets")
    _check_tags(data)
    builder = _Builder()
    parser = expat.ParserCreate("utf-8", _SPLIT)
    parser.buffer_text = True
    parser.buffer_size = 4096
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    no_type = _refuse("a document type (DTD) is not accepted")
    parser.StartDoctypeDeclHandler = no_type
    parser.EntityDeclHandler = no_type
    parser.ExternalEntityRefHandler = _refuse("entities are not accepted")
    parser.SkippedEntityHandler = _refuse("entities are not accepted")
    parser.ProcessingInstructionHandler = _refuse("processing instructions are not accepted")
    parser.XmlDeclHandler = builder.declaration
    parser.StartNamespaceDeclHandler = builder.declare
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    try:
        for at in range(0, len(data), _CHUNK):
            parser.Parse(data[at : at + _CHUNK], False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise XmlError(f"not well-formed: {said}, line {error.lineno}, column {error.offset}") from None
    except (ValueError, LookupError):
        raise XmlError("the document cannot be decoded") from None
    if builder.root is None:
        raise XmlError("there is no element")
    return builder.root


# --- writing -------------------------------------------------------------------------------------------------------


class Xml(str):
    """Text that is XML already."""

    __slots__ = ()


_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)
EMPTY: Final = Xml("")


def representable(value: str) -> str:
    """A text without what XML cannot hold, which becomes U+FFFD."""
    return _ILLEGAL.sub("\ufffd", value)


def text(value: str) -> Xml:
    """Character data."""
    return Xml(representable(value).translate(_TEXT))


def tag(name: str, *content: str, **attributes: str | None) -> Xml:
    """An element. Content that is not ``Xml`` is escaped; ``__`` in an attribute's name is a colon, None: left out."""
    inner = "".join([part if isinstance(part, Xml) else text(part) for part in content])
    given = "".join(
        [
            f' {key.replace("__", ":")}="{representable(value).translate(_ATTRIBUTE)}"'
            for key, value in attributes.items()
            if value is not None
        ]
    )
    return Xml(f"<{name}{given}>{inner}</{name}>" if inner else f"<{name}{given}/>")


def join(parts: Iterator[Xml] | list[Xml] | tuple[Xml, ...]) -> Xml:
    """Several elements in a row."""
    return Xml("".join(parts))
