package org.vhostuserrng.cli.checksource;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Reads samples from a stream, such as standard input. A separate thread reads the stream, because a read from a stream
 * cannot be interrupted. {@link #close} ends that thread after its current read.
 */
final class StreamSampleReader implements SampleReader {
    private static final long READ_TIMEOUT_MILLIS = 100;
    private static final int CHUNK = 1 << 16;
    private static final int CHUNKS_AHEAD = 16;
    private static final byte[] LAST = {};

    private final BlockingQueue<byte[]> chunks = new ArrayBlockingQueue<>(CHUNKS_AHEAD);
    private final Thread thread;
    private byte[] chunk = {};
    private int used;
    private boolean ended;
    private volatile IOException failure;

    StreamSampleReader(InputStream stream) {
        thread = Thread.ofPlatform().daemon().name("sample stream").start(() -> readAll(stream));
    }

    private void readAll(InputStream stream) {
        byte[] buffer = new byte[CHUNK];
        try (stream) {
            for (int read = stream.read(buffer); read > 0; read = stream.read(buffer)) {
                chunks.put(Arrays.copyOf(buffer, read));
            }
            chunks.put(LAST);
        } catch (IOException failed) {
            failure = failed;
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public int read(MemorySegment target, int length) throws IOException, InterruptedException {
        if (used == chunk.length && !next()) {
            return ended ? END : NOTHING_YET;
        }
        int read = Math.min(length, chunk.length - used);
        MemorySegment.copy(chunk, used, target, ValueLayout.JAVA_BYTE, 0, read);
        used += read;
        return read;
    }

    /**
     * Takes the next chunk from the queue. Returns false if no chunk arrives within a short time or the stream has
     * ended.
     */
    private boolean next() throws IOException, InterruptedException {
        if (ended) {
            return false;
        }
        byte[] next = chunks.poll(READ_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        if (next == null && failure != null) {
            throw failure;
        }
        ended = next != null && next.length == 0;
        if (next == null || ended) {
            return false;
        }
        chunk = next;
        used = 0;
        return true;
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
