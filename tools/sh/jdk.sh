# shellcheck shell=bash
# To be sourced after packages.sh: the JDK that the build needs.

# jdk_homes: every directory in which a JDK usually is.
jdk_homes() {
  printf '%s\n' "${JAVA_HOME:-}" /usr/lib/jvm/* /usr/java/* /usr/local/lib/jvm/* /opt/* /opt/java/* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.local/share/mise/installs/java/*
}

# find_jdk: prints the home of a JDK 25 with a compiler.
find_jdk() {
  local home
  while read -r home; do
    if [ -x "$home/bin/javac" ] && grep -qs '^JAVA_VERSION="25[".]' "$home/release"; then
      echo "$home"
      return
    fi
  done < <(jdk_homes)
  return 1
}

# use_jdk: sets JAVA_HOME for Maven, whose formatter check runs only on the project's JDK.
use_jdk() {
  local home
  if ! home=$(find_jdk) && can_install; then
    refresh_package_lists || true
    if apt-cache show openjdk-25-jdk-headless >/dev/null 2>&1; then
      apt_patiently install --yes --no-install-recommends openjdk-25-jdk-headless || true
    fi
    home=$(find_jdk)
  fi
  if [ -z "$home" ]; then
    echo "Missing here: a JDK 25. Install openjdk-25-jdk-headless if your distribution has it, or unpack a" \
      "Temurin JDK 25 below /usr/lib/jvm, /opt or ~/.jdks" >&2
    exit "$EXIT_MISSING"
  fi
  export JAVA_HOME=$home
  # Maven's own libraries make a JDK 25 print warnings that are nobody's here to mend, and end every output, also
  # one that is no terminal's, with an escape sequence.
  export MAVEN_OPTS="${MAVEN_OPTS:-} -Djansi.noreset=true --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
}
