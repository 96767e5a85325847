#!/bin/sh
# Makes the namespaces that it runs in one host of a private cluster, then holds them until it is stopped.
# Usage: host.sh NAME SHARED CHECKOUT [FROM TO]... It sees all of the machine's files but those in /tmp, where it has only
# SHARED and CHECKOUT, which all hosts share; and each FROM in place of TO.
set -eu
hostname "$1"
ip link set lo up
shared=$2
checkout=$3
shift 3
mount -t tmpfs tmpfs /mnt
chmod 1777 /mnt
into() { # where a folder will lie, before /tmp is covered
    case $1 in
        /tmp/*)
            mkdir -p "/mnt/${1#/tmp/}"
            echo "/mnt/${1#/tmp/}"
            ;;
        *) echo "$1" ;;
    esac
}
while [ $# -gt 0 ]; do
    mount --bind "$1" "$(into "$2")"
    shift 2
done
for folder in "$shared" "$checkout"; do
    case $folder in
        /tmp/*) mount --bind "$folder" "$(into "$folder")" ;;
    esac
done
mount --rbind /mnt /tmp
echo ready
exec sleep infinity
