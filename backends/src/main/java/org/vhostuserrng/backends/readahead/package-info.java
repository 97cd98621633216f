/**
 * Adapts a blocking source to {@link org.vhostuserrng.backends.source.EntropySource}: one read-ahead thread per source
 * reads it, runs the health tests, and passes filled blocks to the event loop.
 *
 * <p>Threading: the {@link org.vhostuserrng.backends.readahead.BlockingEntropySource} and the health tests are confined
 * to the read-ahead thread, the {@code ReadAheadSource} to the event loop's thread. They share only the block pool,
 * which consists of two single-producer single-consumer queues.
 *
 * <p>Depends on {@code source}, {@code health} and {@code sys}. {@code local} and {@code egd} implement its interfaces.
 */
package org.vhostuserrng.backends.readahead;
