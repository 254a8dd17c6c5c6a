"""I/O ports, relays, request to exit and virtual inputs."""

from .service import Lines, PortService

__all__ = ["Lines", "PortService"]
