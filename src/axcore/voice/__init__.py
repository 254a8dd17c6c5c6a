"""The voice process: SIP signalling by PJSIP (pjsua2, extra ``axcore[voice]``) and nothing else.

A program of its own, ``python -m axcore.voice --socket FD``, because PJSIP is GPL, aborts on some inputs and has four
calls to a process. No media passes through it: the sessions that it agrees on (``sdp``) name sockets of the device.
Nothing imports it; it imports the messages (``axcore.model.voice``) and talks over a UNIX socket
(``axcore.drivers.voice`` is the other end).
"""
