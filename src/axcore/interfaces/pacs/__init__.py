"""The physical access control services (VAPIX *Physical access control*): one table of operations, spoken as JSON and
as SOAP. Loaded on devices with doors only.

``codec.py`` turns structs into both forms and back, ``table.py`` holds the operations, every other module has those of
one service.
"""
