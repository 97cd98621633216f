# shellcheck shell=bash
# Must be sourced. Waits for conditions.

# wait_until SECONDS COMMAND...: runs COMMAND every 50 ms until it succeeds; fails after about SECONDS.
wait_until() {
  local tries=$(($1 * 20))
  shift
  until "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.05
  done
}

# is_gone PID: true if there is no such process.
is_gone() { ! kill -0 "$1" 2>/dev/null; }
