package org.vhostuserrng.cli.doctor;

import java.util.Set;

/**
 * The user and the groups of a process.
 *
 * @param name for messages
 * @param uid unsigned user ID
 * @param gids unsigned IDs of all groups
 */
record UserIds(String name, long uid, Set<Long> gids) {
    boolean isRoot() {
        return uid == 0;
    }
}
