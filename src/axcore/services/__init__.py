"""What decides.

Services keep their state in the ledger thread, take time from the transaction and speak through events.
"""
