cdef object ax_exception(int err)
cdef int ax_check(int err) except? -1
