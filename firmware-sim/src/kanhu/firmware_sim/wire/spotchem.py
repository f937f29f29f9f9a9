"""The print of an Arkray Spotchem EL: lines of 16 and 22 characters without line ends, between STX and ETX."""


def spotchem_print(when: str, sample: str, kind: str, values: dict[str, str]) -> bytes:
    """`when` is YY/MM/DD hh:mm; values are in mmol/L, as text."""
    lines = f"{when} ID# {sample}  [{kind}] "
    for name, value in values.items():
        lines += f"{name:<2}{value:>12}  mmol/L "
    return b"\x02" + f"{lines:<100}".encode() + b"\x03\n"
