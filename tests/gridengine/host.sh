#!/bin/sh
# Makes the namespaces that it runs in one host of a private Grid Engine, then holds them until it is stopped.
# Usage: host.sh NAME STATE SHARED CHECKOUT. It sees all of the machine's files but those in /tmp, where it has only the last
# two folders, which all hosts share.
set -eu
hostname "$1"
ip link set lo up
mount --bind "$2/hosts" /etc/hosts
mount --bind "$2/configuration" /usr/share/gridengine/default-configuration
mount --bind "$2/cell" /var/lib/gridengine/default
mount --bind "$2/spool-$1" /var/spool/gridengine
mount -t tmpfs tmpfs /mnt
chmod 1777 /mnt
for folder in "$3" "$4"; do
    case $folder in
        /tmp/*)
            mkdir -p "/mnt/${folder#/tmp/}"
            mount --bind "$folder" "/mnt/${folder#/tmp/}"
            ;;
    esac
done
mount --rbind /mnt /tmp
echo ready
exec sleep infinity
