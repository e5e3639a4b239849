#!/bin/sh
# subproject.sh BUILD CMAKE CC: a parent project has the library as a part, by add_subdirectory and by FetchContent, and
# stays as it was (parent/CMakeLists.txt complains). Only what is the parent's own is built, but for one part of the
# library; BUILD knows where libraries lie. Last, the library is looked for below CMAKE_FIND_ROOT_PATH, as for another
# machine, where the linker does not look by itself.
set -eu
build=$1 cmake=$2 cc=$3
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
parent=$temp/parent

fail() {
    echo "$*"
    exit 1
}

quietly() {
    "$@" >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
}

# Twice, as a project's cache has then what the first run left. Complaints are in $temp/complaints.
configure() {
    rm -rf "$parent"
    : >"$temp/complaints"
    for run in 1 2; do
        quietly "$cmake" -S "$here/parent" -B "$parent" -DCMAKE_C_COMPILER="$cc" -DPROGRAM="$here/linked.c" \
            -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "$@"
        grep '^complaint:' "$temp/log" >>"$temp/complaints" || true
    done
}

# WHAT, then options: there are no complaints.
expect_unchanged() {
    what=$1
    shift
    configure -DGIBBS_FOLDER="$source" "$@"
    [ ! -s "$temp/complaints" ] || fail "$what: $(cat "$temp/complaints")"
    echo "ok: $what"
}

# Every command that compiles a source of the library has -O3, or none has.
optimised() {
    grep '"command".*/src/[a-z]*/.*\.c' "$parent/compile_commands.json" >"$temp/commands"
    [ "$(wc -l <"$temp/commands")" -ge 100 ] || fail "only $(wc -l <"$temp/commands") commands compile the library"
    [ "$(grep -c -e ' -O3 ' "$temp/commands")" = "$(wc -l <"$temp/commands")" ]
}

installed() {
    rm -rf "$temp/prefix"
    quietly "$cmake" --install "$parent" --prefix "$temp/prefix"
    (cd "$temp/prefix" && find . -type f)
}

expect_unchanged "subdirectory, build type empty" -DEXPECT_TYPE=STATIC_LIBRARY
optimised || fail "not optimised in a parent without a build type"
quietly "$cmake" --build "$parent" --target own gibbs_simd_base
[ "$(installed)" = ./lib/libown.a ] || fail "installed: $(installed)"
! grep -q gibbs "$parent/gibbs/cmake_install.cmake" || fail "the library has install rules"
expect_unchanged "FetchContent, Debug, shared" -DFETCH=ON -DCMAKE_BUILD_TYPE=Debug -DEXPECT_CMAKE_BUILD_TYPE=Debug \
    -DBUILD_SHARED_LIBS=ON -DEXPECT_BUILD_SHARED_LIBS=ON -DEXPECT_TYPE=SHARED_LIBRARY
! optimised || fail "optimised in Debug"
configure -DGIBBS_FOLDER="$source" -DGIBBS_INSTALL=ON
grep -q gibbsConfig "$parent/gibbs/cmake_install.cmake" || fail "GIBBS_INSTALL: no install rules"

# The control: build type, its cache entry, shared libraries, C standard, a folder's options, three entries, an install.
configure -DGIBBS_FOLDER="$here/leaky" -DEXPECT_TYPE=STATIC_LIBRARY
for leak in 'CMAKE_BUILD_TYPE is «Release»' 'BUILD_SHARED_LIBS is «ON»' 'CMAKE_C_STANDARD is «11»' \
    'COMPILE_OPTIONS of the parent' 'more in the cache: .*LEAKY' 'own is a SHARED_LIBRARY'; do
    grep -q "$leak" "$temp/complaints" || fail "the control: nothing heard of «$leak»: $(cat "$temp/complaints")"
done
quietly "$cmake" --build "$parent" --target own gibbs
[ "$(installed | wc -l)" -gt 1 ] || fail "the control: $(installed)"

# Another machine's root: the libraries below it are linked by their full paths, as no linker looks there by itself.
mkdir -p "$temp/root/usr/lib"
for entry in GIBBS_OPENBLAS_LIBRARY GIBBS_LBFGS_LIBRARY GIBBS_JANSSON_LIBRARY ZLIB_LIBRARY_RELEASE; do
    library=$(sed -n "s/^$entry:[^=]*=//p" "$build/CMakeCache.txt")
    [ -f "$library" ] || { echo "no $entry: CMAKE_FIND_ROOT_PATH was not tried"; exit 0; }
    ln -s "$library" "$temp/root/usr/lib/"
done
expect_unchanged "CMAKE_FIND_ROOT_PATH" -DEXPECT_TYPE=STATIC_LIBRARY -DCMAKE_FIND_ROOT_PATH="$temp/root" \
    -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY
for library in "$temp"/root/usr/lib/*; do
    grep -qF "$library" "$parent/libraries.txt" || fail "not linked as $library: $(cat "$parent/libraries.txt")"
done
