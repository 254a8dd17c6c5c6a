"""What decides. State of every service belongs to the ledger thread: its methods that take ``tx`` are jobs."""
