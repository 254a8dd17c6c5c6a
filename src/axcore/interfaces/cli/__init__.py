"""The command line: one module per verb. Each verb imports what it needs when it runs, so that ``axcore version``
is quick.

A verb module has ``configure(parser)`` and ``run(args) -> int``. Exit codes: 0 done, 1 failed, 2 asked for in a
wrong way (usage, configuration file).
"""
