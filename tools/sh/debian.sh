# shellcheck shell=bash
# To be sourced after packages.sh: downloads packages of any Debian suite and architecture without installing them.

# debian_mirror: prints VHOST_USER_RNG_MIRROR, or the archive that this machine's apt uses.
debian_mirror() {
  if [ -n "${VHOST_USER_RNG_MIRROR:-}" ]; then
    echo "$VHOST_USER_RNG_MIRROR"
    return
  fi
  # shellcheck disable=SC2016 # apt's variables
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null |
    head -n 1
}

# debian_keyring: prints the file with the archive's keys.
debian_keyring() {
  local file
  for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
    [ ! -e "$file" ] || { echo "$file" && return; }
  done
  return 1
}

# make_apt SUITE ARCHITECTURE DIRECTORY: writes an apt configuration with its own lists and cache, usable without root
# through APT_CONFIG=DIRECTORY/apt.conf.
make_apt() {
  local mirror keyring
  mirror=$(debian_mirror)
  keyring=$(debian_keyring) || keyring=
  if [ -z "$mirror" ] || [ -z "$keyring" ]; then
    echo "cannot download packages of Debian $1: this is not a Debian system. Install debian-archive-keyring and set" \
      "VHOST_USER_RNG_MIRROR to the URL of a Debian mirror" >&2
    return 1
  fi
  mkdir -p "$3"/{none,lists/partial,cache/archives/partial}
  : >"$3/status"
  echo "deb [signed-by=$keyring] $mirror $1 main" >"$3/sources.list"
  # Check-Valid-Until: an outdated mirror is good enough for a test; signatures are still checked.
  cat >"$3/apt.conf" <<EOF
Dir::State "$3";
Dir::State::Lists "$3/lists";
Dir::State::status "$3/status";
Dir::Cache "$3/cache";
Dir::Etc::SourceList "$3/sources.list";
Dir::Etc::SourceParts "$3/none";
Dir::Etc::Preferences "$3/none/preferences";
Dir::Etc::PreferencesParts "$3/none";
APT::Architecture "$2";
APT::Architectures { "$2"; };
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
EOF
  APT_CONFIG=$3/apt.conf apt_with_retries update
}

# dependency APT_DIRECTORY PACKAGE PATTERN: prints the first dependency of PACKAGE that matches PATTERN.
dependency() {
  APT_CONFIG=$1/apt.conf apt-cache depends "$2" | sed -n "s/^ *Depends: \($3\)\$/\1/p" | head -n 1
}

# unpack_package APT_DIRECTORY PACKAGE DIRECTORY: downloads PACKAGE and unpacks it into DIRECTORY.
unpack_package() {
  mkdir -p "$3" "$1/download"
  (cd "$1/download" && APT_CONFIG=$1/apt.conf apt_with_retries download "$2") || return
  dpkg -x "$1/download/"*.deb "$3" || return
  rm "$1/download/"*.deb
}
