# What the scripts share; sourced with `root` set to the repository's folder.

jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}

# What the build stands on: how to see that it is there, and which package has it on Debian and Ubuntu, Fedora, Arch,
# Alpine, and with Homebrew. A + joins two packages; (aur) is not in Arch's own repositories; a - is in none: by hand.
build_needs='
tool   cc                    build-essential     gcc+make            base-devel      build-base    -
tool   cmake                 cmake               cmake               cmake           cmake         cmake
tool   pkg-config            pkg-config          pkgconf-pkg-config  pkgconf         pkgconf       pkgconf
cblas  cblas.h               libopenblas-dev     openblas-devel      openblas        openblas-dev  openblas
header Random123/philox.h    librandom123-dev    Random123-devel     random123(aur)  -             -
header lbfgs.h               liblbfgs-dev        liblbfgs-devel      liblbfgs(aur)   -             liblbfgs
header jansson.h             libjansson-dev      jansson-devel       jansson         jansson-dev   jansson
header zlib.h                zlib1g-dev          zlib-devel          zlib            zlib-dev      zlib'
test_needs="$build_needs
header criterion/criterion.h libcriterion-dev    -                   criterion(aur)  -             criterion
tool   python3               python3             python3             python          python3       python3"
picture_needs='
tool   gnuplot               gnuplot-nox         gnuplot             gnuplot         gnuplot       gnuplot'

# ---- What is there: the thing itself counts, not the name of a package ----

has_tool() { command -v "$1" >/dev/null 2>&1; }

has_header() {
    printf '#include <%s>\n' "$1" | cc -E -x c - >/dev/null 2>&1 && return
    for folder in /usr/include /usr/local/include "${HOMEBREW_PREFIX:-/opt/homebrew}/include"; do
        [ ! -f "$folder/$1" ] || return 0
    done
    return 1
}

has_cblas() { pkg-config --exists openblas 2>/dev/null || has_header "$1"; }

# The lines of a table whose thing is not there.
missing_of() {
    echo "$1" | while read -r kind thing names; do
        [ -z "$kind" ] || "has_$kind" "$thing" || echo "$kind $thing $names"
    done
}

# column K, of such lines: the packages on one system, without what it has none for.
column() {
    awk -v k="$1" '$k != "-" { gsub(/[+]/, " ", $k); printf " %s", $k }'
}

# ---- Installing, where that can be done ----

# Installs Debian packages: as root, or through sudo when it asks for no password. Fails with one sentence.
apt_install() {
    as_root=
    has_tool apt-get || return 1
    if [ "$(id -u)" != 0 ]; then
        sudo -n true >/dev/null 2>&1 || return 1
        as_root="sudo -n"
    fi
    echo "installing: $*" >&2
    install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $*"
    # A fresh image has no package lists yet, an old one has stale ones; then the first try fails.
    quietly $as_root $install && return
    quietly $as_root apt-get update && quietly $as_root $install && return
    echo "apt-get could not install $*: $(grep '^E:' "$log" | tail -n 1)" >&2
    return 1
}

# Installs what is missing of a table, if it can. If not, the build will tell whether it can do without.
need() {
    missing=$(missing_of "$1" | column 3)
    [ -z "$missing" ] || apt_install $missing || true
}

# The same for Debian packages by name, which the bench takes: fails with the line that would install them.
need_packages() {
    missing=
    for package in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -z "$missing" ] || apt_install $missing || { echo "missing: apt-get install$missing" >&2 && return 1; }
}

# what_is_missing TABLE: a sentence, and the line that installs it on each system. Nothing when all is there.
what_is_missing() {
    rows=$(missing_of "$1")
    [ -n "$rows" ] || return 0
    echo "missing here:$(echo "$rows" | awk '{ printf " %s", $2 }')"
    for system in '3 Debian, Ubuntu: apt-get install' '4 Fedora: dnf install' '5 Arch: pacman -S' '6 Alpine: apk add' \
        '7 macOS: brew install'; do
        names=$(echo "$rows" | column "${system%% *}")
        [ -z "$names" ] || echo "  ${system#* }$names"
    done
    echo "  (README.md, «Use it», says what to do about those that a system has no package for)"
}

# ---- Running with the output in the log ----

log=$(mktemp)
watcher=
trap 'rm -f "$log"; [ -z "$watcher" ] || kill "$watcher" 2>/dev/null' EXIT

quietly() {
    "$@" >"$log" 2>&1
}

# Tells how far the build has come: on a terminal in one line, otherwise at every tenth.
watch_log() {
    what=$1 told=-10
    sleep 1
    echo "$what …" >&2
    while kill -0 $$ 2>/dev/null; do
        percent=$(sed -n 's/^\[ *\([0-9]*\)%\].*/\1/p' "$log" 2>/dev/null | tail -n 1)
        if [ -n "$percent" ] && [ "$percent" != "$told" ]; then
            if [ -t 2 ]; then
                printf '\r  %s %% \r' "$percent" >&2
                told=$percent
            elif [ "$percent" -ge $((told + 10)) ]; then
                echo "  $percent %" >&2
                told=$percent
            fi
        fi
        sleep 1
    done
}

# slowly WHAT COMMAND …: quietly, but saying what it does when that takes more than a second. The command is in front,
# so that Ctrl-C reaches it.
slowly() {
    doing=$1 failed_with=0
    shift
    watch_log "$doing" &
    watcher=$!
    quietly "$@" || failed_with=$?
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    watcher=
    return "$failed_with"
}

# build FOLDER TARGET OPTIONS…: configures and builds one target; where that fails, says why and what is missing, and
# ends the script.
build() {
    folder=$1 target=$2
    shift 2
    slowly "preparing the build in $folder" cmake -S "$root" -B "$folder" "$@" || build_failed
    slowly "building the library and $target (once; about a minute on two cores)" \
        cmake --build "$folder" -j "$jobs" --target "$target" || build_failed
}

build_failed() {
    grep -v '^-- ' "$log" | tail -n 30 >&2
    echo "$(basename "$0"): the build failed" >&2
    what_is_missing "$build_needs" >&2
    exit 1
}
