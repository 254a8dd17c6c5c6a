"""Hostile documents: each must be refused, with nothing read, fetched, kept or changed. ``SECRET`` is in a file."""

from __future__ import annotations

from axcore.interfaces.soap.names import SOAP11, SOAP12

SECRET = "canary-6f1d"
CALL = "<GetEventInstances xmlns='http://www.axis.com/vapix/ws/event1'/>"
REMOVE = "<RemoveActionRule xmlns='http://www.axis.com/vapix/ws/action1'><RuleID>{}</RuleID></RemoveActionRule>"


def wrapped(body: str, dtd: str = "", header: str = "") -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'{dtd}<s:Envelope xmlns:s="{SOAP12}">{head}<s:Body>{body}</s:Body></s:Envelope>'.encode()


def doctype(inside: str, body: str = REMOVE.format("&x;")) -> bytes:
    return wrapped(body, f"<!DOCTYPE s [{inside}]>")


def attacks(path: str) -> dict[str, bytes]:
    """By name; ``path`` is a file whose content must not come out."""
    return {**_entities(path), **_inclusions(path), **_sizes(), **_forms(), **_wrappings()}


def _entities(path: str) -> dict[str, bytes]:
    laughs = '<!ENTITY x0 "ha">' + "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12))
    return {
        "xxe file": doctype(f'<!ENTITY x SYSTEM "file://{path}">'),
        "xxe relative file": doctype(f'<!ENTITY x SYSTEM "{path}">'),
        "xxe http": doctype('<!ENTITY x SYSTEM "http://127.0.0.1:1/x">'),
        "xxe ftp": doctype('<!ENTITY x SYSTEM "ftp://127.0.0.1:1/x">'),
        "xxe public": doctype(f'<!ENTITY x PUBLIC "a" "file://{path}">'),
        "xxe in an attribute": doctype('<!ENTITY x "1">', '<a b="&x;"/>'),
        "xxe parameter": doctype(f'<!ENTITY % p SYSTEM "file://{path}"> %p;', CALL),
        "xxe parameter, out of band": doctype(
            f"<!ENTITY % f SYSTEM 'file://{path}'><!ENTITY % e SYSTEM 'http://127.0.0.1:1/?%f;'>%e;", CALL
        ),
        "xxe unparsed": doctype(f'<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "file://{path}" NDATA n>', CALL),
        "external subset": wrapped(CALL, f'<!DOCTYPE s SYSTEM "file://{path}">'),
        "external subset by http": wrapped(CALL, '<!DOCTYPE s SYSTEM "http://127.0.0.1:1/x.dtd">'),
        "public subset": wrapped(CALL, '<!DOCTYPE s PUBLIC "-//A//B" "http://127.0.0.1:1/x.dtd">'),
        "empty doctype": wrapped(CALL, "<!DOCTYPE s>"),
        "default attribute": doctype("<!ATTLIST s a CDATA 'x'>", CALL),
        "billion laughs": doctype(laughs, "<a>&x11;</a>"),
        "billion laughs by parameters": doctype('<!ENTITY % a "ha"><!ENTITY % b "%a;%a;%a;">%b;', CALL),
        "quadratic blowup": doctype(f'<!ENTITY x "{"a" * 20000}">', f"<a>{'&x;' * 5000}</a>"),
        "entity loop": doctype('<!ENTITY x "&y;"><!ENTITY y "&x;">'),
        "entity without a declaration": wrapped(REMOVE.format("&x;")),
        "html entity": wrapped(REMOVE.format("&nbsp;")),
        "character reference of NUL": wrapped(REMOVE.format("&#0;")),
        "character reference beyond Unicode": wrapped(REMOVE.format("&#x110000;")),
        "character reference of a surrogate": wrapped(REMOVE.format("&#xD800;")),
    }


