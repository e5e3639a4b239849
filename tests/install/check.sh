#!/bin/sh
# check.sh BUILD CMAKE CC CXX ARCHIVE: installs BUILD, moves the installed tree, and builds programs against it in C and
# C++ (the README's in C), through find_package and through pkg-config, with no library named besides. Each program must run, succeed and
# print something. ARCHIVE is the library's objects: with it the same is done of a static library, if BUILD is shared.
set -eu
build=$1 cmake=$2 cc=$3 cxx=$4 archive=$5
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
readme=$source/examples/custom_energy.c
programs="$here/common.c $here/linked.c"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
table=$source/examples/data/double_well.csv
strict='-Wall -Wextra -pedantic -Werror'

quietly() {
    "$@" >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
}

# The program runs with nothing in its environment that could lead it back to the build, and where it may write.
check() {
    (cd "$temp" && "$1" "$table") >"$temp/printed" || { cat "$temp/printed"; echo "failed: $*"; exit 1; }
    [ -s "$temp/printed" ] || { echo "printed nothing: $*"; exit 1; }
    echo "ok: $(basename "$1")"
}

# What is installed, moved from the prefix for which it was: no text in it names a place of this machine.
check_paths() {
    library=$(sed -n 's/^GIBBS_LBFGS_LIBRARY:[^=]*=//p' "$build/CMakeCache.txt")
    for place in "$build" "$source" "$temp" "$(dirname "$library")"; do
        ! grep -rIF "$place" "$1" || { echo "installed, and names $place"; exit 1; }
    done
}

with_find_package() { # PREFIX
    rm -rf "$temp/consumer"
    quietly "$cmake" -S "$here/consumer" -B "$temp/consumer" -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
        -DCMAKE_PREFIX_PATH="$1" "-DPROGRAMS=$(echo $programs | tr ' ' ';')"
    quietly "$cmake" --build "$temp/consumer"
    for name in common linked; do
        check "$temp/consumer/${name}_c"
        check "$temp/consumer/${name}_cxx"
    done
}

# The README's line, also for programs that are not position independent, which copy the library's data.
with_pkg_config() ( # PREFIX, in a subshell for its environment
    PKG_CONFIG_PATH=$(dirname "$(find "$1" -name gibbs.pc)")
    export PKG_CONFIG_PATH
    flags=$(pkg-config --cflags gibbs) libs=$(pkg-config --libs gibbs)
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir gibbs)
    export LD_LIBRARY_PATH
    "$cc" -std=c11 $strict "$readme" $flags $libs -o "$temp/custom_energy"
    check "$temp/custom_energy"
    for program in $programs; do
        for pie in '-fPIE -pie' '-fno-pie -no-pie'; do
            "$cc" -std=c11 $strict $pie "$program" $flags $libs -o "$temp/pkg_config_c"
            check "$temp/pkg_config_c"
            "$cxx" -x c++ -std=c++17 $strict $pie "$program" -x none $flags $libs -o "$temp/pkg_config_cxx"
            check "$temp/pkg_config_cxx"
        done
    done
    version=$(pkg-config --modversion gibbs)
    echo "$version $version" | diff - "$temp/printed" || { echo "gibbs.pc and the library differ"; exit 1; }
)

# Before 1.0 the library's name for the loader has the minor version in it; a dlclose leaves the library where it is.
check_shared_library() { # PREFIX
    version=$(sed -n 's/.*define GIBBS_VERSION "\(.*\)\..*"/\1/p' "$1/include/gibbs/version.h")
    dynamic=$(readelf -d "$(find "$1" -name libgibbs.so)")
    for wanted in "SONAME.*\[libgibbs\.so\.$version\]" NODELETE; do
        echo "$dynamic" | grep -q "$wanted" || { echo "no $wanted: $dynamic"; exit 1; }
    done
    ! echo "$dynamic" | grep -E 'RPATH|RUNPATH' || exit 1
}

check_tree() { # PREFIX
    check_paths "$1"
    with_find_package "$1"
    with_pkg_config "$1"
}

quietly "$cmake" --install "$build" --prefix "$temp/first"
mv "$temp/first" "$temp/prefix"

# Staging (DESTDIR) puts the same files under the staging folder, and nothing at the prefix itself.
DESTDIR=$temp/stage quietly "$cmake" --install "$build" --prefix "$temp/staged"
[ ! -e "$temp/staged" ] || { echo "DESTDIR was not honoured"; exit 1; }
(cd "$temp/prefix" && find . | sort) >"$temp/direct.list"
(cd "$temp/stage$temp/staged" && find . | sort) >"$temp/staged.list"
cmp "$temp/direct.list" "$temp/staged.list"

check_tree "$temp/prefix"
[ -n "$(find "$temp/prefix" -name libgibbs.so)" ] || exit 0
case $(uname -s) in Linux) check_shared_library "$temp/prefix" ;; esac

# A static library: configured, given the objects that there are, and installed.
quietly "$cmake" -S "$source" -B "$temp/build" -DCMAKE_C_COMPILER="$cc" -DBUILD_SHARED_LIBS=OFF -DGIBBS_TESTS=OFF \
    -DGIBBS_EXAMPLES=OFF
cp "$archive" "$temp/build/libgibbs.a"
quietly "$cmake" --install "$temp/build" --prefix "$temp/static"
mv "$temp/static" "$temp/moved"
echo "static:"
check_tree "$temp/moved"
