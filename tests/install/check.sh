#!/bin/sh
# check.sh BUILD CMAKE CC CXX PROGRAM.c: installs BUILD, moves the installed tree, and builds PROGRAM.c against it in
# C and C++, through find_package and through pkg-config. Each program must run, succeed and print something.
set -eu
build=$1 cmake=$2 cc=$3 cxx=$4 program=$5
here=$(cd "$(dirname "$0")" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
table=$(cd "$(dirname "$program")" && pwd)/data/double_well.csv
strict='-Wall -Wextra -pedantic -Werror'

# The program runs with nothing in its environment that could lead it back to the build, and where it may write.
check() {
    (cd "$temp" && "$1" "$table") >"$temp/printed" || { echo "failed: $*"; exit 1; }
    [ -s "$temp/printed" ] || { echo "printed nothing: $*"; exit 1; }
    echo "ok: $(basename "$1")"
}

installed_into() { # PREFIX, then what cmake --install takes besides
    "$cmake" --install "$build" --prefix "$1" >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
}

installed_into "$temp/first"
mv "$temp/first" "$temp/prefix"

# Staging (DESTDIR) puts the same files under the staging folder, and nothing at the prefix itself.
DESTDIR=$temp/stage installed_into "$temp/staged"
[ ! -e "$temp/staged" ] || { echo "DESTDIR was not honoured"; exit 1; }
(cd "$temp/prefix" && find . | sort) >"$temp/direct.list"
(cd "$temp/stage$temp/staged" && find . | sort) >"$temp/staged.list"
cmp "$temp/direct.list" "$temp/staged.list"

# (a), (b): find_package.
"$cmake" -S "$here/consumer" -B "$temp/consumer" -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
    -DCMAKE_PREFIX_PATH="$temp/prefix" -DPROGRAM="$program" >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
"$cmake" --build "$temp/consumer" >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
check "$temp/consumer/find_package_c"
check "$temp/consumer/find_package_cxx"

# (c): pkg-config.
pc=$(find "$temp/prefix" -name gibbs.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
flags=$(pkg-config --cflags gibbs)
libs=$(pkg-config --libs gibbs)
libdir=$(pkg-config --variable=libdir gibbs)
"$cc" -std=c11 $strict "$program" $flags $libs -lm -o "$temp/pkg_config_c"
"$cxx" -x c++ -std=c++17 $strict "$program" -x none $flags $libs -lm -o "$temp/pkg_config_cxx"
LD_LIBRARY_PATH=$libdir
export LD_LIBRARY_PATH
check "$temp/pkg_config_c"
check "$temp/pkg_config_cxx"
