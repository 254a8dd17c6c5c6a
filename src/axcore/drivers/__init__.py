"""The only code that touches the OS: the native I/O thread, the simulated board, configuration files."""
