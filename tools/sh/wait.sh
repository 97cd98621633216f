# shellcheck shell=bash
# To be sourced: waiting for what another process does.

# wait_until SECONDS COMMAND...: false if the command has not succeeded within the time.
wait_until() {
  local tries=$(($1 * 20))
  shift
  until "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.05
  done
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }
