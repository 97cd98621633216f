package org.vhostuserrng.daemon.hold;

import java.util.List;
import java.util.Map;

/**
 * What {@link ServiceManager} runs.
 *
 * @param command the program and its arguments
 * @param maxFds maximum number of stored descriptors
 * @param watchdogMicros 0 for no watchdog
 * @param stopTimeoutNanos time between the signal that stops the service and SIGKILL
 * @param variables of the environment that the service gets instead of those of this process; empty to remove one
 */
public record ServiceSettings(
        List<String> command, int maxFds, long watchdogMicros, long stopTimeoutNanos, Map<String, String> variables) {}
