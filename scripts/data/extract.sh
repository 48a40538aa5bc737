# Sourced by the scripts beside it: frames and sound out of videos with ffmpeg. Everything resumes: what is finished is skipped,
# what was interrupted starts again; a result appears under its name only when it is complete.
set -euo pipefail
say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }
need() { command -v "$1" >/dev/null || stop "needs $1: apt-get install ${2:-$1}"; }

[ $# -ge 1 ] || stop "usage: $0 DATA_FOLDER   (the folder that --data names)"
parent="$1"
jobs="${JOBS:-$(nproc)}"
failures="$(mktemp)"
trap 'rm -f "$failures"' EXIT

# frames VIDEO FOLDER RATE: pictures at RATE a second, 00001.jpg ...
frames() {
  [ -d "$2" ] && return 0
  rm -rf "$2.part" && mkdir -p "$2.part"
  ffmpeg -nostdin -v error -i "$1" -vf "fps=$3" -q:v 2 "$2.part/%05d.jpg" && [ -n "$(ls -A "$2.part")" ] && mv "$2.part" "$2" || { rm -rf "$2.part"; echo "frames of $1" >>"$failures"; }
}
# window VIDEO FOLDER FIRST END: every frame from FIRST up to END - 1, called by its number.
window() {
  [ -d "$2" ] && return 0
  rm -rf "$2.part" && mkdir -p "$2.part"
  ffmpeg -nostdin -v error -i "$1" -vf "select=between(n\\,$3\\,$(($4 - 1)))" -vsync 0 -start_number "$3" -q:v 2 "$2.part/%05d.jpg" && [ -n "$(ls -A "$2.part")" ] && mv "$2.part" "$2" || { rm -rf "$2.part"; echo "frames of $1" >>"$failures"; }
}
# sound VIDEO FILE.wav: one channel, 16 bits, 44100 Hz; the loader resamples.
sound() {
  [ -s "$2" ] && return 0
  mkdir -p "$(dirname "$2")"
  ffmpeg -nostdin -v error -y -i "$1" -vn -ac 1 -ar 44100 -f wav "$2.part" && mv "$2.part" "$2" || { rm -f "$2.part"; echo "sound of $1" >>"$failures"; }
}
export -f frames window sound
export failures

# each FUNCTION: lines of arguments from standard input, several at once, with a count on stderr.
each() {
  xargs -r -P "$jobs" -L 1 bash -c "$1"' "$@"' _
  say "$(wc -l <"$failures") failures so far"
}
finish() {
  if [ -s "$failures" ]; then
    say "could not be extracted (damaged or without that stream):"
    sort "$failures" | head -n 50 >&2
  fi
  say "next: bss-lua data check $1 --data $parent"
}
