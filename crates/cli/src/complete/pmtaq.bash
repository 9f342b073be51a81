# Completion of pmtaq for bash 4 and later: `source <(pmtaq completions bash)`.
_pmtaq() {
    mapfile -t COMPREPLY < <(PMTAQ_COMPLETE=bash pmtaq -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
    [[ ${COMPREPLY[0]-} != */ ]] || compopt -o nospace
}
complete -o nosort -F _pmtaq pmtaq 2>/dev/null || complete -F _pmtaq pmtaq
