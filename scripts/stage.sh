# Sourced by scripts/install and scripts/bundle: what an installation consists of.

# stage DIR: program, man page, shell completions, annotations for editors and experiments below DIR, as below a prefix.
stage() {
  local to="$1" share="$1/share"
  mkdir -p "$to/bin" "$share"/{man/man1,bash-completion/completions,zsh/site-functions,fish/vendor_completions.d} \
    "$share/bss-lua" || stop "cannot make folders below $to"
  # A new file, then a rename: a running bss-lua keeps its old one.
  cp "$binary" "$to/bin/.bss-lua.new" && chmod 755 "$to/bin/.bss-lua.new" || stop "cannot write to $to/bin"
  if command -v strip >/dev/null; then strip "$to/bin/.bss-lua.new"; fi
  mv "$to/bin/.bss-lua.new" "$to/bin/bss-lua"
  "$binary" help --man >"$share/man/man1/bss-lua.1"
  "$binary" completions bash >"$share/bash-completion/completions/bss-lua"
  "$binary" completions zsh >"$share/zsh/site-functions/_bss-lua"
  "$binary" completions fish >"$share/fish/vendor_completions.d/bss-lua.fish"
  rm -rf "$share/bss-lua"/{stubs,experiments}
  "$binary" stubs -o "$share/bss-lua/stubs" >/dev/null
  (cd "$root" && find experiments -path experiments/runs -prune -o -type f -print0 | tar -c --null -T - ) |
    tar -x -C "$share/bss-lua"
}
