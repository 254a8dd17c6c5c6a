cdef int pcm_take(object source, Py_buffer *view, str kinds, Py_ssize_t n, str name, bint writable) except -1
cdef object pcm_like(object source, str kind, Py_ssize_t n)
