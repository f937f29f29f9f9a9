"""`./run prove bluez`: the product's Bluetooth code against a real bluetoothd and a real kernel, in a virtual machine.

    this machine: proof.py --> debian.py (kernel, bluetoothd, dbus-daemon) --> machine.py (QEMU) --> lines of JSON
    the machine:  init.sh --> room.py (devices behind /dev/vhci, as root, and the checks)
                                  +--> gateway.py (kanhu.edge, as the user kanhu)

What the room knows of its devices and what the gateway says of them are compared in checks.py.
"""
