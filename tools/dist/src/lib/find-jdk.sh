# shellcheck shell=sh
# Must be sourced. Finds an installed JDK. Uses only POSIX sh and builtins, because the launcher sources it too.

# read_jdk_version HOME: sets jdk_version to the feature version of the JDK at HOME, 0 if there is none.
# Reads the file "release", because running the JVM would take longer than everything else in the launcher.
read_jdk_version() {
  jdk_version=0
  [ -n "$1" ] && [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 0
  while IFS='=' read -r key value; do
    if [ "$key" = JAVA_VERSION ]; then
      value=${value#\"}
      jdk_version=${value%%[!0-9]*}
      break
    fi
  done <"$1/release"
  jdk_version=${jdk_version:-0}
}

# find_jdk PREDICATE: sets jdk to the first JDK for which `PREDICATE HOME` succeeds; fails if there is none. Searches
# JAVA_HOME, the usual directories and the java command on PATH, in this order.
find_jdk() {
  for jdk in "${JAVA_HOME:-}" /usr/lib/jvm/* /usr/java/* /usr/local/lib/jvm/* /opt/* /opt/java/* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.local/share/mise/installs/java/*; do
    "$1" "$jdk" && return
  done
  jdk=$(command -v java) && jdk=$(readlink -f "$jdk") && jdk=${jdk%/bin/java} && "$1" "$jdk"
}
