"""A serial modem with a SIM card and a network behind it, down to the bytes, with faults on switches.

Written from 3GPP TS 27.005 and 27.007 (commands), TS 23.040 and 23.038 (units); it reads what a gateway sends by
itself and shares nothing with the gateway.
"""
