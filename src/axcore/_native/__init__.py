"""The only door to native code.

Every native name that the rest of axcore may use is listed here. A native call checks its input, owns its memory and
never brings the interpreter down: a failure is an exception of ``axcore.errors``.
"""
