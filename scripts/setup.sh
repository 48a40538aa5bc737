# Sourced by the other scripts: system packages, toolchain, the release build. Debian and Ubuntu.
set -euo pipefail
root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
binary="$root/.build/release/bss-lua"
stamp="$root/.build/bss-lua.stamp"
packages=(liblua5.4-dev libopenblas-dev libreadline-dev zlib1g-dev libjpeg-dev libpng-dev libsndfile1)

say() { printf 'bss-lua: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

# Installs what is missing of $packages.
install_packages() {
  command -v dpkg-query >/dev/null || stop "needs Debian or Ubuntu, or these installed by hand: ${packages[*]}"
  local missing=() package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || stop "needs root to install: run 'apt-get install ${missing[*]}' as root, then this again"
    as_root=(sudo)
  fi
  say "installing ${missing[*]} (apt-get)"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -q >&2 || say "apt-get update failed; trying the lists at hand"
  "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}" >&2 ||
    stop "apt-get could not install ${missing[*]}"
}

require_swift() {
  command -v swift >/dev/null || stop "no Swift toolchain on the PATH: get Swift 6.2 or later at https://www.swift.org/install/linux"
}

# Which commit the program was built from, beside it, for the records of runs.
note_commit() {
  local commit changed="" build
  commit="$(git -C "$root" rev-parse HEAD 2>/dev/null)" || return 0
  [ -z "$(git -C "$root" status --porcelain -- Sources Package.swift 2>/dev/null)" ] || changed=+
  build="$("$binary" -e 'io.write(bss.engine().build)')"
  printf '%s %s\n' "$build" "$commit$changed" >"$(dirname "$binary")/.bss-lua.commit"
}

# How a program is built that people start. The Swift runtime is linked in: it runs where no toolchain is. At a fixed
# address, as Debian's Python is, the loader has none of 44,000 addresses to write: 0.6 of 4.1 ms, and 0.6 MiB.
release=(-c release --static-swift-stdlib -Xlinker -no-pie)

# Builds release unless nothing changed since the last build.
build_release() {
  if [ -x "$binary" ] && [ -e "$stamp" ] &&
    [ -z "$(find "$root/Sources" "$root/Package.swift" -newer "$stamp" -print -quit)" ]; then
    return
  fi
  install_packages
  require_swift
  mkdir -p "$root/.build"
  touch "$stamp.new"  # before the build: an edit during it counts as new
  say "building (the first time takes some minutes)"
  local log="$root/.build/bss-lua.log"
  if ! swift build --package-path "$root" "${release[@]}" --product bss-lua >"$log" 2>&1; then
    grep -E 'error|warning: you may' "$log" | sort -u | head -n 40 >&2 || tail -n 40 "$log" >&2
    stop "the build failed; everything it said is in .build/bss-lua.log"
  fi
  note_commit
  mv "$stamp.new" "$stamp"
}
