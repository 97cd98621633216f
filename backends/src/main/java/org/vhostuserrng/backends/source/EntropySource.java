package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * An open source of random bytes. Never blocks, and returns each byte only once. Confined to the event loop's thread.
 */
public interface EntropySource extends AutoCloseable {
    /** Returned by {@link #fill} if no bytes are available now. The event loop is notified when bytes are available. */
    int WOULD_BLOCK = 0;
    /** Returned by {@link #fill} if the source has failed and has logged the reason. Retry after a second. */
    int FAILED = -1;
    /** Returned by {@link #fill} if the target memory does not exist any more. */
    int TARGET_FAULT = -2;

    /**
     * Fills memory with random bytes, starting at {@code offset}.
     *
     * @param length maximum number of bytes, at least 1
     * @return the number of bytes written, 1 to {@code length}, or one of the constants of this interface
     */
    int fill(MemorySegment target, long offset, int length);

    /**
     * Begins a turn: all calls of {@link #fill} until {@link #endTurn} serve the same guest, so that the source may get
     * the bytes of several small requests with one call.
     *
     * @param expectedBytes estimate of the number of bytes that the guest requests in this turn, at least 1
     */
    default void beginTurn(int expectedBytes) {}

    /** Ends a turn. Unused bytes that were obtained for the turn are wiped, and never reach another guest. */
    default void endTurn() {}

    /** Returns whether the source keeps bytes that were not requested yet beyond the end of a turn. */
    default boolean readsAhead() {
        return false;
    }

    /**
     * Discards and wipes the bytes that were not requested yet, because they may exist in a copy of this virtual
     * machine.
     */
    default void discardAhead() {}

    /** Returns whether {@link #WOULD_BLOCK} means that the source has no bytes for any guest, not only for this one. */
    default boolean isSharedByGuests() {
        return false;
    }

    /** Returns whether the source can be read again after {@link #FAILED}, but has no bytes yet. */
    default boolean answersAfterFailure() {
        return false;
    }

    /** Describes for a log line why the source has no bytes; empty if the reason is unknown. */
    default String starvationReason() {
        return "";
    }

    /** Whether the source has failed a health test and has not passed the start-up tests since. */
    default boolean hasFailedHealthTest() {
        return false;
    }

    /**
     * Runs the start-up health tests (SP 800-90B §4.3) on fresh bytes, which are discarded. If they fail, the source
     * serves nothing until it passes them again. Bytes that were tested before are served meanwhile.
     *
     * @param onDone called once by any thread, with null or with the reason of the failure
     * @return false if the source has no health tests; {@code onDone} is not called then
     */
    default boolean startStartupTests(Consumer<String> onDone) {
        return false;
    }

    /** Ends the wait for the result of {@link #startStartupTests}, which may still arrive. */
    default void cancelStartupTests() {}

    /** Wipes bytes that were read ahead and releases files and threads. */
    @Override
    void close();
}
