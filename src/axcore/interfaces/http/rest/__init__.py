"""REST under ``/config/rest``, one module per API, each with its ``ROUTES`` (and ``APIS`` for discovery)."""
