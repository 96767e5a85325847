#!/bin/sh
# Installs Slurm and munge from Debian for `make slurm-test`, unless they are there. Where that cannot be, says why and
# succeeds: the tests then skip. Starts no service.
set -eu

skip() {
    echo "slurm-test: Slurm cannot be installed here: $1"
    exit 0
}

if command -v slurmctld slurmd munged sbatch >/dev/null && [ -x "$(command -v munged)" ]; then
    exit 0
fi
[ "$(id -u)" = 0 ] || skip "that takes root"
command -v apt-get >/dev/null || skip "there is no apt-get"

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
apt-get update -qq || skip "apt-get update failed"
apt-get install -qq --no-install-recommends slurm-wlm munge >"$saved/log" 2>&1 || {
    tail -n 5 "$saved/log"
    skip "apt-get install failed"
}
