"""How this copy of axcore was built; written by meson, printed by ``axcore version --build``."""

VERSION: str
COMPILER: str
BUILDTYPE: str
OPTIMIZATION: str
SANITIZE: str
SIMD: str
SIMD_LEVELS: str
FLAGS: str
HOST: str
