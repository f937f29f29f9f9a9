"""One file a device profile: bytes in, a small frozen record with exact decimals out, or DecodeError.

Pure. Not here: clocks, logging, memory of earlier frames, anything that opens a port.
"""
