"""The network face: one HTTP server, one table of routes, VAPIX families and REST."""
