# Sourced by check.sh: script/run and script/demo, with a CMake that builds nothing and says so; the programs that it
# «builds» print their name, their arguments and their folder.
scripts=$here/../../script
mkdir -p tools elsewhere
cat >tools/cmake <<'CMAKE'
#!/bin/sh
case $1 in
    -S) [ -z "${BROKEN:-}" ] || { echo "CMake Error: lbfgs.h not found" >&2; exit 1; }
        mkdir -p "$4/examples" ;;
    --build)
        echo '[ 40%] Building'
        sleep "${SLOW:-0}"
        folder=$2 program=$6
        printf '#!/bin/sh\necho "$(basename "$0") $* in $(pwd)"\nexit 7\n' >"$folder/examples/$program"
        chmod +x "$folder/examples/$program" ;;
esac
CMAKE
for tool in apt-get sudo dpkg-query; do printf '#!/bin/sh\nexit 1\n' >tools/$tool; done
chmod +x tools/*

# script STATUS SENTENCE SCRIPT …: as expect, of a script, in the folder `elsewhere` and with the tools above first.
script() {
    status=$1 sentence=$2 name=$3
    shift 3
    (cd elsewhere && PATH=$temp/tools:$PATH GIBBS_BUILD=$temp/built "$scripts/$name" "$@") >stdout 2>stderr
    got=$?
    [ $got = "$status" ] || complain "$name $*: status $got, not $status"
    cat stdout stderr | grep -qF -e "$sentence" || complain "$name $*: does not say «$sentence»"
}

script 0 'density2d                one energy, four ways to fit it' run
[ "$(grep -c '^  [a-z0-9_]* *[a-zA-Z]' stdout)" = "$(ls "$here"/../../examples/*.c | wc -l)" ] ||
    complain "run does not list every example with a line"
! grep -E '^  .*( (a|and|of|the|by)|[,:;])$' stdout || complain "run breaks a line off in its middle"
script 64 'there is no example «nowhere»' run nowhere
script 64 '  maxent ' run nowhere

script 7 "maxent --mean 4 --json a b in $(pwd -P)/elsewhere" run maxent --mean 4 --json 'a b'
[ ! -s stderr ] || complain "run says something though there is nothing to do"
script 7 'density2d --demo --seed 2 in ' demo --seed 2
SLOW=3 script 7 'building the library and maxent' run maxent
grep -q '40 %' stderr || complain "run does not tell how far it has come"

# What is said within two seconds of a build that takes longer.
(cd elsewhere && SLOW=4 PATH=$temp/tools:$PATH GIBBS_BUILD=$temp/built "$scripts/demo" >../stdout 2>../stderr) &
sleep 2
grep -q 'building the library and density2d' stderr || complain "demo says nothing for two seconds"
wait

# A build that fails: CMake's own words and what is missing. Here nothing is that is looked for, unless it is so.
BROKEN=1 script 1 'CMake Error: lbfgs.h not found' run maxent
grep -q '^run: the build failed' stderr || complain "run does not say that the build failed"
printf '#!/bin/sh\nexit 1\n' >tools/pkg-config
printf '#!/bin/sh\nexit 1\n' >tools/cc
chmod +x tools/*
(
    root=$here/../..
    PATH=$temp/tools:$PATH
    . "$scripts/lib.sh"
    has_header() { [ "$1" != lbfgs.h ]; }
    what_is_missing "$build_needs"
    what_is_missing "
tool sh none none none none none"
) >stdout 2>stderr
[ "$(head -n 2 stdout)" = "missing here: lbfgs.h
  Debian, Ubuntu: apt-get install liblbfgs-dev" ] || complain "what is missing is not named: $(cat stdout)"
grep -q '^  macOS: brew install liblbfgs' stdout && ! grep -q 'Alpine' stdout || complain "wrong packages: $(cat stdout)"
