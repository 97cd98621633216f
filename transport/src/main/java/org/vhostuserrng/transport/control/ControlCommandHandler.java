package org.vhostuserrng.transport.control;

/** Executes the requests of control clients. */
@FunctionalInterface
public interface ControlCommandHandler {
    /**
     * Executes a request, or starts its execution. Called on the loop's thread; must return quickly.
     *
     * @param response receives the result, at once or later
     */
    void execute(ControlRequest request, ControlResponse response);
}
