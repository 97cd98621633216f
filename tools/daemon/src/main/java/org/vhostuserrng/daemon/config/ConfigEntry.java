package org.vhostuserrng.daemon.config;

import java.util.List;

/**
 * A key of a configuration file and its value.
 *
 * @param location {@code FILE:LINE}, for messages
 * @param texts the value as text: one element, or one per element of an array
 */
public record ConfigEntry(String location, String key, Type type, List<String> texts) {
    /** The TOML type of a value. */
    public enum Type {
        BOOLEAN,
        NUMBER,
        STRING,
        ARRAY
    }

    /** Returns the key with its location, for messages. */
    public String name() {
        return location + ": " + key;
    }
}
