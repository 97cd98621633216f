package org.vhostuserrng.daemon.hold;

import java.util.List;
import java.util.Map;

/**
 * The service that {@link ServiceSupervisor} runs, and how it runs the service.
 *
 * @param command the program and its arguments
 * @param maxFds maximum number of stored descriptors
 * @param watchdogMicros timeout of the watchdog in µs; 0 for no watchdog
 * @param stopTimeoutNanos nanoseconds from the signal that stops the service to SIGKILL
 * @param variables environment variables that replace those of this process; an empty value removes a variable
 */
public record ServiceSettings(
        List<String> command, int maxFds, long watchdogMicros, long stopTimeoutNanos, Map<String, String> variables) {}
