"""What every event stream shares: following the bus with filters, who may see what, and the wire forms of an event."""
