"""One simulated device by itself, without a home or a scenario: `kanhu-sim device NAME`.

Here live the models, one module a kind of device, how those of other packages are found, and what serves one of them.
Not here: their bytes (wire), the radio and the lines (air, serial_line), people and their values (bodies, devices).
"""
