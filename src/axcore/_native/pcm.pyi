"""Buffers of samples for the audio kernels; its functions are for Cython."""
