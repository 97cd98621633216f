package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;

/** Tests a {@code file:} source that is a terminal, such as a noise generator at a serial port. */
class TerminalSourceTest {
    private static final long HANG_NANOS = TimeUnit.SECONDS.toNanos(120);

    @TempDir
    private Path directory;

    private byte nextSent;

    private static SharedSourceSpec source(Path path, String options) {
        return (SharedSourceSpec) SourceExpressionParser.parse("file:" + path + ",health=off" + options);
    }

    /** Sends all byte values in turn. */
    private void send(PseudoTerminal terminal) {
        byte[] bytes = new byte[64];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (nextSent + i);
        }
        nextSent += (byte) Math.max(0, terminal.send(bytes));
    }

    /** Receives {@code length} bytes while the terminal sends. */
    private byte[] receive(EntropySource source, PseudoTerminal terminal, int length) throws InterruptedException {
        MemorySegment received = Arena.ofAuto().allocate(length);
        int count = 0;
        for (long end = System.nanoTime() + HANG_NANOS; count < length && System.nanoTime() < end; ) {
            send(terminal);
            count += Math.max(0, source.fill(received, count, length - count));
            TimeUnit.MILLISECONDS.sleep(1);
        }
        assertEquals(length, count);
        return received.toArray(ValueLayout.JAVA_BYTE);
    }

    private static boolean isSequence(byte[] bytes) {
        boolean sequence = true;
        for (int i = 1; i < bytes.length; i++) {
            sequence &= bytes[i] == (byte) (bytes[i - 1] + 1);
        }
        return sequence;
    }

    @Test
    void receivesEveryByteUnchanged() throws IOException, InterruptedException {
        try (PseudoTerminal terminal = new PseudoTerminal();
                EntropySource source = source(terminal.path(), "").open(() -> {})) {
            assertTrue(isSequence(receive(source, terminal, 1024)));
        }
    }

    @Test
    void restoresTheModeWhenClosed() throws IOException, InterruptedException {
        try (PseudoTerminal terminal = new PseudoTerminal()) {
            SharedSourceSpec spec = source(terminal.path(), ",baud=115200");
            boolean cookedMeanwhile;
            try (EntropySource source = spec.open(() -> {})) {
                receive(source, terminal, 1);
                cookedMeanwhile = terminal.isCooked();
            }

            assertTrue(spec.awaitClosed(HANG_NANOS));
            assertFalse(cookedMeanwhile);
            assertTrue(terminal.isCooked());
        }
    }

    @Test
    void reopenedTerminalIsInRawMode() throws IOException, InterruptedException {
        try (PseudoTerminal terminal = new PseudoTerminal()) {
            SharedSourceSpec spec = source(terminal.path(), "");
            for (int i = 0; i < 10; i++) {
                try (EntropySource source = spec.open(() -> {})) {
                    assertTrue(isSequence(receive(source, terminal, 300)));
                }
            }
        }
    }

    @Test
    void discardsInputThatArrivedBeforeItWasOpened() throws IOException, InterruptedException {
        try (PseudoTerminal terminal = new PseudoTerminal()) {
            terminal.send("stale\n".repeat(20).getBytes(StandardCharsets.US_ASCII));

            try (EntropySource source = source(terminal.path(), "").open(() -> {})) {
                assertTrue(isSequence(receive(source, terminal, 300)));
            }
        }
    }

    @Test
    void comesBackAfterItWasUnplugged() throws IOException, InterruptedException {
        Path name = directory.resolve("noise");
        PseudoTerminal first = new PseudoTerminal();
        Files.createSymbolicLink(name, first.path());
        try (EntropySource source = source(name, "").open(() -> {})) {
            receive(source, first, 300);

            first.close();
            Files.delete(name);
            awaitFailure(source);
            try (PseudoTerminal second = new PseudoTerminal()) {
                Files.createSymbolicLink(name, second.path());

                assertTrue(isSequence(receive(source, second, 300)));
            }
        }
    }

    private static void awaitFailure(EntropySource source) throws InterruptedException {
        MemorySegment discarded = Arena.ofAuto().allocate(64);
        long end = System.nanoTime() + HANG_NANOS;
        while (source.fill(discarded, 0, 64) != EntropySource.FAILED && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "49", "12000001", "fast", ""})
    void refusesBaudRateOutOfRange(String baud) {
        assertThrows(
                IllegalArgumentException.class, () -> SourceExpressionParser.parse("file:/dev/ttyS0,baud=" + baud));
    }

    @Test
    void probeRefusesBaudRateOfOtherFile() {
        IOException refused = assertThrows(
                IOException.class,
                () -> source(Path.of("/dev/null"), ",baud=9600").probe());

        assertEquals("baud=9600: it is not a terminal", refused.getMessage());
    }
}
