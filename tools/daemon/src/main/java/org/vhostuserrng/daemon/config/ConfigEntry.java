package org.vhostuserrng.daemon.config;

import java.util.List;

/**
 * A key of a configuration file with its value.
 *
 * @param location {@code FILE:LINE}, for messages
 * @param texts the value as text; any number for an array, else one
 */
public record ConfigEntry(String location, String key, Type type, List<String> texts) {
    /** Types of values. */
    public enum Type {
        BOOLEAN,
        NUMBER,
        STRING,
        ARRAY
    }

    /** The key with its location, for messages. */
    public String name() {
        return location + ": " + key;
    }
}
