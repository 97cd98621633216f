package org.vhostuserrng.transport.counters;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.counters.CounterField.Kind;

/** Tests the conditions under which a counters file is created, continued or refused. */
class CountersFileTest {
    private static final List<CounterField> DAEMON = List.of(new CounterField("failovers", Kind.COUNTER, "", 0));
    private static final List<CounterField> GUEST = List.of(
            new CounterField("bytes", Kind.COUNTER, "bytes", 0), new CounterField("connected", Kind.GAUGE, "", 0));
    private static final int BYTES = 0;
    private static final int CONNECTED = 1;

    @TempDir
    private Path directory;

    private Path path;

    @BeforeEach
    void choosePath() {
        path = directory.resolve("counters");
    }

    private CountersFile open(String... guests) throws IOException {
        return open(GUEST, guests);
    }

    private CountersFile open(List<CounterField> guestFields, String... guests) throws IOException {
        return CountersFile.open(path, DAEMON, guestFields, List.of(guests), Instant.EPOCH, 0);
    }

    private long header(long offset) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(path))
                .order(ByteOrder.nativeOrder())
                .getLong((int) offset);
    }

    private void set(long offset, long value) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
            channel.write(bytes.putLong(value).flip(), offset);
        }
    }

    private void assertRefused(String reason) throws IOException {
        byte[] before = Files.readAllBytes(path);
        IOException refused = assertThrows(IOException.class, this::open);
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
        assertArrayEquals(before, Files.readAllBytes(path));
    }

    @Test
    void newFileDescribesItself() throws IOException {
        open("a").close();

        assertEquals(CountersLayout.MAGIC_NUMBER, header(CountersLayout.MAGIC));
        assertEquals(Files.size(path), header(CountersLayout.FILE_BYTES));
        assertEquals(3, header(CountersLayout.FIELD_COUNT));
        assertEquals(64, header(CountersLayout.GUEST_SLOT_COUNT));
        assertEquals(ProcessHandle.current().pid(), header(CountersLayout.PID));
        assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
    }

    @Test
    void nextProcessContinuesCountersAndClearsGauges() throws IOException {
        CounterSlot before;
        try (CountersFile first = open("a")) {
            before = first.addGuest("a");
            before.set(BYTES, 7);
            before.set(CONNECTED, 1);
            first.daemonSlot().set(0, 3);
        }

        try (CountersFile second = open("a")) {
            CounterSlot after = second.addGuest("a");

            assertTrue(second.isContinued());
            assertEquals(7, after.get(BYTES));
            assertEquals(0, after.get(CONNECTED));
            assertEquals(3, second.daemonSlot().get(0));
            assertEquals(1, header(CountersLayout.RESTARTS));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "ä\"\\\n{}", "\u202e", "\udcff", "guest#2"})
    void anyNameIsContinued(String name) throws IOException {
        try (CountersFile first = open(name)) {
            first.addGuest(name).set(BYTES, 7);
        }

        try (CountersFile second = open(name)) {
            assertEquals(7, second.addGuest(name).get(BYTES));
        }
    }

    @Test
    void guestsWithTheSameNameHaveSlotsOfTheirOwn() throws IOException {
        try (CountersFile file = open("a", "a")) {
            file.addGuest("a").set(BYTES, 7);

            assertEquals(0, file.addGuest("a").get(BYTES));
        }
    }

    @Test
    void removedGuestIsContinuedWhenItReturns() throws IOException {
        try (CountersFile file = open("a")) {
            CounterSlot removed = file.addGuest("a");
            removed.set(BYTES, 7);
            file.removeGuest(removed);

            assertEquals(7, file.addGuest("a").get(BYTES));
        }
    }

    @Test
    void removalOfOneOfTwoGuestsWithTheSameNameLeavesTheOther() throws IOException {
        try (CountersFile file = open("a", "a")) {
            CounterSlot first = file.addGuest("a");
            first.set(BYTES, 7);
            first.set(CONNECTED, 1);

            file.removeGuest(file.addGuest("a"));

            assertEquals(1, first.get(CONNECTED));
            assertEquals(0, file.addGuest("a").get(BYTES));
        }
    }

    @Test
    void newGuestTakesTheSlotOfARemovedOneWhenAllAreUsed() throws IOException {
        try (CountersFile file = open()) {
            List<CounterSlot> slots = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                slots.add(file.addGuest("guest" + i));
                slots.getLast().set(BYTES, i);
            }
            assertThrows(IOException.class, () -> file.addGuest("one more"));
            file.removeGuest(slots.get(7));

            CounterSlot slot = file.addGuest("one more");

            assertEquals(0, slot.get(BYTES));
        }
    }

    @Test
    void continuedFileGrowsForMoreGuests() throws IOException {
        try (CountersFile first = open("guest0")) {
            first.addGuest("guest0").set(BYTES, 7);
        }
        List<String> guests = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            guests.add("guest" + i);
        }

        try (CountersFile second = open(guests.toArray(String[]::new))) {
            assertEquals(7, second.addGuest("guest0").get(BYTES));
            for (int i = 1; i < 200; i++) {
                assertEquals(0, second.addGuest("guest" + i).get(BYTES));
            }
        }
        assertEquals(Files.size(path), header(CountersLayout.FILE_BYTES));
    }

    @Test
    void slotWithAnIncompleteNameIsFree() throws IOException {
        CountersLayout layout = new CountersLayout(DAEMON, GUEST);
        try (CountersFile first = open("a")) {
            first.addGuest("a").set(BYTES, 7);
        }
        set(layout.guestSlotOffset(0) + CountersLayout.SLOT_SEQUENCE, 3);

        try (CountersFile second = open("a")) {
            assertEquals(0, second.addGuest("a").get(BYTES));
        }
    }

    @Test
    void incompleteFileIsCreatedAnew() throws IOException {
        open("a").close();
        set(CountersLayout.MAGIC, 0);

        open("a").close();

        assertEquals(CountersLayout.MAGIC_NUMBER, header(CountersLayout.MAGIC));
    }

    @Test
    void fileOfALiveProcessIsRefused() throws IOException {
        CountersFile live = open("a");

        assertRefused("in use by another process");

        live.close();
    }

    @Test
    void otherContentIsRefused() throws IOException {
        Files.writeString(path, "text ".repeat(1000));

        assertRefused("is not a counters file");
    }

    @Test
    void shortContentIsRefused() throws IOException {
        Files.writeString(path, "text");

        assertRefused("is not a counters file");
    }

    @Test
    void otherLayoutVersionIsRefused() throws IOException {
        open("a").close();
        set(CountersLayout.VERSION, 2);

        assertRefused("has layout version 2, expected 1");
    }

    @Test
    void otherFieldsAreRefused() throws IOException {
        open(List.of(GUEST.getLast(), GUEST.getFirst()), "a").close();

        assertRefused("has other fields");
    }

    @Test
    void truncatedFileIsRefused() throws IOException {
        open("a").close();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.truncate(new CountersLayout(DAEMON, GUEST).fileBytes(3));
        }

        assertRefused("is truncated");
    }

    @Test
    void symbolicLinkIsRefused() throws IOException {
        Files.createSymbolicLink(path, directory.resolve("target"));

        IOException refused = assertThrows(IOException.class, this::open);

        assertTrue(refused.getMessage().contains("symbolic link"), refused.getMessage());
        assertFalse(Files.exists(directory.resolve("target")));
    }

    @Test
    void fileThatOthersCanWriteIsRefused() throws IOException {
        open("a").close();
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-r--"));

        assertRefused("can be written by other users");
    }

    @Test
    void directoryIsRefused() throws IOException {
        Files.createDirectory(path);

        assertThrows(IOException.class, this::open);
    }
}
