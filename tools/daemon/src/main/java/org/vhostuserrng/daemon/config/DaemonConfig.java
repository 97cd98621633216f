package org.vhostuserrng.daemon.config;

import java.util.Map;

/**
 * The contents of all configuration files.
 *
 * @param options by key
 * @param guests by name, in the order of the files
 */
public record DaemonConfig(Map<String, ConfigEntry> options, Map<String, ConfigSection> guests) {
    /** The configuration without a file. */
    public static final DaemonConfig NONE = new DaemonConfig(Map.of(), Map.of());
}
