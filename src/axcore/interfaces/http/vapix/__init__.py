"""VAPIX: text, JSON and XML CGIs, one module per CGI, each with its ``ROUTES`` (and ``APIS`` for discovery)."""
