"""RTSP 1.0 (RFC 2326): the ONVIF metadata stream, which carries every event."""
