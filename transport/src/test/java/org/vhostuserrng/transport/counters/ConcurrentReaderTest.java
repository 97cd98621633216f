package org.vhostuserrng.transport.counters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.transport.counters.CounterField.Kind;

/** Tests that a process that reads the mapped file while the daemon writes it sees consistent names and values. */
class ConcurrentReaderTest {
    private static final List<CounterField> FIELDS = List.of(new CounterField("bytes", Kind.COUNTER, "bytes", 0));
    private static final CountersLayout LAYOUT = new CountersLayout(FIELDS, FIELDS);
    private static final int SLOTS = 64;
    private static final int NAME_LENGTH = 200;
    private static final int RENAMES = 20_000;
    private static final int INCREMENTS = 1_000_000;

    @TempDir
    private Path directory;

    private final AtomicBoolean stopped = new AtomicBoolean();

    private CountersFile open() throws IOException {
        return CountersFile.open(directory.resolve("counters"), FIELDS, FIELDS, List.of(), Instant.EPOCH, 0);
    }

    private MemorySegment map(Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(directory.resolve("counters"))) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
    }

    @Test
    void nameWithAnUnchangedEvenSequenceIsComplete() throws IOException, InterruptedException, ExecutionException {
        try (CountersFile file = open();
                ExecutorService reader = Executors.newSingleThreadExecutor()) {
            for (int slot = 1; slot < SLOTS; slot++) {
                file.addGuest("guest" + slot);
            }
            Future<Long> read = reader.submit(() -> readNames(SLOTS - 1));

            for (int i = 0; i < RENAMES; i++) {
                String name = String.valueOf((char) ('a' + i % 26)).repeat(NAME_LENGTH);
                file.removeGuest(file.addGuest(name));
            }
            stopped.set(true);

            assertTrue(read.get() >= 0);
        }
    }

    /**
     * Reads names until the test stops. Returns the number of complete names; fails if one is a mixture of two names.
     */
    private long readNames(int slot) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment guest = map(arena).asSlice(LAYOUT.guestSlotOffset(slot), LAYOUT.guestSlotBytes());
            long complete = 0;
            while (!stopped.get()) {
                long before = guest.get(ValueLayout.JAVA_LONG, CountersLayout.SLOT_SEQUENCE);
                VarHandle.acquireFence();
                byte[] name =
                        guest.asSlice(CountersLayout.SLOT_NAME, NAME_LENGTH).toArray(ValueLayout.JAVA_BYTE);
                VarHandle.acquireFence();
                long after = guest.get(ValueLayout.JAVA_LONG, CountersLayout.SLOT_SEQUENCE);
                if (before == after && before != 0 && (before & 1) == 0) {
                    complete++;
                    assertEquals(
                            String.valueOf((char) name[0]).repeat(NAME_LENGTH),
                            new String(name, 0, NAME_LENGTH, StandardCharsets.US_ASCII));
                }
            }
            return complete;
        }
    }

    @Test
    void counterNeverDecreases() throws IOException, InterruptedException, ExecutionException {
        try (CountersFile file = open();
                ExecutorService reader = Executors.newSingleThreadExecutor()) {
            CounterSlot slot = file.addGuest("a");
            Future<Integer> last = reader.submit(this::readCounter);

            for (long value = 1; value <= INCREMENTS; value++) {
                slot.set(0, value << Integer.SIZE | value);
            }
            stopped.set(true);

            assertTrue(last.get() <= INCREMENTS);
        }
    }

    /**
     * Reads values until the test stops. Returns the last one; fails if one is a mixture of two values, or smaller than
     * the previous one.
     */
    private int readCounter() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment file = map(arena);
            int last = 0;
            while (!stopped.get()) {
                long value = file.get(ValueLayout.JAVA_LONG, LAYOUT.guestSlotOffset(0) + CountersLayout.SLOT_VALUES);
                int low = (int) value;
                assertEquals(low, (int) (value >>> Integer.SIZE));
                assertTrue(low >= last);
                last = low;
            }
            return last;
        }
    }
}
