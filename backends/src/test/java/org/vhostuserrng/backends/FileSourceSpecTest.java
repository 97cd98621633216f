package org.vhostuserrng.backends;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code file:} sources on real files. What they wait for is an event, never a time. */
class FileSourceSpecTest {
    private static final long PATIENCE_SECONDS = 120;

    private final Semaphore bytesAgain = new Semaphore(0);

    @TempDir
    private Path directory;

    private byte[] read(EntropySource source, int length) throws InterruptedException {
        ByteArrayOutputStream got = new ByteArrayOutputStream();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(length);
            while (got.size() < length) {
                int filled = source.fill(target, got.size(), length - got.size());
                if (filled > 0) {
                    got.writeBytes(target.asSlice(got.size(), filled).toArray(ValueLayout.JAVA_BYTE));
                } else {
                    awaitBytes();
                }
            }
        }
        return got.toByteArray();
    }

    private void awaitBytes() throws InterruptedException {
        assertTrue(bytesAgain.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS), "no bytes came");
    }

    private static SharedSourceSpec file(Path path) {
        return (SharedSourceSpec) EntropySourceSpec.parse("file:" + path);
    }

    /** For tests that feed it less than the start-up tests take. */
    private static SharedSourceSpec untested(Path path) {
        return (SharedSourceSpec) EntropySourceSpec.parse("file:" + path + ",health=off");
    }

    /** No stretch of it occurs twice. */
    private static byte[] unrepeating(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "file:",
                "file",
                "rdrand:",
                "/dev/urandom",
                "file:x,nonsense=1",
                "file:x,health=no",
                "file:x,min-entropy=9",
                "file:x,min-entropy=0",
                "file:x,on-eof=rewind",
                "getrandom,health=off",
                "file:x,health=on,health=on"
            })
    void refusesWhatIsNoSpecification(String text) {
        assertThrows(IllegalArgumentException.class, () -> EntropySourceSpec.parse(text));
    }

    @Test
    void findsADirectoryUnusable() {
        assertThrows(IOException.class, () -> file(directory).check());
    }

    @Test
    void findsAMissingFileUnusableInTheSystemsWords() {
        IOException missing = assertThrows(
                IOException.class, () -> file(directory.resolve("nothing")).check());

        assertTrue(missing.getMessage().contains("No such file"), missing.getMessage());
    }

    @Test
    void readsUrandomDirectlyUnderWhateverName() throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("random"), Path.of("/dev/urandom"));

        try (EntropySource source = file(link).open(bytesAgain::release)) {
            assertInstanceOf(UrandomSource.class, source);
        }
    }

    @Test
    void fillsNoMoreThanItWasAskedTo() throws IOException {
        try (EntropySource source = file(Path.of("/dev/urandom")).open(bytesAgain::release);
                Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(64);

            int filled = source.fill(target, 16, 32);

            assertEquals(32, filled);
            assertArrayEquals(new byte[16], target.asSlice(0, 16).toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(new byte[16], target.asSlice(48, 16).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void refusesToFillBeyondTheMemoryItWasGiven() throws IOException {
        try (EntropySource source = file(Path.of("/dev/urandom")).open(bytesAgain::release);
                Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(64);

            assertThrows(IndexOutOfBoundsException.class, () -> source.fill(target, 60, 5));
        }
    }

    @Test
    void givesOutEachByteOfAFileOnceInItsOrder() throws IOException, InterruptedException {
        byte[] content = unrepeating(200_000);
        Path path = Files.write(directory.resolve("file"), content);

        try (EntropySource source = file(path).open(bytesAgain::release)) {
            assertArrayEquals(content, read(source, content.length));
        }
    }

    @Test
    void givesOutNoByteTwiceWhenAFileIsClosedAndOpenedAgain() throws IOException, InterruptedException {
        byte[] content = unrepeating(400_000);
        SharedSourceSpec spec = file(Files.write(directory.resolve("file"), content));
        byte[] first;
        try (EntropySource source = spec.open(bytesAgain::release)) {
            first = read(source, 100);
        }

        byte[] second;
        try (EntropySource source = spec.open(bytesAgain::release)) {
            second = read(source, 100);
        }

        int resumedAt = indexOf(content, second);
        assertArrayEquals(Arrays.copyOf(content, 100), first);
        assertTrue(resumedAt >= 100, "read again from " + resumedAt);
    }

    /** The outcome of asking for a byte, once it is another one than NOT_NOW. */
    private int ask(EntropySource source, MemorySegment target) throws InterruptedException {
        int outcome = source.fill(target, 0, 1);
        while (outcome == EntropySource.NOT_NOW) {
            awaitBytes();
            outcome = source.fill(target, 0, 1);
        }
        return outcome;
    }

    @Test
    void failsAtTheEndOfAFileInsteadOfBeginningAgain() throws IOException, InterruptedException {
        Path path = Files.write(directory.resolve("file"), unrepeating(10));
        try (EntropySource source = file(path).open(bytesAgain::release);
                Arena arena = Arena.ofConfined()) {
            read(source, 10);

            assertEquals(EntropySource.FAILED, ask(source, arena.allocate(1)));
        }
    }

    /** The memory of a process at address 0, which is nowhere: EIO. */
    @Test
    void failsWhileAFileCannotBeRead() throws IOException, InterruptedException {
        try (EntropySource source = file(Path.of("/proc/self/mem")).open(bytesAgain::release);
                Arena arena = Arena.ofConfined()) {
            assertEquals(EntropySource.FAILED, ask(source, arena.allocate(1)));
        }
    }

    @Test
    void givesOutNoByteTwiceWhenAFileHasTwoNames() throws IOException, InterruptedException {
        byte[] content = unrepeating(400_000);
        Path path = Files.write(directory.resolve("file"), content);
        Path link = Files.createSymbolicLink(directory.resolve("link"), path);
        EntropySourceSpec twice = EntropySourceSpec.parse("xor(file:" + path + ",file:" + link + ",health=off)");
        EventLoopSources sources = new EventLoopSources(twice, bytesAgain::release, System::nanoTime);
        byte[] joined;
        try (EntropySource source = sources.acquire("guest")) {
            joined = read(source, 64);
        }

        assertFalse(Arrays.equals(new byte[64], joined), "each byte was joined with itself");
    }

    @Test
    void saysNotNowWhileAFifoHasNothingAndTellsWhenItHas() throws Exception {
        Path fifo = fifo();
        try (EntropySource source = untested(fifo).open(bytesAgain::release);
                Arena arena = Arena.ofConfined()) {
            int before = source.fill(arena.allocate(4), 0, 4);

            try (OutputStream writer = Files.newOutputStream(fifo)) {
                writer.write(new byte[] {1, 2, 3, 4});
            }

            assertEquals(EntropySource.NOT_NOW, before);
            assertArrayEquals(new byte[] {1, 2, 3, 4}, read(source, 4));
        }
    }

    @Test
    void goesOnWithTheNextWriterOfAFifo() throws Exception {
        Path fifo = fifo();
        try (EntropySource source = untested(fifo).open(bytesAgain::release)) {
            try (OutputStream writer = Files.newOutputStream(fifo)) {
                writer.write(1);
            }
            byte[] first = read(source, 1);

            try (OutputStream writer = Files.newOutputStream(fifo)) {
                writer.write(2);
            }

            assertArrayEquals(new byte[] {1}, first);
            assertArrayEquals(new byte[] {2}, read(source, 1));
        }
    }

    @Test
    void goesOnWithAFifoThatIsMadeAnew() throws Exception {
        Path fifo = fifo();
        try (EntropySource source = untested(fifo).open(bytesAgain::release)) {
            try (OutputStream writer = Files.newOutputStream(fifo)) {
                writer.write(1);
                Files.delete(fifo);
            }
            byte[] first = read(source, 1);

            try (OutputStream writer = Files.newOutputStream(fifo())) {
                writer.write(2);
            }

            assertArrayEquals(new byte[] {1}, first);
            assertArrayEquals(new byte[] {2}, read(source, 1));
        }
    }

    private Path fifo() throws IOException, InterruptedException {
        Path fifo = directory.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        return fifo;
    }

    private static int indexOf(byte[] content, byte[] part) {
        for (int i = 0; i + part.length <= content.length; i++) {
            if (Arrays.equals(content, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        return -1;
    }
}
