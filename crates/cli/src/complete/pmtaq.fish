# Completion of pmtaq for fish 3.1 and later: ~/.config/fish/completions/pmtaq.fish
complete --command pmtaq --no-files --keep-order --arguments '(PMTAQ_COMPLETE=fish pmtaq -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token --cut-at-cursor) 2>/dev/null)'
