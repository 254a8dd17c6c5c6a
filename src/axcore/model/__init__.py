"""What axcore knows, as frozen msgspec structs: data and its validation, no I/O, no clock, no thread."""
