"""What speaks to the outside: translates formats into service calls and back. Decides nothing."""
