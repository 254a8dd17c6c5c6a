"""SOAP 1.2 and 1.1: events, action rules and pull points, as VAPIX and ONVIF clients call them. Translates only."""
