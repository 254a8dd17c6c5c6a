"""What runs a device: clock, event bus, ledger, supervision. Knows no device and no rule."""
