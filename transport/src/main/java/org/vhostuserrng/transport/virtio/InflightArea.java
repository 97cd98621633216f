package org.vhostuserrng.transport.virtio;

import java.lang.foreign.MemorySegment;

/**
 * Memory in which a virtqueue keeps a record of the requests under way, so that one that follows it, in another process
 * perhaps, completes each of them exactly once. It outlives both; whoever keeps it meanwhile is not trusted.
 *
 * @param bytes as many as {@link VirtioDevice#inflightBytes} says, all zero if no queue has used them yet; aligned to 64
 *     bytes, and accesses may fail like those to guest memory
 * @param queueSize the largest Queue Size it was made for
 */
public record InflightArea(MemorySegment bytes, int queueSize) {}
