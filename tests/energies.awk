# energies.awk — docs/energies.md as C: its blocks of energies, and a table of what their first lines say,
#     /* name: x[dim] kind; parameter[shape] …; loss … */
# of which a loss that begins with ! must be refused.
/^```c$/ { block = 1; first = 1; next }
/^```$/ { block = 0 }
block && first {
    first = 0
    if (!match($0, /^\/\* [a-z_]+: x\[[0-9]+\] [^;]*;[^;]*;[^;]* \*\/$/)) { print "#error \"" $0 "\""; next }
    line = substr($0, 4, length($0) - 6)
    name = substr(line, 1, index(line, ":") - 1)
    n = split(substr(line, index(line, ":") + 2), field, ";")
    dim = field[1]; sub(/^x\[/, "", dim); kind = dim; sub(/\].*/, "", dim); sub(/^[0-9]+\] /, "", kind)
    count = split(field[2], parameter, " ")
    list = ""
    for (k = 1; k <= count; k++) {
        shape = parameter[k]; sub(/\[.*/, "", parameter[k]); sub(/^[^[]*\[/, "", shape); sub(/\]/, "", shape)
        rank = split(shape, ignored, ",")
        if (!rank) shape = 0
        list = list sprintf("{\"%s\", {%d, {%s}}, EBM_INIT_NORMAL, 0.3}, ", parameter[k], rank, shape)
    }
    gsub(/^ +| +$/, "", field[3])
    row = sprintf("    {\"%s\", %s, %d, \"%s\", {%s}, %d, \" %s \"},", name, name, dim, kind, list, count, field[3])
    rows = rows row "\n"
}
block { print }
END { printf "static const page_energy energies_of_the_page[] = {\n%s};\n", rows }
