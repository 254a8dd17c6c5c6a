"""Every C error code has its own exception, up to the sentinel (cext/include/ax/err.h)."""

from axcore import errors
from axcore._native.err import LAST_CODE, exception_for


def test_every_code_has_a_class_of_its_own() -> None:
    classes = [type(exception_for(code)) for code in range(-1, LAST_CODE, -1)]
    assert len(set(classes)) == len(classes)
    assert errors.NativeError not in classes


def test_unknown_codes_are_native_errors() -> None:
    assert type(exception_for(LAST_CODE)) is errors.NativeError
