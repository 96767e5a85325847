#!/bin/sh
# Installs packages of Debian for tests of clusters, unless their programs are there. Where that cannot be, says why and
# succeeds: the tests then skip. Starts no service. Usage: debian.sh "PROGRAM..." PACKAGE...
set -eu
programs=$1
shift

skip() {
    echo "$1 cannot be installed here: $2"
    exit 0
}

# shellcheck disable=SC2086 # one word each
if [ "$(command -v $programs | wc -l)" = "$(echo $programs | wc -w)" ]; then
    exit 0
fi
[ "$(id -u)" = 0 ] || skip "$1" "that takes root"
command -v apt-get >/dev/null || skip "$1" "there is no apt-get"

# Debian's packages start their services unless this script says no; what was there before comes back.
policy=/usr/sbin/policy-rc.d
saved=$(mktemp -d)
restore() {
    rm -f "$policy"
    [ ! -e "$saved/policy" ] || mv "$saved/policy" "$policy"
    rm -rf "$saved"
}
trap restore EXIT
trap 'exit 1' HUP INT TERM
[ ! -e "$policy" ] || mv "$policy" "$saved/policy"
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || skip "$1" "apt-get update failed"
apt-get install -qq --no-install-recommends "$@" >"$saved/log" 2>&1 || {
    tail -n 5 "$saved/log"
    skip "$1" "apt-get install failed"
}
