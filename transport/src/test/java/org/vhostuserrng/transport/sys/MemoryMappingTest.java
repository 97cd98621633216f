package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

class MemoryMappingTest {
    private static final MemorySegment MEMFD_CREATE = Libc.symbol("memfd_create");
    private static final MemorySegment FTRUNCATE = Libc.symbol("ftruncate");
    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int MFD_HUGETLB = 4;
    private static final int O_RDONLY = 0;
    private static final int O_RDWR = 2;
    private static final long HUGE_PAGE = 2 << 20;
    private static final long PAGE = 4096;

    /**
     * Creates temporary directories in tmpfs, because the default one may be in a file system whose files are refused.
     */
    static final class InTmpfs implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test) throws IOException {
            return Files.createTempDirectory(Path.of("/dev/shm"), "memory");
        }
    }

    private static OwnedFd memfd(int flags, long size) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom("guest").address();
            OwnedFd fd = new OwnedFd(Libc.callInt(MEMFD_CREATE, name, flags, 0, 0, 0));
            ErrnoException.check("ftruncate", Libc.callInt(FTRUNCATE, fd.number(), size, 0, 0, 0));
            return fd;
        }
    }

    private static boolean isMapped(String name) throws IOException {
        try (Stream<String> mappings = Files.lines(Path.of("/proc/self/maps"))) {
            return mappings.anyMatch(mapping -> mapping.contains(name));
        }
    }

    private static OwnedFd open(Path file) {
        return open(file, O_RDWR);
    }

    private static OwnedFd open(Path file, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return new OwnedFd(
                    Libc.callInt(OPEN, arena.allocateFrom(file.toString()).address(), flags, 0, 0, 0));
        }
    }

    @Test
    void mapsAnUnalignedOffset(@TempDir(factory = InTmpfs.class) Path directory) throws IOException {
        byte[] content = new byte[3 * (int) PAGE];
        content[5000] = 42;
        Path path = Files.write(directory.resolve("memory"), content);

        try (OwnedFd file = open(path);
                MemoryMapping mapping = MemoryMapping.map(file, 5000, 100).open()) {
            assertEquals(42, mapping.segment().get(ValueLayout.JAVA_BYTE, 0));
            assertEquals(100, mapping.segment().byteSize());
        }
    }

    @Test
    void refusesARegionBeyondTheEndOfItsFile() throws IOException {
        try (OwnedFd file = memfd(0, 2 * PAGE)) {
            assertThrows(IOException.class, () -> MemoryMapping.map(file, PAGE, PAGE + 1));
        }
    }

    @Test
    void refusesARegionWhoseEndOverflows() throws IOException {
        try (OwnedFd file = memfd(0, PAGE)) {
            assertThrows(IOException.class, () -> MemoryMapping.map(file, PAGE, Long.MAX_VALUE));
            assertThrows(IOException.class, () -> MemoryMapping.map(file, -PAGE, PAGE));
            assertThrows(IOException.class, () -> MemoryMapping.map(file, 0, -1));
        }
    }

    @Test
    void refusesADescriptorThatIsNoFile() throws IOException {
        try (EventFd notMemory = EventFd.create()) {
            assertThrows(IOException.class, () -> MemoryMapping.map(notMemory.fd(), 0, PAGE));
        }
    }

    @Test
    void refusesAFileThatWasOpenedReadOnly(@TempDir(factory = InTmpfs.class) Path directory) throws IOException {
        Path path = Files.write(directory.resolve("memory"), new byte[(int) PAGE]);

        try (OwnedFd file = open(path, O_RDONLY)) {
            UnmappableFileException refused =
                    assertThrows(UnmappableFileException.class, () -> MemoryMapping.map(file, 0, PAGE));
            assertTrue(refused.getMessage().contains("read-only"), refused.getMessage());
        }
    }

    @Test
    void namesTheTypeOfAFileThatIsNotRegular() throws IOException {
        try (OwnedFd zero = open(Path.of("/dev/zero"))) {
            UnmappableFileException refused =
                    assertThrows(UnmappableFileException.class, () -> MemoryMapping.map(zero, 0, PAGE));
            assertTrue(refused.getMessage().contains("a character device"), refused.getMessage());
        }
    }

    @Test
    void sealsAMemfdAgainstShrinking() throws IOException {
        try (OwnedFd file = memfd(MFD_ALLOW_SEALING, PAGE);
                MemoryMapping mapping = MemoryMapping.map(file, 0, PAGE).open()) {
            int shrunk = Libc.callInt(FTRUNCATE, file.number(), 0, 0, 0, 0);

            assertTrue(mapping.isSealed());
            assertFalse(mapping.canVanish());
            assertEquals(-Errno.EPERM, shrunk);
        }
    }

    /** Another thread truncates and extends the file again and again, until the seal prevents it. */
    @Test
    void sealedFileIsAsLargeAsItsMappingThoughAPeerTruncatesItMeanwhile() throws Exception {
        for (int i = 0; i < 1000; i++) {
            OwnedFd file = memfd(MFD_ALLOW_SEALING, PAGE);
            int number = file.number();
            Thread peer = Thread.ofPlatform().start(() -> {
                while (Libc.callInt(FTRUNCATE, number, 0, 0, 0, 0) == 0) {
                    Libc.callInt(FTRUNCATE, number, PAGE, 0, 0, 0);
                }
            });
            try (MemoryMapping mapping = MemoryMapping.map(file, 0, PAGE)) {
                assertTrue(mapping.isSealed());
                assertEquals(PAGE, FileStatus.of(file).size());
            } catch (UnmappableFileException truncated) {
                assertTrue(truncated.getMessage().contains("in a file of 0 bytes"), truncated.getMessage());
            } finally {
                peer.join();
                file.close();
            }
        }
    }

    @Test
    void reportsAFileThatCannotBeSealed(@TempDir(factory = InTmpfs.class) Path directory) throws IOException {
        Path path = Files.write(directory.resolve("memory"), new byte[(int) PAGE]);

        try (OwnedFd file = open(path);
                MemoryMapping mapping = MemoryMapping.map(file, 0, PAGE).open()) {
            assertFalse(mapping.isSealed());
            assertTrue(mapping.canVanish());
        }
    }

    /** Also runs on hosts without huge pages, on which Linux creates such a file and maps it without reservation. */
    @Test
    void reportsThatSealedHugePagesCanVanish() throws IOException {
        try (OwnedFd file = memfd(MFD_ALLOW_SEALING | MFD_HUGETLB, HUGE_PAGE);
                MemoryMapping mapping = MemoryMapping.map(file, 0, HUGE_PAGE).open()) {
            assertTrue(mapping.isSealed());
            assertTrue(mapping.canVanish());
        }
    }

    @Test
    void returnsTheRestOfTheLastPage() throws IOException {
        try (OwnedFd file = memfd(MFD_ALLOW_SEALING, 2 * PAGE);
                MemoryMapping mapping = MemoryMapping.map(file, PAGE + 4, 5).open()) {
            assertEquals(5, mapping.segment().byteSize());
            assertEquals(PAGE - 4, mapping.pages().byteSize());
        }
    }

    @Test
    void throwsAnInternalErrorForVanishedMemory() throws IOException {
        try (OwnedFd file = memfd(0, PAGE);
                MemoryMapping mapping = MemoryMapping.map(file, 0, PAGE).open()) {
            Libc.callInt(FTRUNCATE, file.number(), 0, 0, 0, 0);

            assertThrows(InternalError.class, () -> {
                mapping.segment().get(ValueLayout.JAVA_SHORT, 0);
                MemoryMapping.throwPendingFault();
            });
        }
    }

    @Test
    void closesAnAdoptedDescriptor() throws IOException {
        OwnedFd file = memfd(0, PAGE);

        try (MemoryMapping mapping = MemoryMapping.adopt(file, 0, PAGE).open()) {
            assertEquals(PAGE, mapping.segment().byteSize());
            assertThrows(IllegalStateException.class, file::number);
        }
    }

    @Test
    void closesARefusedDescriptor() throws IOException {
        OwnedFd file = memfd(0, PAGE);

        assertThrows(IOException.class, () -> MemoryMapping.adopt(file, 0, 2 * PAGE));

        assertThrows(IllegalStateException.class, file::number);
    }

    @Test
    void unmapsMemoryOfAPeerInTheCloser() throws IOException {
        Queue<Runnable> threads = new ArrayDeque<>();
        OwnedFd own = SealedMemfd.create("unmapped-in-the-closer", PAGE);
        OwnedFd received = new OwnedFd(own.number(), new PeerFileExecutor(threads::add));
        MemoryMapping mapping = MemoryMapping.adopt(received, 0, PAGE).open();

        mapping.close();
        boolean before = isMapped("unmapped-in-the-closer");
        threads.remove().run();

        assertTrue(before);
        assertFalse(isMapped("unmapped-in-the-closer"));
        assertThrows(IllegalStateException.class, () -> mapping.segment().get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void throwsOnAccessAfterClose() throws IOException {
        try (OwnedFd file = memfd(0, PAGE)) {
            MemoryMapping mapping = MemoryMapping.map(file, 0, PAGE).open();

            mapping.close();

            assertThrows(IllegalStateException.class, () -> mapping.segment().get(ValueLayout.JAVA_BYTE, 0));
        }
    }
}
