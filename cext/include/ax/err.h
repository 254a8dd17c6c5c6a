/* Error codes shared by every kernel: 0 is success, negative is an error. Functions that count return >= 0. */
#ifndef AX_ERR_H
#define AX_ERR_H

enum ax_err {
    AX_OK = 0,
    AX_E_ARG = -1,    /**< An argument is null or makes no sense. */
    AX_E_RANGE = -2,  /**< A number is outside its documented range. */
    AX_E_NOMEM = -3,  /**< Memory could not be had. */
    AX_E_FULL = -4,   /**< A bounded queue or buffer has no room; nothing was stored. */
    AX_E_STATE = -5,  /**< Not allowed in the present state (busy, not started, already started). */
    AX_E_SYS = -6,    /**< The operating system refused; errno tells why. */
    AX_E_FORMAT = -7, /**< Input does not have the promised form. */
    AX_E_PARITY = -8, /**< A parity bit does not hold. */
    AX_E_END = -9,    /**< One past the last code: a sentinel for the tests, never returned. */
};

/** A short English text for a code; never NULL. Thread-safe. */
const char *ax_strerror(int err);

#endif
