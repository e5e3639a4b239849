#!/bin/sh
# exports.sh INCLUDE CC NM LIBRARY: the shared LIBRARY exports what the headers in INCLUDE/gibbs declare, no name more
# and none less. With ARCHIVE as a fifth argument, the control: the same of the static library, in which internal
# functions are global, and of headers that declare one function more; both must be noticed.
set -eu
include=$1 cc=$2 nm=$3 library=$4
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# Names declared: the headers without what they include of others, comments and braces; then, of each statement, the
# word before the first parenthesis, or the last word of an `extern`.
declared() {
    for header in "$include"/gibbs/*.h; do echo "#include <gibbs/$(basename "$header")>"; done >"$temp/all.c"
    echo "${more-}" >>"$temp/all.c"
    "$cc" -E -I"$include" "$temp/all.c" | awk '
        /^# [0-9]+ "/ { ours = $3 ~ /gibbs\/[a-z_]*\.h"|all\.c"/ }
        ours && !/^#/ { text = text " " $0 }
        END {
            while (sub(/[{][^{}]*[}]/, " ", text)) continue
            count = split(text, statement, ";")
            for (k = 1; k <= count; k++) {
                s = statement[k]
                if (s ~ /^ *(typedef|static) / || s ~ /^ *(enum|struct|union)( +[a-z_]+)? *$/) continue
                if (s ~ /\(/) sub(/ *\(.*/, "", s)
                sub(/ *$/, "", s)
                sub(/.*[ *]/, "", s)
                if (s != "") print s
            }
        }' | sort -u
}

# Names defined and global: those of the dynamic table, or of an archive; not those that some linkers add.
defined() {
    case $1 in *.a) "$nm" -g "$1" ;; *) "$nm" -D "$1" ;; esac |
        awk 'NF == 3 && $2 != "U" { sub(/@.*/, "", $3); print $3 }' |
        grep -vxE '_init|_fini|_edata|_end|__bss_start' | sort -u
}

compare() { # LIBRARY: complaints
    declared >"$temp/declared"
    defined "$1" >"$temp/defined"
    comm -13 "$temp/declared" "$temp/defined" | sed 's/^/exported, but no header declares it: /'
    comm -23 "$temp/declared" "$temp/defined" | sed 's/^/declared, but not exported: /'
}

compare "$library" >"$temp/complaints"
cat "$temp/complaints"
[ ! -s "$temp/complaints" ]
count=$(wc -l <"$temp/declared")
for name in ad_tanh ebm_adam ebm_loss_nce gibbs_version; do
    grep -qx $name "$temp/declared" || { echo "$name was not found among $count names"; exit 1; }
done
echo "$count names"

[ $# -gt 4 ] || exit 0
compare "$5" >"$temp/complaints"
beyond=$(grep -c '^exported, but' "$temp/complaints")
more='gibbs_status gibbs_nowhere(void);'
compare "$library" >"$temp/complaints"
[ "$beyond" -ge 100 ] && [ "$(cat "$temp/complaints")" = "declared, but not exported: gibbs_nowhere" ] || {
    echo "the control: $beyond names beyond the headers, and $(cat "$temp/complaints")"
    exit 1
}
