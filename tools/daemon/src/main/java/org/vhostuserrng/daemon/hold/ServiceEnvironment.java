package org.vhostuserrng.daemon.hold;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Builds the environment of the service: that of this process, with variables replaced by hold's own. */
final class ServiceEnvironment {
    private ServiceEnvironment() {}

    /**
     * Returns the inherited variables after some have been replaced or removed.
     *
     * @param inherited variables in the form {@code NAME=VALUE}
     * @param replaced new values by variable name; an empty value removes the variable
     */
    static List<String> of(List<String> inherited, Map<String, String> replaced) {
        List<String> variables = new ArrayList<>();
        for (String variable : inherited) {
            if (!replaced.containsKey(variable.split("=", 2)[0])) {
                variables.add(variable);
            }
        }
        replaced.forEach((name, value) -> {
            if (!value.isEmpty()) {
                variables.add(name + "=" + value);
            }
        });
        return variables;
    }
}
