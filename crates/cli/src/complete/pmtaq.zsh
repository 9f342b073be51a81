#compdef pmtaq
# Completion of pmtaq for zsh: a file `_pmtaq` in a folder of $fpath, or `source <(pmtaq completions zsh)`.
_pmtaq() {
    local -a values folders
    local line
    for line in "${(@f)$(PMTAQ_COMPLETE=zsh pmtaq -- "${(@)words[1,CURRENT-1]}" "$IPREFIX$PREFIX" 2>/dev/null)}"; do
        case $line in
            '') ;;
            */) folders+=("$line") ;;
            *) values+=("$line") ;;
        esac
    done
    (( $#folders )) && _describe -V folder folders -S ''
    (( $#values )) && _describe -V value values
}
if [[ $funcstack[1] == _pmtaq ]]; then _pmtaq "$@"; else compdef _pmtaq pmtaq; fi
