"""What decides. Each service owns its part of the state; it is changed only by jobs on the ledger thread."""
