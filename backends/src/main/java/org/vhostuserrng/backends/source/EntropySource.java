package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * An open source of random bytes. Never blocks, and returns every byte only once. Confined to the event loop's thread.
 */
public interface EntropySource extends AutoCloseable {
    /** Result of {@link #fill}: no bytes are available now. The event loop is notified when there are. */
    int WOULD_BLOCK = 0;
    /** Result of {@link #fill}: the source has failed and logged the reason. Retry after a second. */
    int FAILED = -1;
    /** Result of {@link #fill}: the target memory no longer exists. */
    int TARGET_FAULT = -2;

    /**
     * Fills memory with random bytes, starting at {@code offset}.
     *
     * @param length at least 1
     * @return the number of bytes written, 1 to {@code length}, or one of the constants
     */
    int fill(MemorySegment target, long offset, int length);

    /**
     * Announces that the fills until {@link #endTurn} serve one guest, so that a source may get the bytes of several
     * small requests from one call.
     *
     * @param expectedBytes estimate of the bytes that the guest asks for in this turn, at least 1
     */
    default void beginTurn(int expectedBytes) {}

    /** Ends a turn: bytes that were obtained for it and not used are wiped, and never reach another guest. */
    default void endTurn() {}

    /** Whether the source holds bytes that it obtained before they are asked for, beyond a turn. */
    default boolean readsAhead() {
        return false;
    }

    /** Discards and wipes such bytes: they may exist in a copy of this virtual machine. */
    default void discardAhead() {}

    /** Whether {@link #WOULD_BLOCK} means that the source has no bytes for any guest, not only for this one. */
    default boolean isSharedByGuests() {
        return false;
    }

    /** After {@link #FAILED}: whether the source can be read again since, and only has no bytes yet. */
    default boolean answersAfterFailure() {
        return false;
    }

    /** Why the source has no bytes, for a log line; empty if nothing is known. */
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

    /** The result of {@link #startStartupTests} is not wanted any longer. It may already be on its way. */
    default void cancelStartupTests() {}

    /** Wipes bytes that were read ahead and releases files and threads. */
    @Override
    void close();
}
