"""Namespaces, with the prefixes that every answer declares."""

from __future__ import annotations

from typing import Final

from axcore.model.topics import AXIS_NAMESPACE, ONVIF_NAMESPACE

SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
XML: Final = "http://www.w3.org/XML/1998/namespace"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
EVENT1: Final = "http://www.axis.com/vapix/ws/event1"
ACTION1: Final = "http://www.axis.com/vapix/ws/action1"
ENTRY: Final = "http://www.axis.com/vapix/ws/entry"
DOM0: Final = "http://www.axis.com/2009/event"
TEV: Final = "http://www.onvif.org/ver10/events/wsdl"
TT: Final = "http://www.onvif.org/ver10/schema"
TER: Final = "http://www.onvif.org/ver10/error"
WSNT: Final = "http://docs.oasis-open.org/wsn/b-2"
WSTOP: Final = "http://docs.oasis-open.org/wsn/t-1"
WSRF_BF: Final = "http://docs.oasis-open.org/wsrf/bf-2"
WSRF_RW: Final = "http://docs.oasis-open.org/wsrf/rw-2"
WSA: Final = "http://www.w3.org/2005/08/addressing"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
XINCLUDE: Final = "http://www.w3.org/2001/XInclude"
XOP: Final = "http://www.w3.org/2004/08/xop/include"
AXCORE: Final = "urn:axcore:rules"
"""Ours: what a rule of this device can say and an ONVIF filter cannot."""

PREFIXES: Final[dict[str, str]] = {
    "xsd": XSD,
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "wsa": WSA,
    "wsnt": WSNT,
    "wstop": WSTOP,
    "wsrf-bf": WSRF_BF,
    "wsrf-rw": WSRF_RW,
    "tt": TT,
    "tev": TEV,
    "ter": TER,
    "tns1": ONVIF_NAMESPACE,
    "onvif": ONVIF_NAMESPACE,
    "tnsaxis": AXIS_NAMESPACE,
    "axis": AXIS_NAMESPACE,
    "aev": EVENT1,
    "aa": ACTION1,
    "ae": ENTRY,
    "dom0": DOM0,
    "axcore": AXCORE,
}
"""Declared on every envelope, so that topics in element text keep their meaning."""
