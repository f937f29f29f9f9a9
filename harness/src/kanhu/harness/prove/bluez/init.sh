#!/busybox sh
# First program of the virtual machine. @NAMES@ are filled in by machine.py.
/busybox mkdir -p /proc /sys /dev /bin /host /debian
/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

say() { echo "{\"init\": \"$1\"}" > /dev/ttyS1; }
fail() { echo "{\"broken_off\": \"$1\"}" > /dev/ttyS1; poweroff -f; }
stty -F /dev/ttyS1 raw -echo

for module in /modules/*; do insmod "$module" || fail "insmod $module"; done
ifconfig lo up

# This machine's files, read-only, so that the same Python runs the same code here; what has to be written is in memory.
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host || fail "no 9p"
mount --bind "/host@DEBIAN@" /debian
mount -t tmpfs tmpfs /host/run
mount -t tmpfs tmpfs /debian/var/lib/bluetooth
mkdir -p /host/run/dbus /host/run/kanhu
chmod 1777 /host/run/kanhu
for root in /host /debian; do
    mount --bind /proc $root/proc
    mount --bind /sys $root/sys
    mount --bind /dev $root/dev
done
mount --bind /host/run /debian/run
say mounted

chroot /debian /usr/bin/dbus-daemon --system --nopidfile || fail "dbus-daemon"
# As a service manager would: whenever it ends it is started again.
(while true; do chroot /debian /usr/libexec/bluetooth/bluetoothd --nodetach; sleep 1; done) &

# Programs of that Debian for those who live among this machine's files: with its libraries, whatever is installed here.
for program in bluetoothctl btmgmt; do
    printf '#!/bin/sh\nexec "@DEBIAN@/lib64/ld-linux-x86-64.so.2" --library-path "@LIBRARIES@" "@DEBIAN@/usr/bin/%s" "$@"\n' \
        $program > /host/run/kanhu/$program
    chmod 755 /host/run/kanhu/$program
done

export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket PYTHONDONTWRITEBYTECODE=1
export PATH=/run/kanhu:/usr/sbin:/usr/bin:/sbin:/bin
/bin/chroot /host "@PYTHON@" -P -m kanhu.harness.prove.bluez.room /run/kanhu @ARGUMENTS@ > /dev/ttyS1 ||
    echo '{"broken_off": "the room ended early"}' > /dev/ttyS1
/bin/poweroff -f
