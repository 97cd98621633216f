/**
 * Adapts a blocking source to {@link org.vhostuserrng.backends.source.EntropySource}: one read-ahead thread per source
 * reads it, runs the health tests and passes filled blocks to the event loop.
 *
 * <p>Threading: the {@link org.vhostuserrng.backends.readahead.BlockingEntropySource} and the health tests belong to
 * the read-ahead thread, the {@code ReadAheadSource} to the event loop. They share only the block pool, two
 * single-producer single-consumer queues.
 *
 * <p>Depends on {@code source}, {@code health} and {@code sys}; {@code local} and {@code egd} implement its contract.
 */
package org.vhostuserrng.backends.readahead;
