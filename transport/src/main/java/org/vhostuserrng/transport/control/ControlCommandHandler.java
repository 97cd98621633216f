package org.vhostuserrng.transport.control;

/** Executes the requests of control clients. */
@FunctionalInterface
public interface ControlCommandHandler {
    /**
     * Executes a request on the loop's thread, or starts to do so. Must be short.
     *
     * @param response receives the result, at once or later
     */
    void execute(ControlRequest request, ControlResponse response);
}