def _inclusions(path: str) -> dict[str, bytes]:
    """Other ways to a file."""
    return {
        "xinclude": wrapped(f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{path}" parse="text"/>'),
        "xinclude below": wrapped(
            REMOVE.format(f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file://{path}"/>')
        ),
        "xop include": wrapped(
            REMOVE.format('<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:1"/>')
        ),
        "stylesheet": wrapped(CALL, f'<?xml-stylesheet type="text/xsl" href="file://{path}"?>'),
        "processing instruction inside": wrapped(REMOVE.format("<?php echo 1 ?>")),
        "processing instruction at the end": wrapped(CALL) + b"<?x?>",
    }


def _sizes() -> dict[str, bytes]:
    spaces = "".join(f' xmlns:n{n}="urn:{n}"' for n in range(100))
    return {
        "deep": wrapped("<a>" * 5000),
        "just too deep": wrapped("<a>" * 40 + "</a>" * 40),
        "many elements": wrapped("<a/>" * 15000),
        "many attributes": wrapped(f"<a {' '.join(f'b{n}=' + chr(34) * 2 for n in range(6000))}/>"),
        "attributes all over": wrapped("".join(f'<a b="1" c="2" d="3" e="{n}"/>' for n in range(150))),
        "many namespaces": wrapped(f"<a{spaces}/>"),
        "namespaces all over": wrapped("".join(f'<n{n}:a xmlns:n{n}="urn:{n}"/>' for n in range(1500))),
        "long name": wrapped(f"<{'a' * 60000}/>"),
        "long attribute": wrapped(f'<a b="{"x" * 60000}"/>'),
        "long prefix": wrapped(f'<{"p" * 200}:a xmlns:{"p" * 200}="urn:x"/>'),
        "long text": wrapped(f"<a>{'x' * 60000}</a>"),
        "long text in parts": wrapped(f"<a>{'x<b/>' * 60}{'y' * 16384}</a>"),
        "long comment": wrapped(f"<!--{'x' * 60000}-->" + REMOVE.format("9")),
        "long cdata": wrapped(f"<a><![CDATA[{'x' * 60000}]]></a>"),
        "tag without an end": b"<a " + b"b='" * 20000,
    }


def _forms() -> dict[str, bytes]:
    return {
        "nothing": b"",
        "space": b"   \n",
        "not XML": b"POST / HTTP/1.1",
        "json": b'{"a": 1}',
        "NUL": wrapped(CALL) + b"\0",
        "two roots": wrapped(CALL) * 2,
        "cut": wrapped(CALL)[:-9],
        "crossed tags": wrapped("<a><b></a></b>"),
        "attribute twice": wrapped('<a b="1" b="2"/>'),
        "attribute twice by namespaces": wrapped('<a xmlns:x="u" xmlns:y="u" x:b="1" y:b="2"/>'),
        "prefix without a namespace": wrapped("<x:GetEventInstances/>"),
        "xml prefix bound anew": wrapped('<a xmlns:xml="urn:x"/>'),
        "bad UTF-8": wrapped(REMOVE.format("1")).replace(b">1<", b">\xff\xfe<"),
        "overlong UTF-8": wrapped(REMOVE.format("1")).replace(b">1<", b">\xc0\xaf<"),
        "UTF-16": wrapped(CALL).decode().encode("utf-16"),
        "UTF-7 by declaration": b'<?xml version="1.0" encoding="UTF-7"?>' + wrapped(CALL),
        "Latin-1 by declaration": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + wrapped(CALL),
        "unknown encoding": b'<?xml version="1.0" encoding="x-axcore"?>' + wrapped(CALL),
        "XML 1.1": b'<?xml version="1.1"?>' + wrapped(CALL),
        "declaration after space": b' <?xml version="1.0"?>' + wrapped(CALL),
    }


def _wrappings() -> dict[str, bytes]:
    """Two readers must not see two different calls."""
    return {
        "two bodies": (
            f'<s:Envelope xmlns:s="{SOAP12}"><s:Body>{CALL}</s:Body><s:Body>{REMOVE.format("1")}</s:Body></s:Envelope>'
        ).encode(),
        "body before header": (
            f'<s:Envelope xmlns:s="{SOAP12}"><s:Body>{REMOVE.format("1")}</s:Body><s:Header/></s:Envelope>'
        ).encode(),
        "two calls": wrapped(CALL + REMOVE.format("1")),
        "no call": wrapped(""),
        "body in the header only": (
            f'<s:Envelope xmlns:s="{SOAP12}"><s:Header><s:Body>{CALL}</s:Body></s:Header></s:Envelope>'
        ).encode(),
        "envelope in an envelope": wrapped(wrapped(REMOVE.format("1")).decode()),
        "body of another version": (
            f'<s:Envelope xmlns:s="{SOAP12}"><o:Body xmlns:o="{SOAP11}">{REMOVE.format("1")}</o:Body></s:Envelope>'
        ).encode(),
        "envelope of another namespace": wrapped(CALL).replace(SOAP12.encode(), b"urn:other"),
        "two headers": (
            f'<s:Envelope xmlns:s="{SOAP12}"><s:Header/><s:Header/><s:Body>{CALL}</s:Body></s:Envelope>'
        ).encode(),
        "argument twice": wrapped(
            "<RemoveActionRule xmlns='http://www.axis.com/vapix/ws/action1'><RuleID>7</RuleID><RuleID>1</RuleID>"
            "</RemoveActionRule>"
        ),
    }
