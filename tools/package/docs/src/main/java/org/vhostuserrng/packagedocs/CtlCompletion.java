package org.vhostuserrng.packagedocs;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.vhostuserrng.daemon.DaemonCommandSpecs;

/**
 * Completes the commands of {@code ctl}, and the names of guests, which a running daemon tells. Without one, nothing is
 * completed and nothing is printed.
 */
final class CtlCompletion {
    private static final Pattern COMPLETE = Pattern.compile("(?m)^complete -F (\\S+) ");

    private static final String BASH = """

            # The commands of ctl, and the names of guests, which a running daemon tells.
            _vhost_user_rng_ctl() {
              local current=${COMP_WORDS[COMP_CWORD]} words=() options=() i name
              if [ "${COMP_WORDS[1]}" != ctl ] || [ "$COMP_CWORD" -lt 2 ] || [ "${current#-}" != "$current" ] ||
                [ "$current" = = ] || [ "${COMP_WORDS[COMP_CWORD - 1]}" = = ]; then
                @PICOCLI@ "$@"
                return
              fi
              for ((i = 2; i < COMP_CWORD; i++)); do
                if [ "${COMP_WORDS[i]}" = = ]; then
                  [ "${COMP_WORDS[i - 1]}" != --control-socket ] || options=("--control-socket=${COMP_WORDS[i + 1]}")
                  ((i++))
                elif [ "${COMP_WORDS[i]#-}" = "${COMP_WORDS[i]}" ]; then
                  words+=("${COMP_WORDS[i]}")
                fi
              done
              COMPREPLY=()
              if [ ${#words[@]} = 0 ]; then
                mapfile -t COMPREPLY < <(compgen -W '@COMMANDS@' -- "$current")
              elif [ ${#words[@]} = 1 ]; then
                case ${words[0]} in
                  @GUEST_COMMANDS@)
                    while IFS= read -r name; do
                      case $name in "$current"*) COMPREPLY+=("$(printf %q "$name")") ;; esac
                    done < <("${COMP_WORDS[0]}" ctl "${options[@]}" list --names 2>/dev/null)
                    ;;
            @WORDS@
                esac
              fi
            }
            complete -F _vhost_user_rng_ctl -o default vhost-user-rng
            """;

    private static final String ZSH = """
            _vhost_user_rng_ctl_argument() {
              local -a given guests
              given=(${words[1,CURRENT-1]:#-*})
              if (( ${#given} == 2 )); then
                case ${given[2]} in
                  @GUEST_COMMANDS@)
                    guests=(${(f)"$(vhost-user-rng ctl ${(M)words:#--control-socket=*} list --names 2>/dev/null)"})
                    compadd -a guests
                    return ;;
            @WORDS@
                esac
              fi
              _files
            }
            """;

    private CtlCompletion() {}

    /** Adds the completion to a script of picocli. */
    static String addToBash(String script) {
        Matcher function = COMPLETE.matcher(script);
        if (!function.find()) {
            throw new IllegalArgumentException("no completion function in: " + script);
        }
        String words = words("      %s) mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$current\") ;;");
        return script + filled(BASH, words).replace("@PICOCLI@", function.group(1));
    }

    /** A function that completes an argument after the command of ctl. */
    static String zshFunction() {
        return filled(ZSH, words("      %s) compadd %s; return ;;"));
    }

    /** The specification of the arguments of ctl for zsh's _arguments. */
    static String zshArguments() {
        return "'1:command:(" + String.join(" ", DaemonCommandSpecs.ctlCommands())
                + ")' '*:argument:_vhost_user_rng_ctl_argument'";
    }

    private static String filled(String template, String words) {
        return template.replace("@GUEST_COMMANDS@", String.join("|", DaemonCommandSpecs.ctlGuestCommands()))
                .replace("@COMMANDS@", String.join(" ", DaemonCommandSpecs.ctlCommands()))
                .replace("@WORDS@", words);
    }

    private static String words(String line) {
        return DaemonCommandSpecs.ctlWords().entrySet().stream()
                .map((Map.Entry<String, String> command) -> line.formatted(command.getKey(), command.getValue()))
                .collect(Collectors.joining("\n"));
    }
}
