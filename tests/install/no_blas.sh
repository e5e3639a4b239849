#!/bin/sh
# no_blas.sh CMAKE CC NM: built with GIBBS_BLAS=OFF and installed, nothing names a BLAS: not the library, nor what
# pkg-config and CMake say of it. A program that links it so, statically, runs and
# prints the same fit. The control: the package files of a build with BLAS name it.
set -eu
cmake=$1 cc=$2 nm=$3
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

quietly() {
    "$@" >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
}

configure() { # FOLDER OPTIONS…; not optimised, which is compiled in a fifth of the time
    folder=$1
    shift
    quietly "$cmake" -S "$source" -B "$folder" -DCMAKE_C_COMPILER="$cc" -DCMAKE_BUILD_TYPE=Debug -DGIBBS_TESTS=OFF \
        -DGIBBS_EXAMPLES=OFF -DBUILD_SHARED_LIBS=OFF -DCMAKE_INSTALL_LIBDIR=lib "$@"
}

configure "$temp/with"
grep -qi blas "$temp/with/gibbs.pc" || { echo "the control: gibbs.pc names no BLAS"; exit 1; }
grep -qi blas "$temp/with/gibbsConfig.cmake" || { echo "the control: the CMake package names no BLAS"; exit 1; }

configure "$temp/build" -DGIBBS_BLAS=OFF
! grep -i 'openblas' "$temp/build/CMakeCache.txt" || { echo "a BLAS was looked for"; exit 1; }
quietly "$cmake" --build "$temp/build" -j "${JOBS:-2}"
quietly "$cmake" --install "$temp/build" --prefix "$temp/prefix"
! grep -rIi blas "$temp/prefix/lib/pkgconfig" "$temp/prefix/lib/cmake" || { echo "installed, names a BLAS"; exit 1; }
! "$nm" "$temp/prefix/lib/libgibbs.a" | grep -iE 'cblas_|openblas_' || { echo "the library calls a BLAS"; exit 1; }
PKG_CONFIG_PATH=$temp/prefix/lib/pkgconfig
export PKG_CONFIG_PATH
quietly "$cc" -std=c11 "$source/examples/custom_energy.c" $(pkg-config --cflags --libs gibbs) -o "$temp/program"
for isa in base v3 v4; do
    (cd "$temp" && GIBBS_ISA=$isa ./program "$source/examples/data/double_well.csv") >"$temp/printed" ||
        { cat "$temp/printed"; echo "failed with GIBBS_ISA=$isa"; exit 1; }
    grep -q '^a = 1.545 ' "$temp/printed" || { cat "$temp/printed"; echo "another fit with GIBBS_ISA=$isa"; exit 1; }
done
echo ok
