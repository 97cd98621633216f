# shellcheck shell=bash
# To be sourced: waiting for a condition.

# wait_until SECONDS COMMAND...: retries COMMAND every 50 ms; fails if it has not succeeded after about SECONDS.
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
