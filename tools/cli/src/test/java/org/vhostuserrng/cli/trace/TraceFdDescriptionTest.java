package org.vhostuserrng.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import jnr.unixsocket.UnixSocketChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.frontend.FdPassingSocket;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.ReceivedFileDescriptor;

class TraceFdDescriptionTest {
    @TempDir
    private Path directory;

    private static String describe(int fd) throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        try (FdPassingSocket sender = FdPassingSocket.wrap(pair[0]);
                FdPassingSocket receiver = FdPassingSocket.wrap(pair[1])) {
            sender.send(new byte[1], fd);
            try (ReceivedFileDescriptor received =
                    receiver.receive(1).descriptors().getFirst()) {
                return TraceFdDescription.of(received);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"SEALED, SHRINK", "SEALABLE, ''", "UNSEALABLE, SEAL"})
    void memfdHasNameSizeAndSeals(FrontendMemoryRegion.Sealing sealing, String seals) throws Exception {
        try (FrontendMemoryRegion region = new FrontendMemoryRegion(0, 0, 8192, 0, sealing)) {
            assertEquals("memfd \"guest-memory\" 8 KiB (8192 B) seals={" + seals + "}", describe(region.fd()));
        }
    }

    @Test
    void eventfdHasIdAndCounter() throws Exception {
        try (FrontendEventFd eventfd = new FrontendEventFd()) {
            eventfd.signal();

            String description = describe(eventfd.fd());

            assertTrue(description.matches("eventfd \\d+ count=1"), description);
        }
    }

    @Test
    void duplicateOfAnEventfdHasTheSameId() throws Exception {
        try (FrontendEventFd eventfd = new FrontendEventFd()) {
            assertEquals(describe(eventfd.fd()), describe(eventfd.fd()));
        }
    }

    @Test
    void socketHasItsInodeNumber() throws Exception {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        try (UnixSocketChannel one = pair[0];
                UnixSocketChannel other = pair[1]) {
            assertTrue(other.isOpen());
            String description = describe(one.getFD());

            assertTrue(description.matches("socket \\d+"), description);
        }
    }

    @Test
    void fileHasPathAndSize() throws Exception {
        Path path = Files.write(directory.resolve("memory"), new byte[2048]);
        try (RandomAccessFile open = new RandomAccessFile(path.toFile(), "r")) {
            assertEquals(2048, open.length());

            assertEquals("file " + path + " 2 KiB (2048 B)", describe(numberOf(path)));
        }
    }

    @Test
    void controlCharactersInNamesAreReplaced() throws Exception {
        Path path = Files.write(directory.resolve("\u001b[2Jmemory"), new byte[1]);
        try (RandomAccessFile open = new RandomAccessFile(path.toFile(), "r")) {
            assertEquals(1, open.length());

            assertTrue(describe(numberOf(path)).contains("?[2Jmemory"));
        }
    }

    private static int numberOf(Path path) throws IOException {
        for (int fd = 0; fd < 1024; fd++) {
            Path link = Path.of("/proc/self/fd", Integer.toString(fd));
            if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(path.toRealPath())) {
                return fd;
            }
        }
        throw new AssertionError(path + " is not open");
    }
}
