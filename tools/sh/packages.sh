# shellcheck shell=bash
# To be sourced: finds the programs that a script needs, installs them where that is possible.

# shellcheck disable=SC2034 # used where this is sourced
readonly guest_needs=(qemu-system-x86_64=qemu-system-x86 cpio=cpio gzip=gzip xz=xz-utils lz4=lz4)

# Exit status of a script that cannot go on before a person has installed something.
readonly EXIT_MISSING=3

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -qq "$@" </dev/null
}

# A machine that has just booted may still hold apt's locks or lack its network: once more is worth a try.
apt_patiently() {
  local try
  for try in 1 2 3; do
    apt "$@" >&2 && return
    echo "apt-get $1 failed, try $try of 3" >&2
    sleep $((try * 5))
  done
  return 1
}

# VHOST_USER_RNG_INSTALL=no: a test does not install anything, whoever runs it.
can_install() {
  [ "${VHOST_USER_RNG_INSTALL:-yes}" = yes ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

# Once per run: also a child script's call finds it done.
refresh_package_lists() {
  [ -z "${VHOST_USER_RNG_LISTS_ARE_FRESH:-}" ] || return 0
  apt_patiently update
  export VHOST_USER_RNG_LISTS_ARE_FRESH=1
}

# need COMMAND=PACKAGE...: every COMMAND can be called afterwards, or the script has ended saying what to install.
need() {
  local pair packages=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || packages+=("${pair#*=}")
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  if ! can_install; then
    echo "Missing here: ${packages[*]}. On Debian 12 or 13: sudo apt-get update && sudo apt-get install ${packages[*]}" >&2
    exit "$EXIT_MISSING"
  fi
  echo "installing ${packages[*]}" >&2
  refresh_package_lists || true
  apt_patiently install --yes --no-install-recommends "${packages[@]}" && return
  echo "Could not install: ${packages[*]}" >&2
  exit "$EXIT_MISSING"
}
