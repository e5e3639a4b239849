# What the scripts share; sourced with `root` set to the repository's folder.

build_packages="build-essential cmake pkg-config libopenblas-dev librandom123-dev liblbfgs-dev libjansson-dev
zlib1g-dev"
jobs=${JOBS:-$(nproc)}

# Installs the named Debian packages that are missing: as root, or through sudo when it asks for no password.
# Otherwise prints the line that would do it, and ends the script.
need_packages() {
    missing=
    for package in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0

    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root="sudo -n"
        sudo -n true 2>/dev/null || { echo "sudo apt-get install -y --no-install-recommends$missing" && exit 1; }
    fi
    echo "installing:$missing" >&2
    install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends$missing"
    # A fresh image has no package lists yet, an old one has stale ones; then the first try fails.
    quietly $as_root $install && return
    quietly $as_root apt-get update && quietly $as_root $install && return
    cat "$log" >&2
    exit 1
}

# Runs a command with its output in the log.
quietly() {
    "$@" >"$log" 2>&1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
