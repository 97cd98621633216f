package org.vhostuserrng.daemon.config;

import java.util.Map;

/**
 * The section of one guest.
 *
 * @param location {@code FILE:LINE} of the section's first key, for messages; {@code FILE} if the section has no key
 * @param entries by key, in the order of the file
 */
public record ConfigSection(String location, Map<String, ConfigEntry> entries) {}
